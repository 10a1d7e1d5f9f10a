/**
 * `npm run bench -- --policies`: what authorization costs. One Envoy that takes mutual TLS, with Bailey's filter,
 * Envoy's own RBAC filter or none, for one workload with few or with many policies.
 */
import { readFile } from "node:fs/promises";
import { freePort, launchEnvoy } from "../cli/envoy/envoy.ts";
import { configure, ROOT_CONTEXT } from "../cli/host/exchange.ts";
import { type Filter, instantiate } from "../cli/host/instance.ts";
import { ask, type Call } from "../cli/host/mesh.ts";
import { MESH_WASM } from "../cli/paths.ts";
import { Authority, type Identity } from "../test/certificates.ts";
import { pluginConfig } from "../test/differential/envoy.ts";
import { type AuthorizationPolicy, rbac } from "../test/differential/rbac.ts";
import type { Contestant } from "./contestants.ts";
import { latencies, type Row, type Running, throughput } from "./measure.ts";
import { type Server, startTlsClient } from "./programs.ts";
import { GET } from "./works.ts";

export const COUNTS = [1, 100, 5000];
const TYPE = "type.googleapis.com/";
const SERVER = "spiffe://cluster.local/ns/shop/sa/backend";

const callerOf = (i: number): string => `cluster.local/ns/team-${i % 50}/sa/service-${i}`;

/** Policies as teams write them, each for one caller; the request is allowed by the one in the middle. */
export function policiesFor(count: number): AuthorizationPolicy[] {
  return Array.from({ length: count }, (_, i) => ({
    metadata: { name: `allow-${String(i).padStart(5, "0")}`, namespace: "shop" },
    spec: {
      action: "ALLOW",
      rules: [
        {
          from: [{ source: { principals: [callerOf(i)] } }],
          to: [{ operation: { methods: ["GET", "HEAD"], paths: [GET.path.replace(/\?.*/, ""), `/api/v1/items-${i}/*`] } }],
        },
      ],
    },
  }));
}

const middleOf = (count: number): string => `spiffe://${callerOf(Math.floor(count / 2))}`;

const typed = (name: string, type: string, config: object = {}): object => ({ name, typed_config: { "@type": TYPE + type, ...config } });

function bailey(policies: AuthorizationPolicy[]): object {
  return typed("bailey.mesh", "envoy.extensions.filters.http.wasm.v3.Wasm", {
    config: {
      name: "bailey.mesh",
      root_id: "bailey.mesh",
      vm_config: { vm_id: "bailey.mesh", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: MESH_WASM } } },
      configuration: { "@type": `${TYPE}google.protobuf.StringValue`, value: pluginConfig(policies) },
    },
  });
}

function native(policies: AuthorizationPolicy[]): object {
  return typed("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", {
    rules: rbac(policies, "ALLOW", { forTcp: false, trustDomains: ["cluster.local"] }),
  });
}

interface Certificates {
  authority: string;
  server: Identity;
}

function bootstrap(port: number, adminPort: number, upstreamPort: number, filters: object[], { authority, server }: Certificates): object {
  const tls = typed("tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    require_client_certificate: true,
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { inline_string: server.certificate }, private_key: { inline_string: server.key } }],
      validation_context: { trusted_ca: { inline_string: authority } },
    },
  });
  const http = typed("hcm", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "http",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }] }] },
    http_filters: [...filters, typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")],
  });
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: upstreamPort } } };
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: { socket_address: { address: "127.0.0.1", port_value: port } },
          filter_chains: [{ transport_socket: tls, filters: [http] }],
        },
      ],
      clusters: [{ name: "upstream", type: "STATIC", load_assignment: { cluster_name: "upstream", endpoints: [{ lb_endpoints: [{ endpoint }] }] } }],
    },
  };
}

/** Envoy with those filters, behind what speaks mutual TLS for a caller. */
function contestant(name: string, filters: object[], certificates: Certificates, caller: Identity): Contestant {
  const start = async (upstreamPort: number, workers = 1): Promise<Server> => {
    const begin = performance.now();
    const [port, adminPort] = [await freePort(), await freePort()];
    const envoy = await launchEnvoy(async () => bootstrap(port, adminPort, upstreamPort, filters, certificates), adminPort, workers);
    const client = await startTlsClient(port, caller);
    const stop = async (): Promise<void> => {
      await client.stop();
      await envoy.stop();
    };
    return { port: client.port, pid: envoy.pid, startMs: performance.now() - begin, stop };
  };
  return { name, base: "none", start };
}

async function contestants(): Promise<Contestant[]> {
  const authority = await Authority.create();
  const certificates = { authority: authority.certificate, server: await authority.sign([{ type: "url", value: SERVER }]) };
  const made = [contestant("none", [], certificates, await authority.sign([{ type: "url", value: middleOf(1) }]))];
  for (const count of COUNTS) {
    const policies = policiesFor(count);
    const caller = await authority.sign([{ type: "url", value: middleOf(count) }]);
    made.push(contestant(`rbac-${count}`, [native(policies)], certificates, caller));
    made.push(contestant(`bailey-${count}`, [bailey(policies)], certificates, caller));
  }
  return made;
}

/** Requests after which the time of a decision in Node is taken. */
const WARM_UP = 20_000;
const DECISIONS = 50_000;

/** The time of a decision in Node: all that the filter does for a request, and what the host in Node does for its calls. */
async function decisions(): Promise<Row[]> {
  const wasm = await readFile(MESH_WASM);
  const rows: Row[] = [];
  for (const count of COUNTS) {
    const { filter, state } = await instantiate(wasm);
    const begin = performance.now();
    const refusal = configure(filter, state, pluginConfig(policiesFor(count)));
    if (refusal) throw new Error(refusal);
    const configured = performance.now() - begin;
    const call: Call = { method: GET.method, path: GET.path, headers: Object.entries(GET.headers) as [string, string][], peer: middleOf(count) };
    if (!ask(filter, state, call).allowed) throw new Error(`the request is denied by ${count} policies`);
    // the host still has the request of the last call
    for (let i = 0; i < WARM_UP; i++) decideAgain(filter, i);
    const from = performance.now();
    for (let i = 0; i < DECISIONS; i++) decideAgain(filter, i);
    const config = `bailey-${count}`;
    const row = (metric: string, unit: string, value: number): Row => ({ work: "decision in Node", config, metric, unit, value, ratio_to_bare: null });
    rows.push(row("time", "us", ((performance.now() - from) * 1000) / DECISIONS));
    rows.push(row("host calls", "", ask(filter, state, call).hostCalls));
    rows.push(row("on_configure", "ms", configured));
  }
  return rows;
}

function decideAgain(filter: Filter, context: number): void {
  filter.proxy_on_context_create(context + 2, ROOT_CONTEXT);
  filter.proxy_on_request_headers(context + 2, 0, 1);
  filter.proxy_on_delete(context + 2);
}

/** Measures latency and throughput of all in one run. */
export async function measurePolicies(upstreamPort: number, say: (text: string) => void): Promise<Row[]> {
  const running: Running[] = [];
  try {
    say("starting");
    for (const one of await contestants()) running.push({ contestant: one, server: await one.start(upstreamPort) });
    say("latency");
    const rows = await latencies(running, GET);
    say("throughput");
    rows.push(...(await throughput(running)));
    say("decisions");
    rows.push(...(await decisions()));
    return rows;
  } finally {
    for (const { server } of running) await server.stop();
  }
}
