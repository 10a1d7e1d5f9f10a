/** Runs programs and gives what they printed. */
import { spawn } from "node:child_process";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Never throws: a program that is missing gives code 127. */
export function run(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data) => {
      stdout += data;
    });
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.on("error", () => resolve({ code: 127, stdout, stderr: `${command} is not installed` }));
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** Gives the last line that a program printed as its error, for messages. */
export function lastLine(result: Result): string {
  const lines = `${result.stdout}\n${result.stderr}`.trim().split("\n");
  return lines[lines.length - 1]?.trim() ?? "";
}
