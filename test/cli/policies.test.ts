/** `explain --policy`, `test`, `convert` and `lint` with AuthorizationPolicies, as a user sees them. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { ROOT } from "../../cli/paths.ts";
import { bailey, file, folder } from "./bailey.ts";

const WEB = "cluster.local/ns/shop/sa/web";

/** One policy for the API, one in shadow for all of the namespace. */
const POLICIES = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web-to-api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  rules:
  - from: [{source: {serviceAccounts: [shop/web]}}]
    to: [{operation: {methods: [GET], paths: ["/v1/{*}/items"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop, annotations: {istio.io/dry-run: "true"}}
spec:
  action: DENY
  rules:
  - to: [{operation: {paths: [/admin*]}}]
`;
const WORKLOADS = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {metadata: {labels: {app: api}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
`;
const policies = file("policies.yaml", POLICIES);
const workloads = file("workloads.yaml", WORKLOADS);

/** Names of the policies of a configuration. */
function namesOf(config: { policies: { name: string }[] }): string[] {
  return config.policies.map(({ name }) => name);
}

describe("explain --policy", () => {
  test("allowed: code 0, the policy and rule", async () => {
    const { code, stdout } = await bailey(["explain", "--policy", policies, "--from", WEB, "--path", "/v1/7/items"]);
    assert.equal(code, 0);
    assert.equal(stdout, `GET /v1/7/items from spiffe://${WEB}\n  allowed\n    policy shop/web-to-api, rule 0, allows\n`);
  });
  test("denied: code 3, the nearest rule and the field that failed", async () => {
    const { code, stdout } = await bailey(["explain", "--policy", policies, "--from", WEB, "--method", "POST", "--path", "/v1/7/items"]);
    assert.equal(code, 3);
    assert.match(stdout, /denied\n {4}no ALLOW policy matches; the nearest is policy shop\/web-to-api, rule 0, which failed on to\.operation\.methods/);
    assert.match(stdout, /failed: to\.operation\.methods, found "POST"/);
  });
  test("what shadow policies would change", async () => {
    const { code, stdout } = await bailey(["explain", "--policy", policies, "--namespace", "shop", "--labels", "app=db", "--path", "/admin"]);
    assert.equal(code, 0);
    assert.match(stdout, /with shadow policies enforced: denied, by policy shop\/no-admin/);
  });
  test("a curl command, headers, claims, a body, as JSON", async () => {
    const config = file(
      "config.json",
      JSON.stringify({
        policies: [
          {
            name: "p",
            spec: {
              rules: [
                {
                  to: [{ operation: { methods: ["POST"], hosts: ["api.shop"] } }],
                  when: [
                    { key: "request.headers[x-team]", values: ["blue"] },
                    { key: "request.auth.claims[realm][roles]", values: ["admin"] },
                    { key: "request.jsonrpc.method", values: ["pay"] },
                  ],
                },
              ],
            },
          },
        ],
      }),
    );
    const curl = `curl http://api.shop/rpc -H 'content-type: application/json' -d '{"jsonrpc":"2.0","method":"pay","id":1}'`;
    const args = ["explain", "--policy", config, "--curl", curl, "--claims", '{"realm":{"roles":["admin"]}}', "--format", "json"];
    const allowed = await bailey([...args, "--header", "X-Team: blue"]);
    assert.equal(allowed.code, 0, allowed.stdout + allowed.stderr);
    assert.equal(JSON.parse(allowed.stdout).allowed, true);
    const denied = await bailey([...args, "--header", "X-Team: red"]);
    assert.equal(denied.code, 3);
    assert.equal(JSON.parse(denied.stdout).event.bailey.nearest.failed[0].field, "when.request.headers[x-team]");
  });
  test("a connection without HTTP", async () => {
    const tcp = file(
      "tcp.yaml",
      JSON.stringify({
        policies: [{ name: "db", spec: { rules: [{ from: [{ source: { principals: [WEB] } }], to: [{ operation: { ports: ["5432"] } }] }] } }],
      }),
    );
    assert.equal((await bailey(["explain", "--tcp", "--policy", tcp, "--from", WEB, "--port", "5432"])).code, 0);
    assert.equal((await bailey(["explain", "--tcp", "--policy", tcp, "--from", WEB, "--port", "5433"])).code, 3);
  });
  test("mistakes", async () => {
    const several = file("several.yaml", `${POLICIES}---\n${POLICIES.replace("web-to-api", "other").replace("app: api", "app: db")}`);
    const ambiguous = await bailey(["explain", "--policy", several]);
    assert.deepEqual(
      [ambiguous.code, ambiguous.stderr],
      [2, "bailey: the policies are for several workloads; say which one is called, by its namespace and labels\n"],
    );
    const path = await bailey(["explain", "--policy", policies, "--path", "x"]);
    assert.deepEqual([path.code, path.stderr], [2, 'bailey: request.path: found "x", expected a path that starts with /\n']);
    const claims = await bailey(["explain", "--policy", policies, "--claims", "[1]"]);
    assert.deepEqual([claims.code, claims.stderr], [2, 'bailey: --claims: found "[1]", expected a JSON object, as in {"sub":"alice"}\n']);
    const none = await bailey(["explain", "--policy", workloads]);
    assert.deepEqual([none.code, none.stderr], [2, `bailey: ${workloads}: found no policy\n`]);
  });
});

describe("test", () => {
  const case1 = `- name: web reads\n  to: {namespace: shop, labels: {app: api}}\n  request: {from: ${WEB}, path: /v1/7/items}\n  expect: allow\n  policy: web-to-api\n`;
  const case2 = "- name: the database is open\n  to: {namespace: shop, labels: {app: db}}\n  request: {path: /admin}\n  expect: allow\n  shadow: deny\n";

  test("all as expected: code 0", async () => {
    const { code, stdout } = await bailey(["test", policies, file("cases.yaml", case1 + case2)]);
    assert.deepEqual([code, stdout], [0, "2 passed, 0 failed\n"]);
  });
  test("what is not as expected is said with its reason: code 1", async () => {
    const wrong =
      case1.replace("expect: allow", "expect: deny").replace("policy: web-to-api", "policy: no-admin") + case2.replace("shadow: deny", "shadow: allow");
    const { code, stdout } = await bailey(["test", policies, file("wrong.yaml", wrong)]);
    assert.equal(code, 1);
    assert.match(stdout, /failed: web reads\n {2}expected deny, was allow\n {2}expected policy no-admin to decide, was shop\/web-to-api\n {2}allowed\n/);
    assert.match(stdout, /failed: the database is open\n {2}expected allow with shadow policies enforced, was deny\n/);
    assert.match(stdout, /0 passed, 2 failed\n$/);
  });
  test("the example of the documentation", async () => {
    const { code, stdout } = await bailey(["test", join(ROOT, "docs/examples/policies.yaml"), join(ROOT, "docs/examples/cases.yaml")]);
    assert.deepEqual([code, stdout], [0, "5 passed, 0 failed\n"]);
  });
  test("mistakes in the table, with their place", async () => {
    const places: [string, string][] = [
      ["- request: {path: /}\n  expect: maybe\n", '[0].expect: found "maybe", expected allow or deny'],
      ["- request: {path: /}\n  expect: deny\n- request: {pth: /}\n  expect: deny\n", "[1].request.pth: unknown key, expected one of from, method"],
      ["- {expect: deny}\n", "[0].request: expected an object"],
      ["{}\n", "expected a list of cases with name, request and expect"],
    ];
    for (const [text, message] of places) {
      const table = file("bad-cases.yaml", text);
      const { code, stderr } = await bailey(["test", policies, "--namespace", "shop", "--labels", "app=api", table]);
      assert.equal(code, 2);
      assert.ok(stderr.startsWith(`bailey: ${table}: ${message}`), stderr);
    }
  });
});

describe("convert", () => {
  test("one configuration for each group of workloads that the same policies apply to", async () => {
    const { code, stdout } = await bailey(["convert", policies, workloads]);
    assert.equal(code, 0);
    assert.match(stdout, /^# namespace shop: deployment api\n/);
    const [api, db] = parseAllDocuments(stdout).map((document) => document.toJS());
    assert.deepEqual(namesOf(api), ["web-to-api", "no-admin"]);
    assert.deepEqual(namesOf(db), ["no-admin"]);
    assert.equal(db.policies[0].mode, "shadow");
    assert.equal(api.policies[0].spec.selector, undefined);
  });
  test("there and back again is the same", async () => {
    const forth = await bailey(["convert", policies, "--namespace", "shop", "--labels", "app=api"]);
    const back = await bailey(["convert", file("forth.yaml", forth.stdout), "--labels", "app=api"]);
    assert.equal(back.code, 0);
    const made = parseAllDocuments(back.stdout).map((document) => document.toJS());
    const given = parseAllDocuments(POLICIES).map((document) => document.toJS());
    // the second had no selector: it is for this workload now
    given[1].spec.selector = { matchLabels: { app: "api" } };
    assert.deepEqual(made, given);
  });
  test("what Istio cannot say is refused, with its place", async () => {
    const own = { name: "p", namespace: "shop", spec: { rules: [{ when: [{ key: "request.path", matches: ["/a+"] }] }] } };
    const { code, stderr } = await bailey(["convert", file("own.json", JSON.stringify({ policies: [own] }))]);
    assert.equal(code, 1);
    assert.match(stderr, /pluginConfig\.policies\[0\]\.spec\.rules\[0\]\.when\[0\]\.key: request\.path is Bailey's own; AuthorizationPolicy cannot say it/);
  });
  test("deny by default becomes a policy that allows nothing", async () => {
    const deny = { name: "d", namespace: "shop", spec: { action: "DENY", rules: [{}] } };
    const { stdout } = await bailey(["convert", file("deny.json", JSON.stringify({ default: "deny", policies: [deny] }))]);
    const [, nothing] = parseAllDocuments(stdout).map((document) => document.toJS());
    assert.deepEqual(nothing.metadata, { name: "allow-nothing", namespace: "shop" });
    assert.deepEqual(nothing.spec, {});
  });
  test("CUSTOM stays with Istio, and a bad policy is named", async () => {
    const custom = file(
      "custom.yaml",
      `${POLICIES}---\n${POLICIES.replace("web-to-api", "ask").replace("  selector", "  action: CUSTOM\n  provider: {name: opa}\n  selector")}`,
    );
    const { code, stderr } = await bailey(["convert", custom, workloads]);
    assert.equal(code, 0);
    assert.match(stderr, /shop\/ask is left out: action CUSTOM asks a server of yours; keep it with Istio/);
    const bad = await bailey(["convert", file("bad.yaml", POLICIES.replace("methods: [GET]", "methds: [GET]"))]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /shop\/web-to-api: spec\.rules\[0\]\.to\[0\]\.operation\.methds: unknown key/);
  });
  test("policies of the root namespace and of a waypoint's services are found as Istio finds them", async () => {
    const mesh = POLICIES.replace("metadata: {name: web-to-api, namespace: shop}", "metadata: {name: everywhere, namespace: istio-system}").replace(
      "  selector: {matchLabels: {app: api}}\n",
      "",
    );
    const ofService = POLICIES.replace("web-to-api", "of-cart").replace("selector: {matchLabels: {app: api}}", "targetRefs: [{kind: Service, name: cart}]");
    const all = file("attached.yaml", [POLICIES, mesh, ofService].join("---\n").replaceAll("name: no-admin", "name: z"));
    const sidecar = await bailey(["convert", all, "--namespace", "shop", "--labels", "app=api"]);
    assert.deepEqual(namesOf(parse(sidecar.stdout)), ["everywhere", "web-to-api", "z", "z", "z"]);
    const waypoint = await bailey(["convert", all, "--namespace", "shop", "--labels", "gateway.networking.k8s.io/gateway-name=way", "--service", "cart"]);
    assert.deepEqual(namesOf(parse(waypoint.stdout)), ["of-cart"]);
  });
  test("from a cluster, with the mesh's trust domain", async () => {
    const path = join(folder, "bin");
    mkdirSync(path, { recursive: true });
    const items = [...parseAllDocuments(POLICIES), ...parseAllDocuments(WORKLOADS)].map((document) => document.toJS());
    const list = file("list.json", JSON.stringify({ kind: "List", items }));
    const mesh = file(
      "mesh.json",
      JSON.stringify({ kind: "List", items: [{ data: { mesh: "trustDomain: corp.example\ntrustDomainAliases: [old.example]\n" } }] }),
    );
    const script = file(
      "bin/kubectl",
      `#!/bin/sh\ncase "$*" in *configmaps*) cat ${mesh};; *"--context prod get authorizationpolicies"*) cat ${list};; *) echo "error: no such context" >&2; exit 1;; esac\n`,
    );
    chmodSync(script, 0o755);
    const env = { PATH: `${path}:${process.env.PATH}` };
    const { code, stdout } = await bailey(["convert", "--cluster", "--context", "prod", "--format", "json"], "", env);
    assert.equal(code, 0);
    const [api] = JSON.parse(stdout);
    assert.equal(api.workloads[0].name, "deployment api");
    assert.equal(api.pluginConfig.trustDomain, "corp.example");
    assert.deepEqual(api.pluginConfig.trustDomainAliases, ["old.example"]);
    const failed = await bailey(["convert", "--cluster", "--context", "bogus"], "", env);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /^bailey: kubectl --context bogus get .* failed: error: no such context\n$/);
    const none = await bailey(["convert", "--cluster"], "", { PATH: "/nonexistent" });
    assert.match(none.stderr, /kubectl is not installed; install it, or give files/);
  });
  test("nothing to convert, both kinds, no policy", async () => {
    assert.match((await bailey(["convert"])).stderr, /nothing to convert: give files, or --cluster/);
    assert.match((await bailey(["convert", workloads])).stderr, /found no AuthorizationPolicy/);
    assert.match((await bailey(["convert", policies, file("own2.json", '{"policies":[]}')])).stderr, /give one or the other/);
  });
});

describe("lint", () => {
  test("policies and configurations of the mesh filter, good and bad", async () => {
    assert.equal((await bailey(["lint", policies])).stdout, "1 file(s): nothing wrong\n");
    const bad = file("bad-policy.yaml", POLICIES.replace("methods: [GET]", "methds: [GET]"));
    const config = file("bad-mesh.json", JSON.stringify({ policies: [{ name: "p", spec: { rules: [{ when: [{ key: "bogus" }] }] } }] }));
    const { code, stdout } = await bailey(["lint", bad, config]);
    assert.equal(code, 1);
    assert.match(stdout, /bad-policy\.yaml: shop\/web-to-api: spec\.rules\[0\]\.to\[0\]\.operation\.methds: unknown key/);
    assert.match(stdout, /bad-mesh\.json: pluginConfig\.policies\[0\]\.spec\.rules\[0\]\.when\[0\]\.key/);
  });
});
