/**
 * `npm run test:istio`: the manifests in a real control plane. Builds it the first time (some ten minutes), and runs the test
 * in a network of its own, so that no port of this machine is touched. Needs root, or user namespaces.
 */
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { buildAll } from "../../cli/build/build.ts";
import { messageOf } from "../../cli/errors.ts";
import { ROOT } from "../../cli/paths.ts";
import { APISERVER_IP, WEBHOOK_IP } from "./cluster.ts";
import { ensureTools } from "./setup.ts";
import { ADDRESSES } from "./world.ts";

/** Where istio-agent keeps the filters that it fetched: the path is its own. */
const AGENT_DATA = "/var/lib/istio/data";

async function main(): Promise<void> {
  await ensureTools((text) => console.log(`set-up: ${text}`));
  await buildAll();
  await mkdir(AGENT_DATA, { recursive: true });
  const addresses = [...ADDRESSES, APISERVER_IP, WEBHOOK_IP].map((ip) => `ip addr add ${ip}/32 dev lo`);
  const test = `exec "${process.execPath}" --import tsx --test --test-reporter=tap test/istio/istio.test.ts`;
  const script = ["ip link set lo up", ...addresses, test].join(" && ");
  const isRoot = process.getuid?.() === 0;
  const args = [...(isRoot ? [] : ["--map-root-user"]), "--net", "--", "sh", "-c", script];
  const child = spawn("unshare", args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
    process.stdout.write(data);
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const count = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)`, "m").exec(output)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled") + (code !== 0 && count("fail") === 0 ? 1 : 0);
  console.log(`${count("pass")} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(`test:istio: ${messageOf(error)}`);
  process.exitCode = 1;
});
