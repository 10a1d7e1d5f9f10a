/**
 * `npm run bench`: what the filter costs, against the same Envoy with the same route and no filter, in one run. See
 * `npm run bench -- --help`.
 */
import { join } from "node:path";
import { Command } from "commander";
import { assemble } from "../cli/build/assemble.ts";
import { buildFilter } from "../cli/build/build.ts";
import { ROOT } from "../cli/paths.ts";
import { findSlow } from "./adversarial.ts";
import { measurePolicies } from "./authorization.ts";
import { nativePeers, ownContestants, wasmPeer } from "./contestants.ts";
import { measureEngine } from "./engine.ts";
import { measure, type Row } from "./measure.ts";
import { plot } from "./plot.ts";
import { ensureProgram, ensureStream, startUpstream } from "./programs.ts";
import { aligned, tableOf, verdictOf } from "./report.ts";
import { judge, judgePolicies } from "./targets.ts";
import { WORKS } from "./works.ts";

interface Options {
  json?: boolean;
  peers?: boolean;
  peerWasm?: string;
  peerConfig?: string;
  plot?: string | true;
  engine?: boolean;
  adversarial?: boolean;
  policies?: boolean;
}

const SLOWEST = 15;

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

async function benchProxies(options: Options): Promise<void> {
  await ensureProgram("wrk", "wrk");
  await ensureProgram("nginx", "nginx-light");
  const contestants = ownContestants();
  if (options.peers) contestants.push(...(await nativePeers()));
  if (options.peerWasm) contestants.push(await wasmPeer(options.peerWasm, options.peerConfig));
  const upstream = await startUpstream();
  let rows: Row[];
  try {
    rows = await measure(contestants, upstream.port, say);
  } finally {
    await upstream.stop();
  }
  if (options.plot) {
    const file = options.plot === true ? join(ROOT, "docs/bench.svg") : options.plot;
    await plot(
      file,
      rows,
      contestants,
      WORKS.map(({ name }) => name),
    );
  }
  if (options.json) console.log(JSON.stringify(rows, undefined, 2));
  else console.log(`${tableOf(rows)}\n\n${verdictOf(judge(rows))}`);
}

async function benchPolicies(options: Options): Promise<void> {
  await ensureProgram("wrk", "wrk");
  await ensureProgram("nginx", "nginx-light");
  await ensureStream();
  await assemble("mesh");
  const upstream = await startUpstream();
  let rows: Row[];
  try {
    rows = await measurePolicies(upstream.port, say);
  } finally {
    await upstream.stop();
  }
  if (options.json) console.log(JSON.stringify(rows, undefined, 2));
  else console.log(`${tableOf(rows)}\n\n${verdictOf(judgePolicies(rows))}`);
}

async function benchEngine(options: Options): Promise<void> {
  const rows = await measureEngine();
  console.log(options.json ? JSON.stringify(rows, undefined, 2) : aligned([["part", "MiB/s"], ...rows.map(({ work, value }) => [work, value.toFixed(0)])]));
}

async function benchAdversarial(options: Options): Promise<void> {
  const slow = await findSlow(SLOWEST);
  if (options.json) {
    console.log(JSON.stringify(slow, undefined, 2));
    return;
  }
  const lines = slow.map(({ name, nanosecondsPerByte, growth }) => [name, nanosecondsPerByte.toFixed(0), growth.toFixed(2)]);
  console.log(aligned([["slowest inputs", "ns a byte", "growth from 16 to 256 KiB"], ...lines]));
}

const program = new Command("bench")
  .description("measures what the filter costs")
  .option("--json", "print the figures as JSON: an array of {work, config, metric, unit, value, ratio_to_bare}")
  .option("--peers", "measure Debian's nginx with ModSecurity and CRS in the same run")
  .option("--peer-wasm <file>", "measure another proxy-wasm filter in the same run")
  .option("--peer-config <file>", "its configuration")
  .option("--plot [file]", "write a picture as SVG, docs/bench.svg if no file is given")
  .option("--policies", "measure authorization instead: 1, 100 and 5,000 policies in Bailey, in Envoy's RBAC filter, and none")
  .option("--engine", "measure the parts of the engine in Node instead")
  .option("--adversarial", "look for the slowest inputs in Node instead")
  .parse();

const options = program.opts<Options>();
if (options.policies) await benchPolicies(options);
else {
  await buildFilter();
  if (options.engine) await benchEngine(options);
  else if (options.adversarial) await benchAdversarial(options);
  else await benchProxies(options);
}
