/**
 * Two real Envoys as the sidecars of a client and of a server, with mutual TLS between them. The client's has a
 * listener for each way to call: with the certificate of some workload, with none, with one of a foreign authority,
 * or in plaintext. The server's has the mesh filters, and takes all of that, as a permissive sidecar does.
 */
import { rename, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { assemble } from "../../cli/build/assemble.ts";
import { type EnvoyProcess, freePort, launchEnvoy, wasmLog } from "../../cli/envoy/envoy.ts";
import type { MeshEvent } from "../../cli/host/mesh.ts";
import { MESH_TCP_WASM, MESH_WASM } from "../../cli/paths.ts";
import { Authority, type Identity } from "../certificates.ts";
import { say } from "../tcp.ts";

/** Who calls. */
export type Caller = "web" | "api" | "twofold" | "foreign" | "anonymous" | "plaintext";
const CALLERS: Caller[] = ["web", "api", "twofold", "foreign", "anonymous", "plaintext"];

export const spiffe = (account: string): string => `spiffe://cluster.local/ns/shop/sa/${account}`;

export interface Answer {
  status: number;
  body: string;
  headers: { [name: string]: string | string[] | undefined };
}

interface Ports {
  http: number;
  tcp: number;
}

const TYPE = "type.googleapis.com/";
const typed = (name: string, type: string, config: object = {}): object => ({ name, typed_config: { "@type": TYPE + type, ...config } });
const address = (port: number): object => ({ socket_address: { address: "127.0.0.1", port_value: port } });
const router = typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router");
const pem = ({ certificate, key }: Identity): object => ({ certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } });

type Kind = "http" | "network";
const wasmType = (kind: Kind): string => `envoy.extensions.filters.${kind}.wasm.v3.Wasm`;

/** A filter whose configuration is in a file that Envoy watches: Istio delivers filters by the same kind of discovery. */
function discovered(kind: Kind, path: string): object {
  const config_source = { path_config_source: { path }, resource_api_version: "V3" };
  return { name: "bailey", config_discovery: { config_source, type_urls: [TYPE + wasmType(kind)] } };
}

/** What that file holds. */
function wasm(kind: Kind, filename: string, configuration: string): object {
  const filter = typed("bailey", wasmType(kind), {
    config: {
      name: "bailey.mesh",
      root_id: "bailey.mesh",
      failure_policy: "FAIL_RELOAD",
      ...(kind === "http" && { allow_on_headers_stop_iteration: true }),
      vm_config: { vm_id: `bailey.${kind}`, runtime: "envoy.wasm.runtime.v8", code: { local: { filename } } },
      configuration: { "@type": `${TYPE}google.protobuf.StringValue`, value: configuration },
    },
  });
  return { resources: [{ "@type": `${TYPE}envoy.config.core.v3.TypedExtensionConfig`, ...filter }] };
}

function http(filters: object[], routes: object[]): object {
  return typed("hcm", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "http",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [...filters, router],
  });
}

const tcpTo = (cluster: string): object => typed("tcp", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", { stat_prefix: "tcp", cluster });
const GRPC = { match: { prefix: "/", grpc: {} }, route: { cluster: "grpc" } };

/** HTTP/2 goes on as HTTP/2, HTTP/1 as HTTP/1. */
const sameProtocol = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
    use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
  },
};

function cluster(name: string, port: number, rest: object = {}): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }];
  return { name, type: "STATIC", load_assignment: { cluster_name: name, endpoints }, typed_extension_protocol_options: sameProtocol, ...rest };
}

export class Sidecars {
  readonly events: MeshEvent[] = [];
  readonly logs: string[] = [];
  /** Requests that came through to the server itself, `METHOD url`. */
  readonly served: string[] = [];
  private readonly servers: Server[] = [];
  private server!: EnvoyProcess;
  private client!: EnvoyProcess;
  private adminPort = 0;
  private ports!: Ports;
  private outbound!: Map<Caller, Ports>;
  private folder = "";
  private identities!: Map<Caller | "server", Identity>;
  private authority!: Authority;

  /** Starts both with a configuration of the mesh filter, the same for HTTP and for connections without it. */
  static async start(config: object): Promise<Sidecars> {
    await assemble("mesh");
    await assemble("mesh-tcp");
    const sidecars = new Sidecars();
    await sidecars.certify();
    await sidecars.startServer(config);
    await sidecars.startClient();
    return sidecars;
  }

  private async certify(): Promise<void> {
    this.authority = await Authority.create();
    const foreign = await Authority.create();
    this.identities = new Map([
      ["server", await this.authority.sign([{ type: "url", value: spiffe("server") }])],
      ["web", await this.authority.sign([{ type: "url", value: spiffe("web") }])],
      ["api", await this.authority.sign([{ type: "url", value: spiffe("api") }])],
      ["twofold", await this.authority.sign([spiffe("api"), spiffe("web")].map((value) => ({ type: "url", value })))],
      // says that it is web
      ["foreign", await foreign.sign([{ type: "url", value: spiffe("web") }])],
    ]);
  }

  private async listen(server: Server): Promise<number> {
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  private async startServer(config: object): Promise<void> {
    const plain = await this.listen(
      createServer((request, response) => {
        this.served.push(`${request.method} ${request.url}`);
        request.resume();
        request.on("end", () => response.end("served"));
      }),
    );
    const grpc = await this.listen(
      createHttp2Server().on("stream", (stream, headers) => {
        this.served.push(`grpc ${headers[":path"]}`);
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end();
      }),
    );
    const echo = await this.listen(createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket)));
    this.adminPort = await freePort();
    this.ports = { http: await freePort(), tcp: await freePort() };
    const prepare = async (folder: string): Promise<object> => {
      this.folder = folder;
      await this.configure(config);
      const routes = [GRPC, { match: { prefix: "/" }, route: { cluster: "plain" } }];
      return {
        node: { id: "server", cluster: "server" },
        admin: { address: address(this.adminPort) },
        static_resources: {
          listeners: [
            this.inbound("http", this.ports.http, [http([discovered("http", this.file("http"))], routes)]),
            this.inbound("tcp", this.ports.tcp, [discovered("network", this.file("network")), tcpTo("echo")]),
          ],
          clusters: [cluster("plain", plain), cluster("grpc", grpc), cluster("echo", echo)],
        },
      };
    };
    this.server = await launchEnvoy(prepare, this.adminPort, 1, (line) => this.onLine(line));
  }

  private file(kind: Kind): string {
    return join(this.folder, `${kind}.yaml`);
  }

  /** Gives both mesh filters a configuration, also while the server's sidecar runs. */
  async configure(config: object): Promise<void> {
    const text = JSON.stringify(config);
    for (const kind of ["http", "network"] as const) {
      const file = this.file(kind);
      // Envoy watches for files that are moved into place
      await writeFile(`${file}.new`, stringify(wasm(kind, kind === "http" ? MESH_WASM : MESH_TCP_WASM, text)));
      await rename(`${file}.new`, file);
    }
  }

  private inbound(name: string, port: number, filters: object[]): object {
    const tls = typed("tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
      common_tls_context: {
        tls_certificates: [pem(this.identities.get("server") as Identity)],
        validation_context: { trusted_ca: { inline_string: this.authority.certificate } },
      },
    });
    return {
      name,
      address: address(port),
      listener_filters: [typed("envoy.filters.listener.tls_inspector", "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")],
      filter_chains: [{ filter_chain_match: { transport_protocol: "tls" }, transport_socket: tls, filters }, { filters }],
    };
  }

  private onLine(line: string): void {
    const text = wasmLog(line);
    if (text === undefined) return;
    this.logs.push(text);
    if (text.startsWith("{")) this.events.push(JSON.parse(text) as MeshEvent);
  }

  private async startClient(): Promise<void> {
    this.outbound = new Map();
    for (const caller of CALLERS) this.outbound.set(caller, { http: await freePort(), tcp: await freePort() });
    const adminPort = await freePort();
    const listeners = [...this.outbound].flatMap(([caller, ports]) => [
      {
        name: `${caller}-http`,
        address: address(ports.http),
        filter_chains: [{ filters: [http([], [{ match: { prefix: "/" }, route: { cluster: `${caller}-http` } }])] }],
      },
      { name: `${caller}-tcp`, address: address(ports.tcp), filter_chains: [{ filters: [tcpTo(`${caller}-tcp`)] }] },
    ]);
    const clusters = CALLERS.flatMap((caller) => [
      cluster(`${caller}-http`, this.ports.http, this.transport(caller)),
      cluster(`${caller}-tcp`, this.ports.tcp, this.transport(caller)),
    ]);
    this.client = await launchEnvoy(
      async () => ({ node: { id: "client", cluster: "client" }, admin: { address: address(adminPort) }, static_resources: { listeners, clusters } }),
      adminPort,
    );
  }

  private transport(caller: Caller): object {
    if (caller === "plaintext") return {};
    const identity = this.identities.get(caller);
    const context = {
      ...(identity && { tls_certificates: [pem(identity)] }),
      validation_context: {
        trusted_ca: { inline_string: this.authority.certificate },
        match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: spiffe("server") } }],
      },
    };
    return { transport_socket: typed("tls", "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", { common_tls_context: context }) };
  }

  /** Calls through both sidecars. */
  call(caller: Caller, sent: { method?: string; path?: string; headers?: { [name: string]: string }; body?: string } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.outbound.get(caller)?.http, method: sent.method ?? "GET", path: sent.path ?? "/", agent: false as const };
      const request = httpRequest({ ...options, headers: { host: "server.shop", ...sent.headers } }, (response) => {
        let body = "";
        response.on("data", (data: Buffer) => {
          body += data.toString();
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      });
      request.on("error", reject);
      request.end(sent.body);
    });
  }

  /** Makes a gRPC call without a message. Gives its status and message. */
  grpc(caller: Caller, path: string): Promise<{ status: string; message: string }> {
    const session = connectHttp2(`http://127.0.0.1:${this.outbound.get(caller)?.http}`);
    return new Promise<{ status: string; message: string }>((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" });
      const found = { status: "", message: "" };
      const read = (headers: object): void => {
        const { "grpc-status": status, "grpc-message": message } = headers as { [name: string]: string };
        if (status !== undefined) found.status = status;
        if (message !== undefined) found.message = decodeURIComponent(message);
      };
      stream.on("response", read);
      stream.on("trailers", read);
      stream.on("error", reject);
      stream.on("close", () => resolve(found));
      stream.resume();
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    }).finally(() => session.close());
  }

  /** Says something on a connection without HTTP. Gives what came back before it ended. */
  say(caller: Caller, text: string): Promise<string> {
    return say(this.outbound.get(caller)?.tcp ?? 0, text);
  }

  /** Address of the server's sidecar for administration. */
  get admin(): string {
    return `127.0.0.1:${this.adminPort}`;
  }

  /** Gives a metric of the mesh filters, 0 if there is none. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.admin}/stats?filter=bailey.mesh`)).text();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`wasmcustom.bailey.mesh.${name}: `));
    return Number(line?.split(": ")[1] ?? 0);
  }

  async stop(): Promise<void> {
    await this.client?.stop();
    await this.server?.stop();
    for (const server of this.servers) server.close();
  }
}
