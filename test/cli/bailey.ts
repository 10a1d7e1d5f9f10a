/** Runs `bailey` as a user does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../cli/paths.ts";
import { outputOf } from "../../cli/process.ts";

/** A folder of the test file's own. */
export const folder = mkdtempSync(join(tmpdir(), "bailey-cli-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Writes a file and gives its path. */
export function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a command. */
export function start(args: string[], input = "", env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(ROOT, "cli/bin.js"), ...args], { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const output = outputOf(child);
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...output })));
  return { child, ended, output: () => output.stdout };
}

/** Runs a command to its end. */
export async function bailey(args: string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const result = await start(args, input, env).ended;
  assert.doesNotMatch(result.stdout + result.stderr, /^\s+at .*\.ts:\d+/m, "a stack trace reached the user");
  return result;
}
