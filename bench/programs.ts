/** Programs that the bench needs from Debian, and servers made of nginx. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../cli/envoy/envoy.ts";
import { UserError } from "../cli/errors.ts";
import { run } from "../cli/process.ts";
import { PAGE } from "./works.ts";

export interface Server {
  port: number;
  pid: number;
  /** Milliseconds from starting it until it answered. */
  startMs: number;
  stop: () => Promise<void>;
}

/** Installs Debian's packages, if this user may. */
async function install(packages: string, what: string): Promise<void> {
  const { code } = await run("sh", ["-c", `apt-get install -y ${packages} || (apt-get update && apt-get install -y ${packages})`]);
  if (code !== 0) throw new UserError(`${what} is missing and cannot be installed; on Debian: apt-get install ${packages}`);
}

/** Makes sure that a program is there. */
export async function ensureProgram(program: string, packages: string): Promise<void> {
  if ((await run("sh", ["-c", `command -v ${program}`])).code !== 0) await install(packages, program);
}

const MODSECURITY = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
const CRS = "/usr/share/modsecurity-crs/rules";

/** Makes sure that ModSecurity for nginx and CRS are there, as Debian has them. */
export async function ensureModSecurity(): Promise<void> {
  if (!existsSync(MODSECURITY) || !existsSync(CRS)) await install("libnginx-mod-http-modsecurity modsecurity-crs", "ModSecurity for nginx");
}

/** What an nginx is made of; FOLDER in a block stands for where its files are. */
interface Nginx {
  /** What the http block and the stream block hold; none if undefined. */
  http?: string;
  stream?: string;
  /** Paths of modules to load. */
  modules?: string[];
  files?: Record<string, string>;
}

/** Starts nginx with one worker, and waits until it answers HTTP on that port. */
async function startNginx(port: number, { http, stream, modules = [], files = {} }: Nginx): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "bailey-bench-"));
  // nginx gives up root before it reads its files
  await chmod(folder, 0o755);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const common = "access_log off; keepalive_requests 100000000; client_max_body_size 10m; client_body_buffer_size 2m; client_body_temp_path FOLDER/t;";
  const config = `
    ${modules.map((module) => `load_module ${module};`).join(" ")}
    daemon off; master_process off; error_log FOLDER/error.log; pid FOLDER/pid;
    events { worker_connections 512; }
    ${http === undefined ? "" : `http { ${common} ${http} }`}
    ${stream === undefined ? "" : `stream { ${stream} }`}`.replaceAll("FOLDER", folder);
  await writeFile(join(folder, "nginx.conf"), config);
  const begin = performance.now();
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  for (let i = 0; i < 400 && child.exitCode === null; i++) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) {
      const stop = async (): Promise<void> => {
        child.kill("SIGTERM");
        await ended;
        await rm(folder, { recursive: true, force: true });
      };
      return { port, pid: child.pid ?? 0, startMs: performance.now() - begin, stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new UserError(`nginx does not start; see ${folder}/error.log`);
}

/** Starts the upstream that all proxies have. */
export async function startUpstream(): Promise<Server> {
  const port = await freePort();
  const http = `
    types { text/html html; }
    server {
      listen 127.0.0.1:${port};
      location = /html { alias FOLDER/page.html; default_type text/html; }
      location / { default_type application/octet-stream; return 200 "ok"; }
    }`;
  return startNginx(port, { http, files: { "page.html": PAGE } });
}

/** Starts nginx as a proxy, with ModSecurity and CRS at paranoia level 1, enforcing, or without. */
export async function startProxy(upstreamPort: number, modsecurity: boolean): Promise<Server> {
  const port = await freePort();
  const rules = [
    "SecRuleEngine On",
    "SecRequestBodyAccess On",
    "SecRequestBodyLimit 13107200",
    "SecRequestBodyNoFilesLimit 1310720",
    "SecResponseBodyAccess On",
    "SecResponseBodyMimeType text/plain text/html text/xml",
    "SecAuditEngine Off",
    'SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"',
    "Include /etc/modsecurity/crs/crs-setup.conf",
    `Include ${CRS}/*.conf`,
  ].join("\n");
  const http = `
    upstream up { server 127.0.0.1:${upstreamPort}; keepalive 32; }
    server {
      listen 127.0.0.1:${port};
      ${modsecurity ? "modsecurity on; modsecurity_rules_file FOLDER/rules.conf;" : ""}
      location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
    }`;
  return startNginx(port, { http, modules: modsecurity ? [MODSECURITY] : [], files: { "rules.conf": rules } });
}

const STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** Makes sure that nginx can pass connections on. */
export async function ensureStream(): Promise<void> {
  if (!existsSync(STREAM)) await install("libnginx-mod-stream", "nginx's stream module");
}

/** Starts what puts plaintext connections into mutual TLS to a port, since the load generator has no certificate. */
export async function startTlsClient(toPort: number, identity: { certificate: string; key: string }): Promise<Server> {
  const port = await freePort();
  const stream = `
    server {
      listen 127.0.0.1:${port};
      proxy_pass 127.0.0.1:${toPort};
      proxy_ssl on; proxy_ssl_certificate FOLDER/client.pem; proxy_ssl_certificate_key FOLDER/client.key;
    }`;
  return startNginx(port, { stream, modules: [STREAM], files: { "client.pem": identity.certificate, "client.key": identity.key } });
}
