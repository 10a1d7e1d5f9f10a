/**
 * `npm run bench`: what the filter costs, against the same Envoy with the same route and no filter, in one run.
 * Bare and filtered take turns, several rounds; the median round counts. `--json` prints the numbers.
 */
import { readFile } from "node:fs/promises";
import { buildFilter } from "../cli/build/build.ts";
import { freePort, type RunningEnvoy, startEnvoy } from "../cli/envoy/envoy.ts";
import { NGFW_WASM } from "../cli/paths.ts";
import { ensureProgram, type Load, load, startUpstream } from "./load.ts";
import { WORKS } from "./works.ts";

const ROUNDS = 3;
const SECONDS = 1;
const CONFIG = JSON.stringify({ mode: "enforce", host: { holdHeaders: true } });

interface Row {
  work: string;
  config: "bare" | "bailey";
  metric: string;
  unit: string;
  value: number;
  ratio_to_bare: number | null;
}

interface Started {
  envoy: RunningEnvoy;
  startMs: number;
}

async function start(upstreamPort: number, filtered: boolean): Promise<Started> {
  const begin = performance.now();
  const envoy = await startEnvoy({
    port: await freePort(),
    adminPort: await freePort(),
    upstream: { host: "127.0.0.1", port: upstreamPort },
    wasm: filtered ? NGFW_WASM : undefined,
    config: CONFIG,
  });
  return { envoy, startMs: performance.now() - begin };
}

/** Resident memory of a process in bytes. */
async function residentMemory(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
}

function middle(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function measure(bare: Started, filtered: Started): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (work: string, metric: string, unit: string, before: number, after: number): void => {
    rows.push({ work, config: "bare", metric, unit, value: before, ratio_to_bare: null });
    rows.push({ work, config: "bailey", metric, unit, value: after, ratio_to_bare: before > 0 ? after / before : null });
  };
  for (const work of WORKS) {
    const results: [Load, Load][] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const pair: [Load, Load] = [await load(bare.envoy.port, work, 1, SECONDS), await load(filtered.envoy.port, work, 1, SECONDS)];
      // the first round warms up
      if (round > 0) results.push(pair);
    }
    if (results.some(([, { errors }]) => errors > 0)) throw new Error(`${work.name}: requests failed; is the work blocked?`);
    add(work.name, "median", "us", middle(results.map(([b]) => b.median)), middle(results.map(([, f]) => f.median)));
    add(work.name, "p99", "us", middle(results.map(([b]) => b.p99)), middle(results.map(([, f]) => f.p99)));
  }
  const [get] = WORKS;
  if (get) {
    const rates: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round++)
      rates.push([(await load(bare.envoy.port, get, 16, SECONDS)).requestsPerSecond, (await load(filtered.envoy.port, get, 16, SECONDS)).requestsPerSecond]);
    add("get, 16 connections", "throughput", "1/s", middle(rates.map(([b]) => b)), middle(rates.map(([, f]) => f)));
  }
  add("memory", "resident", "MiB", (await residentMemory(bare.envoy.pid)) / 2 ** 20, (await residentMemory(filtered.envoy.pid)) / 2 ** 20);
  return rows;
}

/** Time from starting Envoy until it is ready, the middle of several starts. */
async function measureStart(upstreamPort: number): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const filtered of [false, true]) {
      const started = await start(upstreamPort, filtered);
      times[filtered ? 1 : 0].push(started.startMs);
      await started.envoy.stop();
    }
  }
  return [middle(times[0]), middle(times[1])];
}

function print(rows: Row[]): void {
  console.log("work                  metric       bare     bailey      added  ratio");
  for (let i = 0; i + 1 < rows.length; i += 2) {
    const [bare, bailey] = [rows[i] as Row, rows[i + 1] as Row];
    const number = (value: number): string => value.toFixed(value < 100 ? 1 : 0).padStart(9);
    console.log(
      `${bare.work.padEnd(21)} ${bare.metric.padEnd(10)} ${number(bare.value)}  ${number(bailey.value)}  ${number(bailey.value - bare.value)}  ${(bailey.ratio_to_bare ?? 0).toFixed(2)} ${bare.unit}`,
    );
  }
}

async function main(): Promise<void> {
  await ensureProgram("wrk", "wrk");
  await ensureProgram("nginx", "nginx-light");
  await buildFilter();
  const upstream = await startUpstream();
  try {
    const [bareStart, filteredStart] = await measureStart(upstream.port);
    const bare = await start(upstream.port, false);
    const filtered = await start(upstream.port, true);
    const rows = await measure(bare, filtered);
    await bare.envoy.stop();
    await filtered.envoy.stop();
    rows.push(
      { work: "start", config: "bare", metric: "ready", unit: "ms", value: bareStart, ratio_to_bare: null },
      { work: "start", config: "bailey", metric: "ready", unit: "ms", value: filteredStart, ratio_to_bare: filteredStart / bareStart },
    );
    if (process.argv.includes("--json")) console.log(JSON.stringify(rows, undefined, 2));
    else print(rows);
  } finally {
    upstream.stop();
  }
}

await main();
