/** A real Envoy with the filter, a real upstream behind it, and what both saw. */
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { buildFilter } from "../../cli/build/build.ts";
import type { EnvoyOptions } from "../../cli/envoy/config.ts";
import { freePort, type RunningEnvoy, startEnvoy, wasmLog } from "../../cli/envoy/envoy.ts";
import type { BaileyEvent } from "../../cli/host/exchange.ts";
import { NGFW_WASM } from "../../cli/paths.ts";

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
  /** Sent after the body, which is then chunked. */
  trailers?: Record<string, string>;
  /** Sends the body in pieces of this size, with a pause between. */
  pieces?: number;
}

/** What the upstream got: a request is listed when its headers arrive, and complete when it ended. */
export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
  complete: boolean;
}

export class Mesh {
  readonly events: BaileyEvent[] = [];
  readonly seen: Seen[] = [];
  readonly logs: string[] = [];
  /** What the upstream answers. */
  respond: (request: IncomingMessage) => { status?: number; headers?: Record<string, string>; body?: string | Buffer } = () => ({});
  envoy!: RunningEnvoy;
  private upstream!: Server;

  static async start(config: object, options: Partial<EnvoyOptions> & { live?: boolean } = {}): Promise<Mesh> {
    await buildFilter();
    const mesh = new Mesh();
    mesh.upstream = createServer((request, response) => {
      const entry: Seen = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body: "", complete: false };
      mesh.seen.push(entry);
      request.on("data", (chunk: Buffer) => {
        entry.body += chunk.toString("latin1");
      });
      request.on("error", () => undefined);
      request.on("end", () => {
        entry.complete = true;
        const { status, headers, body } = mesh.respond(request);
        response.writeHead(status ?? 200, { "content-type": "text/plain", ...headers });
        response.end(body ?? "upstream");
      });
    });
    await new Promise<void>((resolve) => mesh.upstream.listen(0, "127.0.0.1", resolve));
    const address = mesh.upstream.address();
    const port = typeof address === "object" && address ? address.port : 0;
    try {
      mesh.envoy = await startEnvoy(
        {
          port: await freePort(),
          adminPort: await freePort(),
          upstream: { host: "127.0.0.1", port },
          wasm: NGFW_WASM,
          config: JSON.stringify({ host: { holdHeaders: true }, ...config }),
          ...options,
        },
        (line) => mesh.onLine(line),
      );
    } catch (error) {
      mesh.upstream.close();
      throw error;
    }
    return mesh;
  }

  private onLine(line: string): void {
    const text = wasmLog(line);
    if (text === undefined) return;
    this.logs.push(text);
    if (text.startsWith("{")) this.events.push(JSON.parse(text) as BaileyEvent);
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    this.upstream.closeAllConnections();
    this.upstream.close();
  }

  /** Sends a request on a connection of its own. Rejects if the connection is reset before a response. */
  send(sent: Sent = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const body = sent.body === undefined ? undefined : Buffer.from(sent.body);
      const headers: Record<string, string | string[]> = { "user-agent": "Mozilla/5.0", accept: "*/*", ...sent.headers };
      if (body && !sent.trailers && !sent.pieces) headers["content-length"] = String(body.length);
      if (sent.trailers) headers.trailer = Object.keys(sent.trailers).join(", ");
      const request = httpRequest(
        {
          host: "127.0.0.1",
          port: this.envoy.port,
          method: sent.method ?? (body ? "POST" : "GET"),
          path: sent.path ?? "/",
          headers,
          agent: false,
          setHost: !("host" in (sent.headers ?? {})),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
        },
      );
      request.on("error", reject);
      void write(request, body, sent);
    });
  }

  /** Waits until an event satisfies the condition, and gives it. */
  async event(condition: (event: BaileyEvent) => boolean = () => true): Promise<BaileyEvent> {
    return waitFor(() => this.events.find(condition), "an event that the test expects");
  }

  /** Gives the value of a metric from Envoy's admin interface, 0 if it has none. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.envoy.adminPort}/stats?filter=bailey.ngfw`);
    const line = (await response.text()).split("\n").find((candidate) => candidate.startsWith(`wasmcustom.bailey.ngfw.${name}: `));
    return Number(line?.split(": ")[1] ?? 0);
  }
}

async function write(request: ReturnType<typeof httpRequest>, body: Buffer | undefined, sent: Sent): Promise<void> {
  if (sent.pieces && body) {
    for (let i = 0; i < body.length; i += sent.pieces) {
      request.write(body.subarray(i, i + sent.pieces));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    request.end();
    return;
  }
  if (body) request.write(body);
  if (sent.trailers) request.addTrailers(sent.trailers);
  request.end();
}

/** Waits until `get` gives something, two seconds at most. */
export async function waitFor<T>(get: () => T | undefined, what: string): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const value = get();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}

export const SQLI = "/?id=1%27%20OR%201=1--%20";
