/**
 * `npm run differential`: random policies and random calls, decided by Bailey and by Envoy's own RBAC filters in the
 * same Envoy, for the same request. Every decision must be the same, or differ for a reason that is documented: the
 * path has another form, and Bailey's is stricter (docs/policies.md, "Paths").
 */
import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { assemble } from "../../cli/build/assemble.ts";
import { freePort, launchEnvoy } from "../../cli/envoy/envoy.ts";
import { configure } from "../../cli/host/exchange.ts";
import { instantiate } from "../../cli/host/instance.ts";
import { ask } from "../../cli/host/mesh.ts";
import { MESH_WASM } from "../../cli/paths.ts";
import { Authority, type Identity } from "../certificates.ts";
import { Random } from "../random.ts";
import { type Call, type Caller, call, DNS_CLIENT, METADATA, policies, SPIFFE_IDS, TOKENS } from "./cases.ts";
import { Clients } from "./clients.ts";
import { bootstrap, type PolicySet, pluginConfig, readLog } from "./envoy.ts";

const CALLS_OF_A_SET = 100;
/** Of so many calls, one is also made as a connection without HTTP. */
const TCP_OF = 10;
const AT_ONCE = 16;

interface Pair {
  id: string;
  set: PolicySet;
  call: Call;
  isTcp: boolean;
  /** What Bailey decided, and what Envoy would have. */
  bailey?: boolean;
  envoy?: boolean;
}

async function makeSets(random: Random, count: number): Promise<PolicySet[]> {
  const ports: number[] = [];
  while (ports.length < count * 2) ports.push(await freePort());
  return Array.from({ length: count }, (_, i) => {
    const port = ports[i * 2] ?? 0;
    const tcpPort = ports[i * 2 + 1] ?? 0;
    return { policies: policies(random, random.chance(0.5) ? port : tcpPort), port, tcpPort };
  });
}

async function makeIdentities(authority: Authority): Promise<Map<Caller, Identity>> {
  const identities = new Map<Caller, Identity>();
  for (const id of SPIFFE_IDS) identities.set(id, await authority.sign([{ type: "url", value: id }]));
  identities.set(DNS_CLIENT, await authority.sign([{ type: "dns", value: DNS_CLIENT }]));
  return identities;
}

function startEcho(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Runs a task for each item, some at once. */
async function forAll<T>(items: T[], task: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items].reverse();
  const worker = async (): Promise<void> => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await task(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Decides pairs in a real Envoy. */
async function decide(pairs: Pair[], sets: PolicySet[]): Promise<void> {
  const authority = await Authority.create();
  const identities = await makeIdentities(authority);
  const server = await authority.sign([{ type: "dns", value: "server.example" }]);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "test", alg: "ES256" }] });
  const echo = await startEcho();
  const address = echo.address();
  const echoPort = typeof address === "object" && address ? address.port : 0;
  const adminPort = await freePort();
  const clients = new Clients({ identities, signer: privateKey });
  let logs = "";
  const envoy = await launchEnvoy(async (folder) => {
    logs = folder;
    const [httpLog, tcpLog] = [join(folder, "http.log"), join(folder, "tcp.log")];
    return bootstrap({ adminPort, sets, echoPort, server, authority: authority.certificate, keys, httpLog, tcpLog });
  }, adminPort);
  try {
    const addresses = new Map<string, Pair>();
    for (const set of sets) {
      await forAll(
        pairs.filter((pair) => pair.set === set),
        async (pair) => {
          if (!pair.isTcp) {
            const status = await clients.send(pair.call, set.port, pair.id);
            if (status !== 200 && status !== 403) throw new Error(`status ${status} for ${JSON.stringify(pair.call)}`);
            pair.bailey = status === 200;
            return;
          }
          let key: string;
          do {
            // the system may give an address that another connection had before
            const { address: own, allowed } = await clients.exchange(pair.call, set.tcpPort);
            pair.bailey = allowed;
            key = `${set.tcpPort}/${own}`;
          } while (addresses.has(key));
          addresses.set(key, pair);
        },
      );
      clients.close();
    }
    await waitForLogs(logs, pairs, addresses);
  } finally {
    clients.close();
    await envoy.stop();
    echo.close();
  }
}

/** Envoy writes its access logs with some delay. */
async function waitForLogs(folder: string, pairs: Pair[], addresses: Map<string, Pair>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const http = readLog(join(folder, "http.log"));
    const tcp = readLog(join(folder, "tcp.log"));
    for (const pair of pairs) {
      const seen = pair.isTcp ? undefined : http.get(pair.id);
      if (seen) pair.envoy = seen.allowed;
    }
    for (const [address, pair] of addresses) {
      const seen = tcp.get(address);
      if (seen) pair.envoy = seen.allowed;
    }
    if (pairs.every(({ envoy }) => envoy !== undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${pairs.filter(({ envoy }) => envoy === undefined).length} calls are not in Envoy's access log`);
}

/** True if the path's other form is why Bailey denies what Envoy allows: without normalization it allows it too. */
async function isDocumented(pair: Pair, wasm: Uint8Array): Promise<boolean> {
  if (pair.isTcp || pair.bailey || !pair.envoy) return false;
  const off = { dotSegments: false, mergeSlashes: false, escapedSlashes: false, doubleEncoding: false, parameters: false };
  const { filter, state } = await instantiate(wasm);
  if (configure(filter, state, pluginConfig(pair.set.policies, { normalization: off })) !== undefined) return false;
  const { call: made } = pair;
  const forwarded = made.headers.find(([name]) => name === "x-forwarded-for")?.[1];
  const secure = made.caller !== "plaintext" && made.caller !== "anonymous";
  return ask(filter, state, {
    ...made,
    sni: made.caller === "plaintext" ? undefined : made.sni,
    peer: secure ? made.caller : undefined,
    remoteIp: forwarded?.split(", ").pop(),
    destinationPort: pair.set.port,
    claims: made.token && TOKENS[made.token],
    metadata: { "envoy.filters.custom": METADATA },
  } as Parameters<typeof ask>[2]).allowed;
}

function describe(pair: Pair): string {
  const said = (allowed: boolean | undefined): string => (allowed ? "allows" : "denies");
  return [
    `pair ${pair.id}${pair.isTcp ? " (without HTTP)" : ""}: bailey ${said(pair.bailey)}, envoy ${said(pair.envoy)}`,
    `  call ${JSON.stringify({ ...pair.call, port: pair.isTcp ? pair.set.tcpPort : pair.set.port })}`,
    ...pair.set.policies.map((policy) => `  policy ${JSON.stringify(policy)}`),
  ].join("\n");
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { pairs: { type: "string", default: "10000" }, seed: { type: "string", default: "1" } } });
  const count = Number(values.pairs);
  const seed = Number(values.seed);
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) throw new Error("expected --pairs and --seed to be whole numbers");
  await assemble("mesh");
  await assemble("mesh-tcp");
  const random = new Random(seed);
  const sets = await makeSets(random, Math.ceil(count / CALLS_OF_A_SET));
  const pairs = Array.from({ length: count }, (_, i): Pair => {
    const set = sets[Math.floor(i / CALLS_OF_A_SET)] as PolicySet;
    return { id: String(i), set, call: call(random), isTcp: i % TCP_OF === TCP_OF - 1 };
  });
  await decide(pairs, sets);
  const wasm = await readFile(MESH_WASM);
  let documented = 0;
  let unexplained = 0;
  for (const pair of pairs.filter(({ bailey, envoy }) => bailey !== envoy)) {
    if (await isDocumented(pair, wasm)) documented++;
    else if (unexplained++ < 10) console.log(describe(pair));
  }
  const allowed = pairs.filter(({ envoy }) => envoy).length;
  console.log(`seed ${seed}: ${sets.length} sets of policies, ${pairs.filter(({ isTcp }) => isTcp).length} pairs without HTTP, ${allowed} allowed by Envoy`);
  console.log(`differential: ${count} pairs, ${count - documented - unexplained} equal, ${documented} documented, ${unexplained} unexplained`);
  if (unexplained > 0) process.exitCode = 1;
}

await main();
