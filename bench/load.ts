/** wrk as the load generator. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../cli/process.ts";
import type { Work } from "./works.ts";

export interface Load {
  /** Latencies in microseconds. */
  median: number;
  p99: number;
  requests: number;
  requestsPerSecond: number;
  errors: number;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replace(/\r/g, "\\r").replace(/\n/g, "\\n")}"`;
}

/** The script that tells wrk what to send and how to say what came of it. */
function scriptFor(work: Work): string {
  const headers = Object.entries(work.headers).map(([name, value]) => `wrk.headers[${quote(name)}] = ${quote(value)}`);
  return `
    wrk.method = ${quote(work.method)}
    ${headers.join("\n")}
    ${work.body === undefined ? "" : `wrk.body = ${quote(work.body)}`}
    done = function(summary, latency, requests)
      local e = summary.errors
      io.write(string.format("RESULT %d %d %d %f %d\\n", latency:percentile(50), latency:percentile(99), summary.requests,
        summary.requests / (summary.duration / 1000000), e.connect + e.read + e.write + e.status + e.timeout))
    end`;
}

/** Sends a work again and again over some connections for some seconds. */
export async function load(port: number, work: Work, connections: number, seconds: number): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), "bailey-wrk-"));
  const script = join(folder, "wrk.lua");
  await writeFile(script, scriptFor(work));
  const result = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, `http://127.0.0.1:${port}${work.path}`]);
  await rm(folder, { recursive: true, force: true });
  const found = /RESULT (\S+) (\S+) (\S+) (\S+) (\S+)/.exec(result.stdout);
  if (!found) throw new Error(`wrk gave no result: ${result.stdout}${result.stderr}`);
  const [median = 0, p99 = 0, requests = 0, requestsPerSecond = 0, errors = 0] = found.slice(1).map(Number);
  return { median, p99, requests, requestsPerSecond, errors };
}
