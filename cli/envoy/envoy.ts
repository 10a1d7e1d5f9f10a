/** Starts Envoy, waits until it serves, and stops it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { UserError } from "../errors.ts";
import { ensureEnvoy } from "../setup/envoy.ts";
import { bootstrap, type EnvoyOptions, listener } from "./config.ts";

/** An Envoy process that serves. */
export interface EnvoyProcess {
  pid: number;
  /** Resolves with the exit code when Envoy has ended. */
  ended: Promise<number | null>;
  /** Lines that Envoy wrote so far. */
  lines: string[];
  stop(): Promise<void>;
}

export interface RunningEnvoy extends EnvoyProcess {
  port: number;
  adminPort: number;
  /** Replaces the listener's plugin configuration while Envoy runs; needs `live`. */
  reconfigure(config: string): Promise<void>;
}

/** Gives a port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const isFree = await checkPort(port).then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
}

/** Below the ports that systems hand out for connections, which come and go; each process begins elsewhere. */
let nextPort = 10_000 + Math.floor(Math.random() * 20_000);

/** Throws one clear sentence if the port is taken. */
export function checkPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () => reject(new UserError(`port ${port} on 127.0.0.1 is taken; stop what uses it, or choose another one with --port`)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

/** Gives what follows the prefix of a log line that came from the filter, or undefined. */
export function wasmLog(line: string): string | undefined {
  const at = line.indexOf("wasm log");
  if (at < 0) return undefined;
  const colon = line.indexOf(": ", at);
  return colon < 0 ? undefined : line.slice(colon + 2);
}

/**
 * Starts Envoy with a bootstrap, which gets a folder for its files; throws with Envoy's own words if it does not come
 * up. `onLine` gets each line that it writes.
 */
export async function launchEnvoy(
  bootstrapIn: (folder: string) => Promise<object>,
  adminPort: number,
  concurrency = 1,
  onLine?: (line: string) => void,
): Promise<EnvoyProcess> {
  const binary = await ensureEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "bailey-"));
  const file = join(folder, "envoy.yaml");
  await writeFile(file, stringify(await bootstrapIn(folder), { aliasDuplicateObjects: false }));
  const args = ["-c", file, "--use-dynamic-base-id", "--concurrency", String(concurrency), "--log-level", "warning", "--component-log-level", "wasm:info"];
  const child = spawn(binary, args, { stdio: ["ignore", "ignore", "pipe"] });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    if (lines.length > 5000) lines.splice(0, 1000);
    onLine?.(line);
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  const running: EnvoyProcess = { pid: child.pid ?? 0, ended, lines, stop: () => stop(child, ended, folder) };
  try {
    await waitUntilReady(adminPort, ended, lines);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

/** Starts Envoy with the filter in front of one upstream. */
export async function startEnvoy(options: EnvoyOptions & { live?: boolean; concurrency?: number }, onLine?: (line: string) => void): Promise<RunningEnvoy> {
  let listenerFile = "";
  const writeListener = async (current: EnvoyOptions): Promise<void> => {
    // Envoy watches for files that are moved into place
    await writeFile(`${listenerFile}.new`, stringify({ resources: [listener(current)] }));
    await rename(`${listenerFile}.new`, listenerFile);
  };
  const prepare = async (folder: string): Promise<object> => {
    if (!options.live) return bootstrap(options);
    listenerFile = join(folder, "listener.yaml");
    await writeListener(options);
    return bootstrap({ ...options, listenerFile });
  };
  const running = await launchEnvoy(prepare, options.adminPort, options.concurrency, onLine);
  return { ...running, port: options.port, adminPort: options.adminPort, reconfigure: (config) => writeListener({ ...options, config }) };
}

async function stop(child: ChildProcess, ended: Promise<number | null>, folder: string): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(timer);
  await rm(folder, { recursive: true, force: true });
}

async function waitUntilReady(adminPort: number, ended: Promise<number | null>, lines: string[]): Promise<void> {
  let over = false;
  ended.then(() => {
    over = true;
  });
  for (let i = 0; i < 600 && !over; i++) {
    const ready = await fetch(`http://127.0.0.1:${adminPort}/ready`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new UserError(`Envoy did not start: ${reasonOf(lines)}`);
}

/** Finds the line that says why: the filter's own, or Envoy's last. */
function reasonOf(lines: string[]): string {
  const own = lines.map(wasmLog).filter((line) => line !== undefined && !/^bailey .*: configured$/.test(line));
  return own.pop() ?? lines.filter((line) => line.includes("[critical]") || line.includes("error")).pop() ?? lines[lines.length - 1] ?? "it wrote nothing";
}
