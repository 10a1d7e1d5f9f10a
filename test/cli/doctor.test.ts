/** `bailey doctor` on a cluster that is a file: what can be wrong with a plugin. test:istio asks it about real ones. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bailey, file, folder } from "./bailey.ts";

const plugin = (name: string, spec: object): object => ({
  kind: "WasmPlugin",
  metadata: { name, namespace: "shop" },
  spec: { pluginName: "bailey.mesh", sha256: "a".repeat(64), selector: { matchLabels: { app: "api" } }, pluginConfig: {}, ...spec },
});
const pod = (name: string, labels: object): object => ({
  kind: "Pod",
  metadata: { name, namespace: "shop", labels },
  spec: { containers: [] },
  status: { phase: "Running" },
});

/** A dump of an Envoy that has one plugin. */
function dump(name: string, config: string): string {
  const wasm = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    config: {
      name: `shop.${name}`,
      root_id: "bailey.mesh",
      vm_config: { code: { local: { filename: `/x/${"a".repeat(64)}.wasm` } } },
      configuration: { value: config },
    },
  };
  return JSON.stringify({ configs: [{ ecds_filter: { name: `extensions.istio.io/trafficextension/shop.${name}~x`, typed_config: wasm } }] });
}

/** Runs the doctor with a `kubectl` that answers from files. */
async function doctor(items: object[], proxy: { dump: string; stats: string }): Promise<{ code: number | null; stdout: string }> {
  mkdirSync(join(folder, "bin"), { recursive: true });
  const [list, config, stats] = [file("items.json", JSON.stringify({ items })), file("dump.json", proxy.dump), file("stats.txt", proxy.stats)];
  const script = file("bin/kubectl", `#!/bin/sh\ncase "$*" in *config_dump) cat ${config};; *stats*) cat ${stats};; *) cat ${list};; esac\n`);
  chmodSync(script, 0o755);
  return bailey(["doctor"], "", { PATH: `${join(folder, "bin")}:${process.env.PATH}` });
}

const HEALTHY = { dump: dump("good", '{"mode":"shadow"}'), stats: "wasmcustom.bailey.mesh.configured: 2\nwasmcustom.bailey.mesh.requests: 7\n" };

describe("doctor", () => {
  test("a plugin that is loaded", async () => {
    const { code, stdout } = await doctor([plugin("good", {}), pod("api-1", { app: "api" })], HEALTHY);
    assert.deepEqual([code, stdout], [0, "ok: shop/good in shop/api-1: shadow, 0 policies, allow by default, 7 requests seen\n"]);
  });

  const WRONG: [string, object, object, { dump: string; stats: string }, RegExp][] = [
    [
      "a selector that matches nothing",
      { selector: { matchLabels: { app: "apl" } } },
      { app: "api" },
      HEALTHY,
      /error: shop\/good: no running pod is selected/,
    ],
    [
      "the wrong match mode on a gateway",
      { match: [{ mode: "SERVER" }] },
      { app: "api", istio: "ingressgateway" },
      HEALTHY,
      /error: shop\/good: match mode SERVER never applies on a gateway/,
    ],
    [
      "a filter for connections without ports",
      { type: "NETWORK" },
      { app: "api" },
      HEALTHY,
      /warning: shop\/good: without ports it decides about connections of HTTP too/,
    ],
    ["no digest", { sha256: "" }, { app: "api" }, HEALTHY, /warning: shop\/good: no sha256/],
    ["another digest", { sha256: "b".repeat(64) }, { app: "api" }, HEALTHY, /error: shop\/good in shop\/api-1: it runs \/x\/a+\.wasm, expected digest b+/],
    [
      "a refused configuration",
      { pluginConfig: { mode: "on" } },
      { app: "api" },
      HEALTHY,
      /error: shop\/good: pluginConfig is refused: pluginConfig\.mode: found `on`/,
    ],
    ["a proxy without the plugin", {}, { app: "api" }, { ...HEALTHY, dump: '{"configs":[]}' }, /error: shop\/good in shop\/api-1: the proxy does not have it/],
    [
      "a VM that never started",
      {},
      { app: "api" },
      { ...HEALTHY, stats: "" },
      /error: shop\/good in shop\/api-1: the filter is in the configuration and has never started/,
    ],
    [
      "a VM that failed while it ran",
      {},
      { app: "api" },
      { ...HEALTHY, stats: `${HEALTHY.stats}wasm.shop.good.vm_reload_success: 2\nwasm.shop.other.vm_reload_success: 7\n` },
      /error: shop\/good in shop\/api-1: its VM failed; 2 times a new one was started, 0 times in vain/,
    ],
    [
      "requests that could not be decided",
      {},
      { app: "api" },
      { ...HEALTHY, stats: `${HEALTHY.stats}wasmcustom.bailey.mesh.errors: 3\n` },
      /warning: shop\/good in shop\/api-1: 3 requests could not be decided/,
    ],
  ];
  for (const [name, spec, labels, proxy, message] of WRONG) {
    test(name, async () => {
      const { code, stdout } = await doctor([plugin("good", spec), pod("api-1", labels)], proxy);
      assert.match(stdout, message);
      assert.equal(code, message.source.startsWith("error") ? 1 : 0);
    });
  }

  test("what is no Envoy", async () => {
    const server = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await bailey(["doctor", "--admin", `127.0.0.1:${port}`]);
    server.close();
    assert.deepEqual([code, stderr], [1, `bailey: http://127.0.0.1:${port}/config_dump answers 404; is it an Envoy's admin interface?\n`]);
    const nobody = await bailey(["doctor", "--admin", `127.0.0.1:${port}`]);
    assert.match(nobody.stderr, /does not answer as an Envoy's admin interface: connect ECONNREFUSED/);
  });
});
