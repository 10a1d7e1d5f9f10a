/**
 * A small mesh: an ingress gateway, and in the namespace `shop` a web front and an API, each with a sidecar. The API's
 * sidecar also has a database, which does not speak HTTP. All traffic between them is mutual TLS.
 */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import type { Cluster } from "./cluster.ts";
import { startProxy, type Workload } from "./proxy.ts";
import type { Tools } from "./setup.ts";

export const GATEWAY_IP = "10.77.0.11";
export const WEB_IP = "10.77.0.12";
export const API_IP = "10.77.0.13";
/** Addresses that the test needs, beside the loopback's. */
export const ADDRESSES = [GATEWAY_IP, WEB_IP, API_IP];

export const GATEWAY_PORT = 8000;
const API_PORT = 8080;
const DB_PORT = 5432;
/** Where the web front finds the API through its sidecar: listeners exist for ports that services have. */
export const OUTBOUND_PORT = API_PORT;
const API_APP = 9001;
const DB_APP = 9002;

export interface Served {
  /** `METHOD url`. */
  line: string;
  headers: IncomingHttpHeaders;
}

export interface World {
  gateway: Workload;
  web: Workload;
  api: Workload;
  /** Requests that the API itself got. */
  served: Served[];
  stop(): Promise<void>;
}

export async function startWorld(cluster: Cluster, tools: Tools): Promise<World> {
  const served: Served[] = [];
  const app = createServer((request, response) => {
    served.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    request.resume();
    request.on("end", () => response.end("served"));
  });
  const db = createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket));
  const listen = (server: Server, port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  await Promise.all([listen(app, API_APP), listen(db, DB_APP)]);
  await cluster.apply(manifests());
  const proxies = await Promise.all([
    startProxy(cluster, tools, { name: "gateway", namespace: "istio-system", ip: GATEWAY_IP, labels: { istio: "ingressgateway" }, kind: "router", index: 1 }),
    startProxy(cluster, tools, { name: "web", namespace: "shop", ip: WEB_IP, labels: { app: "web" }, kind: "sidecar", index: 2 }),
    startProxy(cluster, tools, { name: "api", namespace: "shop", ip: API_IP, labels: { app: "api" }, kind: "sidecar", index: 3 }),
  ]);
  const [gateway, web, api] = proxies as [Workload, Workload, Workload];
  const stop = async (): Promise<void> => {
    await Promise.all(proxies.map(({ program }) => program.stop()));
    app.close();
    db.close();
  };
  return { gateway, web, api, served, stop };
}

function manifests(): object[] {
  const shop = (kind: string, name: string, apiVersion: string, rest: object): object => ({ apiVersion, kind, metadata: { name, namespace: "shop" }, ...rest });
  const networking = "networking.istio.io/v1";
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    {
      apiVersion: "security.istio.io/v1",
      kind: "PeerAuthentication",
      metadata: { name: "strict", namespace: "istio-system" },
      spec: { mtls: { mode: "STRICT" } },
    },
    ...service("api", API_PORT, "http"),
    ...service("db", DB_PORT, "tcp"),
    shop("Sidecar", "api", networking, {
      spec: {
        workloadSelector: { labels: { app: "api" } },
        ingress: [
          { port: { number: API_PORT, protocol: "HTTP", name: "http" }, bind: API_IP, defaultEndpoint: `127.0.0.1:${API_APP}` },
          { port: { number: DB_PORT, protocol: "TCP", name: "tcp" }, bind: API_IP, defaultEndpoint: `127.0.0.1:${DB_APP}` },
        ],
        egress: [{ port: { number: 9081, protocol: "HTTP", name: "none" }, bind: "127.0.0.1", hosts: ["./*"] }],
      },
    }),
    shop("Sidecar", "web", networking, {
      spec: {
        workloadSelector: { labels: { app: "web" } },
        egress: [
          { port: { number: OUTBOUND_PORT, protocol: "HTTP", name: "http" }, bind: "127.0.0.1", hosts: ["./*"] },
          { port: { number: DB_PORT, protocol: "TCP", name: "tcp" }, bind: "127.0.0.1", hosts: ["./*"] },
        ],
      },
    }),
    {
      apiVersion: networking,
      kind: "Gateway",
      metadata: { name: "gateway", namespace: "istio-system" },
      spec: { selector: { istio: "ingressgateway" }, servers: [{ port: { number: GATEWAY_PORT, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
    },
    {
      apiVersion: networking,
      kind: "VirtualService",
      metadata: { name: "all", namespace: "istio-system" },
      spec: { hosts: ["*"], gateways: ["gateway"], http: [{ route: [{ destination: { host: "api.shop.svc.cluster.local", port: { number: API_PORT } } }] }] },
    },
  ];
}

/** A service whose only endpoint is the API's pod, with what a controller would make of it. */
function service(name: string, port: number, kind: string): object[] {
  const metadata = { name, namespace: "shop" };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: "api" }, ports: [{ name: kind, port, protocol: "TCP" }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, namespace: "shop", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: kind, port, protocol: "TCP" }],
      endpoints: [{ addresses: [API_IP], conditions: { ready: true }, targetRef: { kind: "Pod", name: "api", namespace: "shop" } }],
    },
  ];
}
