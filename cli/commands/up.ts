/** `bailey up`: everything that is missing is set up, then Envoy runs until Ctrl-C. */
import { createServer, type Server } from "node:http";
import { Listr } from "listr2";
import { assemble } from "../build/assemble.ts";
import { buildFilter } from "../build/build.ts";
import { checkPort, freePort, type RunningEnvoy, startEnvoy, wasmLog } from "../envoy/envoy.ts";
import { UserError } from "../errors.ts";
import { readConfig, readRules, withRules } from "../files.ts";
import type { BaileyEvent } from "../host/exchange.ts";
import { NGFW_WASM } from "../paths.ts";
import { CRS_VERSION, ensureCrs } from "../setup/crs.ts";
import { ENVOY_VERSION, ensureEnvoy } from "../setup/envoy.ts";
import { ensureLibinjection } from "../setup/words.ts";

export interface UpOptions {
  port: number;
  upstream?: string;
  config?: string;
  rules?: string[];
  detect?: boolean;
}

export async function up(options: UpOptions): Promise<void> {
  const upstream = options.upstream === undefined ? undefined : parseUpstream(options.upstream);
  await checkPort(options.port);
  let envoy: RunningEnvoy | undefined;
  let demo: Server | undefined;
  const tasks = new Listr(
    [
      { title: `Envoy ${ENVOY_VERSION}`, task: () => ensureEnvoy().then(() => undefined) },
      { title: `OWASP CRS ${CRS_VERSION} and libinjection's tables`, task: () => Promise.all([ensureCrs(), ensureLibinjection()]).then(() => undefined) },
      { title: "compile the filter", task: () => assemble().then(() => undefined) },
      { title: "compile the rules into it", task: () => buildFilter().then(() => undefined) },
      {
        title: "start Envoy",
        task: async () => {
          const target = upstream ?? { host: "127.0.0.1", port: 0 };
          if (!upstream) {
            demo = await startDemo();
            target.port = portOf(demo);
          }
          const config = await configOf(options);
          envoy = await startEnvoy(
            { port: options.port, adminPort: await freePort(), upstream: target, wasm: NGFW_WASM, config: JSON.stringify(config) },
            printEvent,
          );
        },
      },
    ],
    { renderer: process.stdout.isTTY ? "default" : "verbose", rendererOptions: process.stdout.isTTY ? {} : { logTitleChange: false } },
  );
  try {
    await tasks.run();
  } catch (error) {
    demo?.close();
    throw error;
  }
  if (!envoy) throw new UserError("Envoy did not start");
  printWelcome(options, envoy);
  await untilEnded(envoy);
  demo?.closeAllConnections();
  demo?.close();
}

async function configOf(options: UpOptions): Promise<object> {
  const { rules } = await readRules(options.rules ?? []);
  const config = withRules(await readConfig(options.config, { mode: "enforce" }), rules);
  // this Envoy lets headers wait, see envoy/config.ts
  const host = { ...(config.host as object), holdHeaders: true };
  return { ...config, host, ...(options.detect && { mode: "detect" }) };
}

function parseUpstream(text: string): { host: string; port: number; tls: boolean } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UserError(`--upstream is \`${text}\`, expected a URL as in http://127.0.0.1:3000`, 2);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new UserError(`--upstream is \`${text}\`, expected http:// or https://`, 2);
  const tls = url.protocol === "https:";
  return { host: url.hostname, port: url.port === "" ? (tls ? 443 : 80) : Number(url.port), tls };
}

/** A small upstream that says what reached it. */
function startDemo(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.end(`the upstream got ${request.method} ${request.url}\n`);
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function printEvent(line: string): void {
  const text = wasmLog(line);
  if (text?.startsWith("{")) {
    const event = JSON.parse(text) as BaileyEvent;
    const reason = event.rule ? `rule ${event.rule.id}${event.rule.name ? `, ${event.rule.name}` : ""}` : (event.event.reason ?? "");
    console.log(`${event.event.action}: ${event.http.request.method} ${event.url.path} (${reason})`);
    console.log(`  ${text}`);
  } else if (text !== undefined && text !== "bailey ngfw: configured") console.log(text);
}

function printWelcome(options: UpOptions, envoy: RunningEnvoy): void {
  const url = `http://127.0.0.1:${options.port}`;
  console.log(`
Envoy listens on ${url} with all of OWASP CRS ${CRS_VERSION}${options.detect ? ", only reporting" : ""}.
Its own pages and metrics are at http://127.0.0.1:${envoy.adminPort}. Ctrl-C stops everything.

Three commands to try:

  curl -i '${url}/hello'
  curl -i '${url}/?id=1%27%20OR%201=1--'
  curl -i '${url}/' -d 'comment=<script>alert(1)</script>'
`);
}

/** Waits for Ctrl-C, or for Envoy to end on its own. */
async function untilEnded(envoy: RunningEnvoy): Promise<void> {
  let asked = false;
  const stop = (): void => {
    if (asked) return;
    asked = true;
    void envoy.stop();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const code = await envoy.ended;
  process.off("SIGINT", stop);
  process.off("SIGTERM", stop);
  if (!asked) throw new UserError(`Envoy ended with code ${code}: ${envoy.lines[envoy.lines.length - 1] ?? ""}`);
}
