/** What someone with an Istio cluster does: apply, tune, roll back, and see that it works. */
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import type { FilterName } from "../../cli/build/assemble.ts";
import { WASM } from "../../cli/build/build.ts";
import { layerOf } from "../../cli/oci/layer.ts";
import { pushLayer } from "../../cli/oci/registry.ts";
import { ROOT } from "../../cli/paths.ts";
import { run } from "../../cli/process.ts";
import { EXAMPLE, secretIntent } from "../manifests/intents.ts";
import { Client, type Reply } from "./client.ts";
import { Cluster } from "./cluster.ts";
import { type Running, startProgram, until } from "./process.ts";
import { ensureTools, type Tools } from "./setup.ts";
import { startWorld, type World } from "./world.ts";

const REGISTRY = "127.0.0.1:5000";
const ATTACK = "/?id=1%27%20OR%201=1--";

let tools: Tools;
let folder: string;
let cluster: Cluster;
let world: World;
let registry: Running;
/** A user's copy of manifests/. */
let manifests: string;
const client = new Client();

/** Runs `bailey` as a user of the cluster does. */
function baileyEnds(...args: string[]): ReturnType<typeof run> {
  const env = { ...process.env, ...cluster.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
  return run(process.execPath, [join(ROOT, "cli/bin.js"), ...args], { env });
}

async function bailey(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await baileyEnds(...args);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

/** There is no kubelet, so `kubectl exec ... request GET path` asks the proxy's admin interface itself. */
async function installKubectl(): Promise<void> {
  const cases = [world.gateway, world.web, world.api].map(
    ({ place }) => `*"exec ${place.name} "*) exec curl -s "http://127.0.0.1:${15000 + place.index * 100}$last";;`,
  );
  await mkdir(join(folder, "bin"));
  const script = `#!/bin/sh\nfor last; do :; done\ncase "$*" in ${cases.join(" ")} *) exec ${tools.kubectl} "$@";; esac\n`;
  await writeFile(join(folder, "bin", "kubectl"), script, { mode: 0o755 });
}

/** Writes a kustomization of the user's on top of an overlay, and gives its folder. */
async function overlay(name: string, kustomization: object): Promise<string> {
  const own = join(manifests, name);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, "kustomization.yaml"), stringify({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", ...kustomization }));
  return own;
}

/** Calls the API, from the web front where nothing else is said, without a pause. `end` gives the statuses that were not 200. */
function startLoad(send = (): Promise<Reply> => client.fromWeb({ path: "/items/1" })): { end(): Promise<number[]> } {
  const failed: number[] = [];
  let running = true;
  const call = async (): Promise<void> => {
    while (running) {
      const { status } = await send();
      if (status !== 200) failed.push(status);
    }
  };
  const calls = [call(), call()];
  return {
    end: async () => {
      running = false;
      await Promise.all(calls);
      return failed;
    },
  };
}

/** Publishes a filter as another version: the same code, and a section that a VM passes over. Gives its digest, and a copy of manifests/ that names it. */
async function pushNextVersion(filter: FilterName): Promise<{ sha256: string; copy: string }> {
  const name = Buffer.from("next version");
  const wasm = Buffer.concat([await readFile(WASM[filter]), Buffer.from([0, name.length + 1, name.length]), name]);
  const sha256 = await pushLayer(tools.crane, `${REGISTRY}/bailey/${filter}:next`, await layerOf({ "plugin.wasm": wasm }), true);
  const copy = join(folder, `next-${filter}`);
  await cp(manifests, copy, { recursive: true });
  await writeFile(join(copy, "base", filter, "image.env"), `URL=oci://${REGISTRY}/bailey/${filter}:next\nSHA256=${sha256}\n`);
  return { sha256, copy };
}

const POLICIES = [
  {
    name: "readers",
    namespace: "shop",
    spec: {
      action: "ALLOW",
      rules: [
        { from: [{ source: { serviceAccounts: ["shop/web"] } }], to: [{ operation: { methods: ["GET"], paths: ["/items/{*}"] } }] },
        { from: [{ source: { serviceAccounts: ["istio-system/gateway"] } }] },
      ],
    },
  },
];

/** The user's policies for a namespace, as a patch of an overlay. */
function withPolicies(overlayName: string, config: object): object {
  return {
    namespace: "shop",
    resources: [`../overlays/${overlayName}`],
    patches: [{ target: { kind: "WasmPlugin" }, patch: stringify([{ op: "replace", path: "/spec/pluginConfig", value: config }]) }],
  };
}

before(async () => {
  tools = await ensureTools(() => undefined);
  folder = await mkdtemp(join(tmpdir(), "bailey-istio-"));
  manifests = join(folder, "manifests");
  await cp(join(ROOT, "manifests"), manifests, { recursive: true });
  registry = await startProgram("registry", folder, tools.crane, ["registry", "serve", "--address", REGISTRY]);
  cluster = await Cluster.start(tools, folder);
  world = await startWorld(cluster, tools);
  await installKubectl();
  await until("the gateway to route", 30, async () => ((await client.throughGateway("/items/1")).status === 200 ? true : undefined));
  await until("the web front to reach the API", 30, async () => ((await client.fromWeb({ path: "/items/1" })).status === 200 ? true : undefined));
});

after(async () => {
  await world?.stop();
  await cluster?.stop();
  await registry?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

describe("delivery", () => {
  test("bailey push publishes the filters, twice the same", async () => {
    const first = await bailey("push", `${REGISTRY}/bailey`, "--insecure", "--manifests", manifests);
    assert.equal(first.match(/^oci:\/\/127\.0\.0\.1:5000\/bailey\/(ngfw|mesh|mesh-tcp):\S+ sha256:[0-9a-f]{64}$/gm)?.length, 3);
    assert.equal(await bailey("push", `${REGISTRY}/bailey`, "--insecure", "--manifests", manifests), first);
  });

  test("what bailey render writes is accepted, by the definitions and by Istio's webhook", async () => {
    // the definitions have nothing against it
    const wrong = {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name: "x", namespace: "shop" },
      spec: { rules: [{ when: [{ key: "bogus", values: ["x"] }] }] },
    };
    await until("the webhook to refuse what is wrong", 30, async () => {
      const refusal = await cluster.dryRun([wrong]).then(
        () => "",
        (error: Error) => error.message,
      );
      if (!refusal.includes("validation.istio.io")) throw new Error(refusal === "" ? "it is accepted" : refusal);
      return true;
    });
    await cluster.apply(["bank", "istio-system"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })));
    await cluster.dryRun(await bailey("render", EXAMPLE));
    const secret = join(folder, "secret.yaml");
    await writeFile(secret, stringify(secretIntent()));
    await cluster.dryRun(await bailey("render", secret));
  });
});

describe("the firewall on the gateway", () => {
  test("an attack gets through without it", async () => {
    assert.equal((await client.throughGateway(ATTACK)).status, 200);
  });

  test("kubectl apply -k overlays/edge: attacks are blocked, requests are not", async () => {
    await cluster.kubectl("apply", "-k", join(manifests, "overlays/edge"));
    await until("the firewall to block", 60, async () => ((await client.throughGateway(ATTACK)).status === 403 ? true : undefined));
    assert.equal((await client.throughGateway("/items/1")).status, 200);
    const event = await until("its event", 5, async () => /\{"@timestamp".*"action":"blocked".*\}/.exec(await world.gateway.program.log())?.[0]);
    assert.match(event, /"id":"949110"/);
  });

  test("bailey doctor says that it is loaded, from the cluster and from Envoy", async () => {
    const seen = /ok: istio-system\/bailey-ngfw in istio-system\/gateway: enforce at paranoia level 1, \d+ requests seen/;
    assert.match(await bailey("doctor"), seen);
    assert.match(await bailey("doctor", "--admin", "127.0.0.1:15100"), /ok: \S*istio-system\.bailey-ngfw\S*: enforce at paranoia level 1/);
  });

  test("bailey rollout --percent: the next version looks at some requests too, beside the one that is there", async () => {
    const { sha256, copy } = await pushNextVersion("ngfw");
    const load = startLoad(() => client.throughGateway("/items/1"));
    const said = await bailey("rollout", "--percent", "50", "--manifests", copy);
    assert.equal(said, `istio-system/bailey-ngfw-canary: ${sha256}, 50 % of requests\n`);
    for (let i = 0; i < 20; i++) {
      assert.equal((await client.throughGateway(ATTACK)).status, 403);
      assert.equal((await client.throughGateway("/items/1")).status, 200);
    }
    const doctor = await bailey("doctor");
    assert.match(doctor, /^ok: istio-system\/bailey-ngfw in istio-system\/gateway/m);
    assert.match(doctor, /^ok: istio-system\/bailey-ngfw-canary in istio-system\/gateway/m);
    const wrong = await baileyEnds("rollout", "bailey-mesh", "--percent", "50", "--manifests", copy);
    assert.match(wrong.stderr, /bailey-mesh: no such plugin of the firewall: a percentage is for the firewall/);
    assert.equal(await bailey("rollout", "--undo"), "istio-system/bailey-ngfw: the trial has ended\n");
    assert.deepEqual(await load.end(), []);
    assert.equal((await client.throughGateway(ATTACK)).status, 403);
  });

  test("an image with another digest is not loaded: everything is denied, and the doctor says why", async () => {
    const digest = (value: string): Promise<string> =>
      cluster.kubectl("patch", "wasmplugin", "bailey-ngfw", "-n", "istio-system", "--type=merge", "-p", JSON.stringify({ spec: { sha256: value } }));
    const before = await cluster.kubectl("get", "wasmplugin", "bailey-ngfw", "-n", "istio-system", "-o", "jsonpath={.spec.sha256}");
    await digest("0".repeat(64));
    await until("everything to be denied", 60, async () => ((await client.throughGateway("/items/1")).status === 403 ? true : undefined));
    const { code, stdout } = await baileyEnds("doctor");
    assert.equal(code, 1);
    assert.match(
      stdout,
      /error: istio-system\/bailey-ngfw in istio-system\/gateway: the image was not fetched, or has another digest; everything is denied in its place/,
    );
    await digest(before);
    await until("requests to pass again", 60, async () => ((await client.throughGateway("/items/1")).status === 200 ? true : undefined));
  });

  test("kubectl apply -k overlays/detect-only: the same attack is reported and passes", async () => {
    await cluster.kubectl("apply", "-k", join(manifests, "overlays/detect-only"));
    await until("the attack to pass", 60, async () => ((await client.throughGateway(ATTACK)).status === 200 ? true : undefined));
    await until("its event", 5, async () => (await world.gateway.program.log()).includes('"action":"would_block"') || undefined);
  });
});

describe("a firewall that holds headers", () => {
  const body = "comment=<script>alert(1)</script>";
  const attack = (): Promise<{ status: number }> => client.throughGateway("/comment", {}, { method: "POST", body });
  /** Requests that the API has seen anything of. */
  const seen = (): number => world.served.filter(({ line }) => line === "POST /comment").length;

  test("as bailey render writes it, the service sees nothing of a request that is blocked for its body", async () => {
    const intent = join(folder, "bailey.yaml");
    const edge = [{ name: "hold", namespace: "istio-system", labels: { istio: "ingressgateway" }, mode: "enforce", holdHeaders: true }];
    const [, tag = ""] = /ngfw:(\S+) /.exec(await bailey("push", `${REGISTRY}/bailey`, "--insecure", "--manifests", manifests)) ?? [];
    await writeFile(intent, stringify({ images: { repository: `${REGISTRY}/bailey`, tag }, edge }));
    const change = await baileyEnds("render", intent, "--diff");
    assert.equal(change.code, 1);
    assert.match(change.stdout, /^\+kind: EnvoyFilter$/m);
    await cluster.apply(await bailey("render", intent));
    await until("the attack to be blocked", 60, async () => ((await attack()).status === 403 ? true : undefined));
    assert.match(await bailey("doctor"), /^ok: istio-system\/bailey-hold in istio-system\/gateway: enforce at paranoia level 1/m);
    const before = seen();
    for (let i = 0; i < 5; i++) assert.equal((await attack()).status, 403);
    assert.equal(seen(), before);
    assert.equal((await client.throughGateway("/comment", {}, { method: "POST", body: "comment=hello" })).status, 200);
    assert.equal(seen(), before + 1);
    await cluster.kubectl("delete", "envoyfilter", "bailey-hold", "-n", "istio-system");
    await until("the attack to pass again", 60, async () => ((await attack()).status === 200 ? true : undefined));
  });
});

describe("authorization between services", () => {
  test("in shadow everything passes, and what would be denied is said", async () => {
    await cluster.kubectl("apply", "-k", await overlay("mine", withPolicies("mesh", { mode: "shadow", default: "deny", policies: POLICIES })));
    await until("the event of a shadow denial", 60, async () => {
      assert.equal((await client.fromWeb({ method: "POST", path: "/items/1" })).status, 200);
      return (await world.api.program.log()).includes('"action":"would_deny"') || undefined;
    });
  });

  test("enforced: by identity, method and path", async () => {
    await cluster.kubectl("apply", "-k", await overlay("mine", withPolicies("mesh", { default: "deny", policies: POLICIES })));
    const denied = await until("a denial", 60, async () => {
      const answer = await client.fromWeb({ method: "POST", path: "/items/1" });
      return answer.status === 403 ? answer : undefined;
    });
    assert.match(denied.body, /^access denied, id \S+\n$/);
    assert.equal((await client.fromWeb({ path: "/items/1" })).status, 200);
    assert.equal((await client.fromWeb({ path: "/admin" })).status, 403);
    assert.equal((await client.throughGateway("/admin")).status, 200, "the gateway has an identity of its own");
    assert.ok(world.served.some(({ line }) => line === "GET /admin"));
    // components/metric-labels
    assert.match(await world.api.admin("/stats/prometheus"), /^bailey_mesh_policy\{[^}]*bailey_policy="shop\/readers"[^}]*\} \d+$/m);
  });

  test("an edited pluginConfig applies live, without a failed request", async () => {
    const load = startLoad();
    const policies = structuredClone(POLICIES);
    policies[0]?.spec.rules[0]?.to?.[0]?.operation.methods.push("POST");
    await cluster.kubectl("apply", "-k", await overlay("mine", withPolicies("mesh", { default: "deny", policies })));
    await until("the new policy", 60, async () => ((await client.fromWeb({ method: "POST", path: "/items/1" })).status === 200 ? true : undefined));
    assert.deepEqual(await load.end(), []);
  });

  test("bailey rollout: another version of the filter comes and goes, without a failed request", async () => {
    const { sha256, copy } = await pushNextVersion("mesh");
    const load = startLoad();
    const file = async (): Promise<string> => /"filename": "([^"]*)"/.exec(await world.api.admin("/config_dump?resource=ecds_filters"))?.[1] ?? "";
    const old = await file();
    assert.equal(await bailey("rollout", "--namespace", "shop", "--manifests", copy), `shop/bailey-mesh: ${sha256}\n`);
    assert.ok((await file()).includes(sha256));
    assert.equal((await client.fromWeb({ path: "/admin" })).status, 403, "it decides like the one before");
    assert.equal(await bailey("rollout", "bailey-mesh", "--namespace", "shop", "--manifests", copy), `shop/bailey-mesh: has ${sha256} already\n`);
    assert.match(await bailey("rollout", "--undo", "--namespace", "shop"), /^shop\/bailey-mesh: back to [0-9a-f]{64}\n$/);
    assert.equal(await file(), old);
    assert.equal((await client.fromWeb({ path: "/admin" })).status, 403);
    assert.deepEqual(await load.end(), []);
  });

  test("a bad configuration is refused, and the old one goes on", async () => {
    const rule = { to: [{ operation: { methds: ["GET"] } }] };
    await cluster.kubectl(
      "apply",
      "-k",
      await overlay("mine", withPolicies("mesh", { default: "deny", policies: [{ name: "bad", spec: { rules: [rule] } }] })),
    );
    await until(
      "the refusal",
      60,
      async () => (await world.api.program.log()).includes("pluginConfig.policies[0].spec.rules[0].to[0].operation.methds: unknown key") || undefined,
    );
    assert.equal((await client.fromWeb({ path: "/items/1" })).status, 200);
    assert.equal((await client.fromWeb({ path: "/admin" })).status, 403);
    const { code, stdout } = await baileyEnds("doctor");
    assert.equal(code, 1);
    assert.match(
      stdout,
      /error: shop\/bailey-mesh in shop\/api: the filter refuses its configuration: pluginConfig\.policies\[0\]\.spec\.rules\[0\]\.to\[0\]\.operation\.methds: unknown key/,
    );
    // Envoy refuses other changes of the listener too, as long as one of its filters refuses its configuration
    await cluster.kubectl("apply", "-k", await overlay("mine", withPolicies("mesh", { default: "deny", policies: POLICIES })));
    await until("the mended policy", 60, async () => ((await client.fromWeb({ method: "POST", path: "/items/1" })).status === 403 ? true : undefined));
  });

  test("connections without HTTP: by identity", async () => {
    assert.equal(await client.say("hello"), "hello");
    const only = (account: string): object =>
      withPolicies("mesh-tcp", {
        default: "deny",
        policies: [{ name: "db", namespace: "shop", spec: { rules: [{ from: [{ source: { serviceAccounts: [account] } }] }] } }],
      });
    await cluster.kubectl("apply", "-k", await overlay("tcp", only("other")));
    await until("the connection to be closed", 60, async () => ((await client.say("hello")) === "" ? true : undefined));
    await cluster.kubectl("apply", "-k", await overlay("tcp", only("web")));
    assert.equal((await client.throughGateway("/items/1")).status, 200, "its port is the only one");
    await until("the connection to be let through", 60, async () => ((await client.say("hello")) === "hello" ? true : undefined));
  });
});

describe("from without and within, together", () => {
  const HEADER = "x-bailey-edge";
  const policies = [
    {
      name: "inspected",
      spec: {
        rules: [
          {
            from: [{ source: { serviceAccounts: ["istio-system/gateway"] } }],
            when: [
              { key: "edge.inspected", values: ["full"] },
              { key: "edge.score", values: ["<3"] },
            ],
          },
          { from: [{ source: { serviceAccounts: ["shop/web"] } }], to: [{ operation: { methods: ["GET"] } }] },
        ],
      },
    },
  ];
  const edge = [
    {
      name: "together",
      namespace: "istio-system",
      labels: { istio: "ingressgateway" },
      mode: "enforce",
      identity: "cluster.local/ns/istio-system/sa/gateway",
      findings: true,
    },
  ];
  const mesh = [{ name: "together", namespace: "shop", labels: { app: "api" }, mode: "enforce", policies, inspection: { mode: "enforce" } }];
  const quarantine = { violations: 3, seconds: 60, duration: 600 };
  let rendered = "";
  const last = (): string | undefined => world.served.at(-1)?.headers[HEADER] as string | undefined;

  before(async () => {
    // what the parts before this one applied would decide too
    for (const folder of ["mine", "tcp", "overlays/detect-only"]) await cluster.kubectl("delete", "-k", join(manifests, folder), "--ignore-not-found");
    const digests = Object.fromEntries(
      await Promise.all(
        ["ngfw", "mesh", "mesh-tcp"].map(async (filter) => [
          filter,
          /^SHA256=(\S+)$/m.exec(await readFile(join(manifests, "base", filter, "image.env"), "utf8"))?.[1] ?? "",
        ]),
      ),
    );
    const [, tag = ""] = /^URL=.*:(\S+)$/m.exec(await readFile(join(manifests, "base/mesh/image.env"), "utf8")) ?? [];
    const intent = join(folder, "together.yaml");
    await writeFile(intent, stringify({ images: { repository: `${REGISTRY}/bailey`, tag, digests }, edge, mesh, quarantine }));
    rendered = join(folder, "together-rendered.yaml");
    await writeFile(rendered, await bailey("render", intent));
    await cluster.kubectl("apply", "-f", rendered);
  });

  test("a policy takes from the gateway what it inspected, and the service can read it", async () => {
    await until("the findings", 60, async () => ((await client.throughGateway("/")).status === 200 && last() !== undefined ? true : undefined));
    assert.match(last() ?? "", /^inspected=full, score=0, threshold=5, client="10\.77\.0\.\d+"$|^inspected=full, score=0, threshold=5, client="127\.0\.0\.1"$/);
  });

  test("and refuses what scores too high, with what the gateway found in its event", async () => {
    const host = { host: "192.0.2.80" };
    await until("the policy", 60, async () => ((await client.throughGateway("/scored", host)).status === 403 ? true : undefined));
    assert.equal((await client.throughGateway("/items/1")).status, 200);
    const event = await until("the event", 5, async () => /\{"@timestamp".*"path":"\/scored".*\}/.exec(await world.api.program.log())?.[0]);
    assert.match(event, /failed on when\.edge\.score/);
    assert.match(event, /"edge":\{"inspected":"full","score":3,"rules":"920350"/);
  });

  test("nobody can make findings up: not a client, and not a workload", async () => {
    const forged = { [HEADER]: "inspected=full, score=0", host: "192.0.2.80" };
    assert.equal((await client.throughGateway("/", forged)).status, 403);
    // connections that still drain have the policies of before
    await until("the policy for the web front", 60, async () => ((await client.fromWeb({ path: "/" })).status === 200 ? true : undefined));
    assert.equal((await client.fromWeb({ path: "/forged", headers: { [HEADER]: "inspected=full, score=0" } })).status, 200);
    assert.equal(world.served.at(-1)?.line, "GET /forged");
    assert.equal(last(), undefined, "it is taken away");
  });

  test("a workload that attacks is in quarantine by itself, and others are not", async () => {
    assert.equal((await client.fromWeb({ path: "/items/1" })).status, 200);
    await until("the quarantine", 60, async () => {
      await client.fromWeb({ path: ATTACK });
      return (await client.fromWeb({ path: "/items/1" })).status === 403 || undefined;
    });
    await until("its event", 5, async () => (await world.api.program.log()).includes('"reason":"the caller is in quarantine"') || undefined);
    assert.equal((await client.throughGateway("/items/1")).status, 200);
  });

  test("bailey doctor finds all of it loaded", async () => {
    const said = await bailey("doctor");
    for (const name of [
      "istio-system/bailey-together in istio-system/gateway",
      "shop/bailey-together in shop/api",
      "shop/bailey-together-inspection in shop/api",
    ])
      assert.match(said, new RegExp(`^ok: ${name}: `, "m"));
    await cluster.kubectl("delete", "-f", rendered);
    await until("it to be gone", 60, async () => {
      const answers = await Promise.all([client.fromWeb({ path: ATTACK }), client.fromWeb({ method: "POST" }), client.throughGateway("/items/1")]);
      return answers.every(({ status }) => status === 200) || undefined;
    });
  });
});

describe("quarantine", () => {
  test("one command, and nobody serves the workload any more; another, and everybody does", async () => {
    const web = "cluster.local/ns/shop/sa/web";
    assert.equal((await client.fromWeb({ path: "/items/1" })).status, 200);
    assert.equal(await bailey("quarantine", `spiffe://${web}`, "--manifests", manifests), `${web}\n`);
    await until("the calls of the workload to fail", 60, async () => ((await client.fromWeb({ path: "/items/1" })).status === 503 ? true : undefined));
    assert.equal(await client.say("hello"), "");
    assert.equal((await client.throughGateway("/items/1")).status, 200, "others are not concerned");
    await until("the event", 5, async () => (await world.api.program.log()).includes("policy istio-system/quarantine, rule 0, denies") || undefined);
    assert.equal(await bailey("quarantine"), `${web}\n`);
    assert.equal(await bailey("quarantine", web, "--isolate", "--manifests", manifests), `${web}\n`);
    const label = (): Promise<string> => cluster.kubectl("get", "pods", "-n", "shop", "-l", "bailey.dev/quarantine=true", "-o", "name");
    assert.equal(await label(), "pod/web\n");
    assert.equal(await cluster.kubectl("get", "networkpolicy", "-n", "shop", "-o", "name"), "networkpolicy.networking.k8s.io/bailey-isolation\n");
    assert.equal(await bailey("quarantine", web, "--release", "--manifests", manifests), "");
    assert.equal(await label(), "");
    await until("the calls to be served again", 60, async () => ((await client.fromWeb({ path: "/items/1" })).status === 200 ? true : undefined));
  });

  test("by what the proxies report, in the whole mesh", async () => {
    const log = join(folder, "together.log");
    await writeFile(log, await world.api.program.log());
    const intent = join(folder, "together.yaml");
    const command = `"${process.execPath}" cli/bin.js quarantine --follow "${intent}" --manifests "${manifests}" < "${log}"`;
    const { stdout, stderr } = await run("sh", ["-c", command], { cwd: ROOT, env: { ...process.env, ...cluster.env } });
    assert.equal(stdout, "cluster.local/ns/shop/sa/web: in quarantine\n", stderr);
    await until("the calls of the workload to fail", 60, async () => ((await client.fromWeb({ path: "/items/1" })).status === 503 ? true : undefined));
    await bailey("quarantine", "cluster.local/ns/shop/sa/web", "--release");
    await until("the calls to be served again", 60, async () => ((await client.fromWeb({ path: "/items/1" })).status === 200 ? true : undefined));
  });
});

describe("removal", () => {
  test("without the plugins everything is as before", async () => {
    await until("the plugins to be gone", 60, async () => {
      const attack = await client.throughGateway(ATTACK);
      const admin = await client.fromWeb({ path: "/admin" });
      return attack.status === 200 && admin.status === 200 ? true : undefined;
    });
    assert.match((await baileyEnds("doctor")).stdout, /^error: cluster: no plugin is Bailey's/);
  });
});
