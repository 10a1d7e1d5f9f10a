/** wrk as the load generator, nginx as the upstream: both from Debian, installed if that is possible. */
import { spawn } from "node:child_process";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../cli/envoy/envoy.ts";
import { UserError } from "../cli/errors.ts";
import { run } from "../cli/process.ts";
import { PAGE, type Work } from "./works.ts";

/** Makes sure that a program is there, installing Debian's package if this user may. */
export async function ensureProgram(program: string, pack: string): Promise<void> {
  if ((await run("sh", ["-c", `command -v ${program}`])).code === 0) return;
  const installed = await run("sh", ["-c", `apt-get install -y ${pack} || (apt-get update && apt-get install -y ${pack})`]);
  if (installed.code !== 0) throw new UserError(`${program} is missing and cannot be installed; on Debian: apt-get install ${pack}`);
}

/** Starts nginx with one worker as the upstream. */
export async function startUpstream(): Promise<{ port: number; stop: () => void }> {
  const folder = await mkdtemp(join(tmpdir(), "bailey-bench-"));
  // nginx gives up root before it reads the page
  await chmod(folder, 0o755);
  const port = await freePort();
  await writeFile(join(folder, "page.html"), PAGE);
  const config = `
    daemon off; worker_processes 1; error_log ${folder}/error.log; pid ${folder}/pid;
    events { worker_connections 512; }
    http {
      access_log off; keepalive_requests 100000000; client_max_body_size 10m; client_body_temp_path ${folder}/t;
      types { text/html html; }
      server {
        listen 127.0.0.1:${port};
        location = /html { alias ${folder}/page.html; default_type text/html; }
        location / { default_type application/octet-stream; return 200 "ok"; }
      }
    }`;
  await writeFile(join(folder, "nginx.conf"), config);
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { port, stop: () => child.kill("SIGQUIT") };
}

export interface Load {
  /** Latencies in microseconds. */
  median: number;
  p99: number;
  requestsPerSecond: number;
  errors: number;
}

/** Runs wrk for some seconds over some connections. */
export async function load(port: number, work: Work, connections: number, seconds: number): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), "bailey-wrk-"));
  const quote = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&").replace(/\r/g, "\\r").replace(/\n/g, "\\n")}"`;
  const headers = Object.entries(work.headers).map(([name, value]) => `wrk.headers[${quote(name)}] = ${quote(value)}`);
  const script = `
    wrk.method = ${quote(work.method)}
    ${headers.join("\n")}
    ${work.body === undefined ? "" : `wrk.body = ${quote(work.body)}`}
    done = function(summary, latency, requests)
      local e = summary.errors
      io.write(string.format("RESULT %d %d %f %d\\n", latency:percentile(50), latency:percentile(99), summary.requests / (summary.duration / 1000000), e.connect + e.read + e.write + e.status + e.timeout))
    end`;
  await writeFile(join(folder, "wrk.lua"), script);
  const result = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", join(folder, "wrk.lua"), `http://127.0.0.1:${port}${work.path}`]);
  const [, median, p99, rate, errors] = /RESULT (\S+) (\S+) (\S+) (\S+)/.exec(result.stdout) ?? [];
  if (median === undefined) throw new Error(`wrk gave no result: ${result.stdout}${result.stderr}`);
  return { median: Number(median), p99: Number(p99), requestsPerSecond: Number(rate), errors: Number(errors) };
}
