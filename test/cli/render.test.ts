/** `bailey render`: an intent file to manifests that Istio's definitions and the filters accept. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse, parseAllDocuments, stringify } from "yaml";
import { ROOT } from "../../cli/paths.ts";
import { istioValidator, type Manifest } from "../manifests/crds.ts";
import { EXAMPLE, exampleIntent, secretIntent } from "../manifests/intents.ts";
import { published } from "../schema.ts";
import { bailey, file } from "./bailey.ts";

interface Plugin extends Manifest {
  spec: {
    url: string;
    sha256?: string;
    imagePullSecret?: string;
    failStrategy: string;
    match?: object[];
    selector?: object;
    targetRefs?: object[];
    phase: string;
    pluginConfig: { mode: string; policies: { name: string }[]; findings?: object; edge?: object; quarantine?: object; paranoiaLevel?: number };
  };
}

interface Schema {
  properties?: { [key: string]: Schema };
  items?: Schema;
}

/** Gives the paths of all keys of a schema, as in `edge[].mode`. */
function schemaKeys({ properties = {} }: Schema, path = ""): string[] {
  return Object.entries(properties).flatMap(([key, inner]) => [
    `${path}${key}`,
    ...schemaKeys(inner, `${path}${key}.`),
    ...(inner.items ? schemaKeys(inner.items, `${path}${key}[].`) : []),
  ]);
}

/** Gives the paths of all keys of a value, in the same form. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, `${path.slice(0, -1)}[].`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${path}${key}`, ...keysOf(inner, `${path}${key}.`)]);
}

async function rendered(path: string): Promise<Manifest[]> {
  const { code, stdout, stderr } = await bailey(["render", path]);
  assert.equal(code, 0, stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

describe("render", () => {
  test("the example, which has every key, is what Istio's definitions allow", async () => {
    const validate = await istioValidator();
    const made = await rendered(EXAMPLE);
    for (const manifest of made) assert.deepEqual(validate(manifest), [], manifest.metadata.name);
    assert.deepEqual(
      made.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
      [
        "WasmPlugin istio-system/bailey-ingress",
        "EnvoyFilter istio-system/bailey-ingress-findings",
        "EnvoyFilter istio-system/bailey-uploads",
        "WasmPlugin shop/bailey-partners",
        "WasmPlugin shop/bailey-catalogue",
        "WasmPlugin shop/bailey-orders",
        "WasmPlugin shop/bailey-orders-tcp",
        "WasmPlugin shop/bailey-orders-inspection",
        "WasmPlugin bank/bailey-bank",
        "EnvoyFilter shop/bailey-peer-address",
      ],
    );
  });

  test("the example and one with a secret for images have every key of the schema", async () => {
    const { schema } = published("bailey");
    const keys = new Set([...keysOf(exampleIntent()), ...keysOf(secretIntent())]);
    assert.deepEqual(
      schemaKeys(schema as Schema).filter((key) => !keys.has(key) && key !== "$schema"),
      [],
    );
    const validate = await istioValidator();
    const made = await rendered(file("secret.yaml", stringify(secretIntent())));
    for (const manifest of made) assert.deepEqual(validate(manifest), [], manifest.metadata.name);
    assert.equal((made[0] as Plugin).spec.imagePullSecret, "registry");
  });

  test("each part says what it must", async () => {
    const made = (await rendered(EXAMPLE)) as Plugin[];
    const plugin = (name: string): Plugin["spec"] => made.find(({ metadata }) => metadata.name === `bailey-${name}`)?.spec as Plugin["spec"];
    assert.equal(plugin("ingress").failStrategy, "FAIL_RELOAD");
    assert.equal(plugin("partners").failStrategy, "FAIL_OPEN", "what only reports must not get into the way");
    assert.deepEqual(plugin("partners").targetRefs, [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "partners" }]);
    assert.equal(plugin("ingress").url, "oci://registry.example/security/bailey/ngfw:0.1.0");
    assert.equal(plugin("ingress").sha256, "0".repeat(64));
    assert.deepEqual(
      plugin("catalogue").pluginConfig.policies.map(({ name }) => name),
      ["catalogue-readers", "no-administration"],
    );
    assert.deepEqual(plugin("orders-tcp").match, [{ mode: "SERVER", ports: [{ number: 5432 }] }]);
    assert.equal(plugin("bank").match, undefined);
    assert.equal(plugin("bank").pluginConfig.mode, "shadow", "until somebody says otherwise");
  });

  test("edge and mesh know of each other", async () => {
    const made = (await rendered(EXAMPLE)) as Plugin[];
    const plugin = (name: string): Plugin["spec"] => made.find(({ metadata }) => metadata.name === `bailey-${name}`)?.spec as Plugin["spec"];
    const gateway = "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
    assert.deepEqual(plugin("ingress").pluginConfig.findings, { header: "send", user: true });
    assert.equal(plugin("ingress").phase, "AUTHZ", "a user is known only after authentication");
    assert.equal(plugin("partners").phase, "AUTHN");
    assert.equal(plugin("partners").pluginConfig.findings, undefined);
    for (const name of ["catalogue", "orders", "orders-tcp", "bank"]) {
      assert.deepEqual(plugin(name).pluginConfig.edge, { gateways: [gateway] }, name);
      assert.deepEqual(plugin(name).pluginConfig.quarantine, { violations: 20, seconds: 60, duration: 600, except: [gateway] }, name);
    }
    const within = plugin("orders-inspection");
    assert.deepEqual(within.match, [{ mode: "SERVER" }]);
    assert.deepEqual(within.selector, { matchLabels: { app: "orders" } });
    assert.deepEqual(within.pluginConfig.findings, { header: "pass" }, "the mesh filter behind it judges");
    assert.deepEqual(within.pluginConfig.quarantine, { violations: 20, seconds: 60, duration: 600, except: [gateway] });
    assert.equal(within.pluginConfig.paranoiaLevel, 2);
  });

  test("what the pages show can be rendered", async () => {
    for (const page of ["README.md", "docs/istio.md"]) {
      const blocks = [...readFileSync(join(ROOT, page), "utf8").matchAll(/```yaml\n([^`]*)```/g)].map(([, block = ""]) => block);
      const intents = blocks.filter((block) => /^edge:/m.test(block) && /^mesh:/m.test(block));
      assert.equal(intents.length, 1, page);
      const text = `images: { repository: registry.example/bailey }\n${intents[0]}`;
      const { code, stderr } = await bailey(["render", file("page.yaml", text)]);
      assert.equal(code, 0, `${page}: ${stderr}`);
    }
  });

  test("the same intent gives the same bytes", async () => {
    assert.equal((await bailey(["render", EXAMPLE])).stdout, (await bailey(["render", EXAMPLE])).stdout);
  });

  test("what is wrong is said with its place, and nothing is written", async () => {
    const intent = (): Record<string, never> => parse(readFileSync(EXAMPLE, "utf8")).valueOf();
    const wrong: [(intent: never) => void, RegExp][] = [
      [
        (one: { images: object }) => Object.assign(one.images, { pullSecret: "x" }),
        /edge: uploads has holdHeaders, and an EnvoyFilter cannot name images\.pullSecret/,
      ],
      [(one: { edge: object[] }) => Object.assign(one.edge[1] ?? {}, { config: { crs: 1 } }), /istio-system\/bailey-uploads: pluginConfig\.crs: found 1/],
      [
        (one: { edge: { mode: string }[] }) => Object.assign(one.edge[0] ?? {}, { mode: "block" }),
        /edge\[0\]\.mode: found "block", expected one of detect, enforce/,
      ],
      [
        (one: { edge: { identity?: string }[] }) => delete one.edge[0]?.identity,
        /edge\[0\]: found .*, expected have property identity when property findings is present/,
      ],
      [(one: { edge: object[] }) => Object.assign(one.edge[2] ?? {}, { user: true }), /edge\[2\]: .*findings when property user is present/],
      [(one: { edge: object[] }) => Object.assign(one.edge[2] ?? {}, { identity: "*" }), /edge\[2\]\.identity: found "\*", expected match pattern/],
      [(one: { quarantine: object }) => Object.assign(one, { quarantine: {} }), /quarantine: violations is missing/],
      [(one: object) => Object.assign(one, { egde: [] }), /the file: unknown key egde/],
      [(one: { images: { repository?: string } }) => delete one.images.repository, /images: repository is missing/],
      [
        (one: { mesh: { labels?: object }[] }) => delete one.mesh[1]?.labels,
        /mesh: catalogue and orders are for the same workloads of namespace shop; each plugin decides alone/,
      ],
      [
        (one: { edge: { config: object }[] }) => Object.assign(one.edge[0]?.config ?? {}, { paranoiaLevel: 9 }),
        /istio-system\/bailey-ingress: pluginConfig\.paranoiaLevel: found 9/,
      ],
      [
        (one: { mesh: { policies: object[] }[] }) => one.mesh[1]?.policies.push({ name: "x", spec: { ruls: [] } }),
        /shop\/bailey-orders: pluginConfig\.policies\[1\]\.spec\.ruls: unknown key/,
      ],
    ] as never;
    for (const [damage, message] of wrong) {
      const one = intent();
      // the example names a file beside it
      const [catalogue] = one.mesh as unknown as { policyFiles?: string[] }[];
      delete catalogue?.policyFiles;
      damage(one as never);
      const { code, stdout, stderr } = await bailey(["render", file("intent.yaml", stringify(one))]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, message);
    }
  });
});
