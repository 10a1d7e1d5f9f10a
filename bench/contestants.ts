/** Who is measured: proxies with something in them, and the same proxies with nothing, to compare with. */
import { readFile } from "node:fs/promises";
import { freePort, startEnvoy } from "../cli/envoy/envoy.ts";
import { NGFW_WASM } from "../cli/paths.ts";
import { ensureModSecurity, type Server, startProxy } from "./programs.ts";

export interface Contestant {
  name: string;
  /** Name of the proxy without anything that this one is compared with; itself for such a proxy. */
  base: string;
  start: (upstreamPort: number, workers?: number) => Promise<Server>;
}

const ENFORCE = { mode: "enforce", host: { holdHeaders: true } };
const FURTHER_RULES = 2000;

function envoy(name: string, wasm: string | undefined, config: string): Contestant {
  const start = async (upstreamPort: number, workers = 1): Promise<Server> => {
    const begin = performance.now();
    const running = await startEnvoy({
      port: await freePort(),
      adminPort: await freePort(),
      upstream: { host: "127.0.0.1", port: upstreamPort },
      wasm,
      config,
      concurrency: workers,
    });
    return { port: running.port, pid: running.pid, startMs: performance.now() - begin, stop: () => running.stop() };
  };
  return { name, base: "bare", start };
}

/** Rules as users write them, each about an argument of its own or about all of them. */
export function furtherRules(): string {
  return Array.from({ length: FURTHER_RULES }, (_, i) => {
    const id = 10000 + i;
    const target = i % 4 === 0 ? "ARGS" : i % 4 === 1 ? `ARGS:field_${i}` : i % 4 === 2 ? `REQUEST_HEADERS:X-Header-${i % 100}` : "REQUEST_COOKIES";
    return `SecRule ${target} "@rx (?i)\\b(?:forbidden|banned)_${i}\\s*=\\s*[0-9]+" "id:${id},phase:2,deny,t:none,t:urlDecodeUni,msg:'further rule ${i}'"`;
  }).join("\n");
}

/** Configuration of the filter with 2,000 further rules. */
export const FURTHER_CONFIG = JSON.stringify({ ...ENFORCE, rules: { after: [furtherRules()] } });

/** The proxy without a filter, the filter with all of CRS, and variants of it. */
export function ownContestants(): Contestant[] {
  return [
    envoy("bare", undefined, "{}"),
    envoy("bailey", NGFW_WASM, JSON.stringify(ENFORCE)),
    // thresholds that ordinary requests do not reach at this level
    envoy("bailey-pl4", NGFW_WASM, JSON.stringify({ ...ENFORCE, paranoiaLevel: 4, thresholds: { inbound: 10000, outbound: 10000 } })),
    envoy("bailey-2000", NGFW_WASM, FURTHER_CONFIG),
  ];
}

/** nginx with and without ModSecurity and CRS, from Debian. */
export async function nativePeers(): Promise<Contestant[]> {
  await ensureModSecurity();
  return [
    { name: "nginx", base: "nginx", start: (port) => startProxy(port, false) },
    { name: "modsecurity", base: "nginx", start: (port) => startProxy(port, true) },
  ];
}

/** Another proxy-wasm filter with its configuration, a file. */
export async function wasmPeer(wasm: string, configFile: string | undefined): Promise<Contestant> {
  return envoy("peer-wasm", wasm, configFile === undefined ? "{}" : await readFile(configFile, "utf8"));
}
