/** Runs programs and gives what they printed. */
import { type ChildProcess, spawn } from "node:child_process";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** What a program has written so far: grows as it goes on. */
export function outputOf(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (data) => {
    output.stdout += data;
  });
  child.stderr?.on("data", (data) => {
    output.stderr += data;
  });
  return output;
}

/** Runs a program to its end. Never throws: a program that is missing gives code 127. */
export function run(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const output = outputOf(child);
    child.on("error", () => resolve({ code: 127, stdout: output.stdout, stderr: `${command} is not installed` }));
    child.on("close", (code) => resolve({ code: code ?? 1, ...output }));
  });
}

/** Gives the last line that a program printed as its error, for messages. */
export function lastLine(result: Result): string {
  const lines = `${result.stdout}\n${result.stderr}`.trim().split("\n");
  return lines[lines.length - 1]?.trim() ?? "";
}
