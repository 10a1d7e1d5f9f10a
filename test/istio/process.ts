/** Programs that run beside the test, each with a log of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Running {
  name: string;
  /** The end of what it wrote. */
  tail(): Promise<string>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a program in a folder of its own below `folder`. */
export async function startProgram(name: string, folder: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const cwd = join(folder, name);
  await mkdir(cwd, { recursive: true });
  const file = join(cwd, "log");
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const out = createWriteStream(file);
  child.stdout.pipe(out, { end: false });
  child.stderr.pipe(out, { end: false });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  child.on("error", (error) => out.write(`${error.message}\n`));
  const log = (): Promise<string> => readFile(file, "utf8");
  return { name, log, tail: async () => (await log()).split("\n").slice(-30).join("\n"), stop: () => stop(child, ended) };
}

/** Ends a program and those that it started: an agent leaves its Envoy behind if it has no time to drain it. */
async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const tell = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // gone already
    }
  };
  tell("SIGTERM");
  const timer = setTimeout(() => tell("SIGKILL"), 3000);
  await ended;
  clearTimeout(timer);
  tell("SIGKILL");
}

/** Asks until there is an answer; throws after some seconds, with what was wrong the last time. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last = "";
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not happen in ${seconds} seconds${last === "" ? "" : `: ${last}`}`);
}
