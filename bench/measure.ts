/**
 * Measuring: all contestants take turns, several rounds; the middle round counts, and the first, which warms up, does
 * not. Latency is that of one connection, so that it is the proxy's and not a queue's.
 */
import { readFile } from "node:fs/promises";
import { configure, exchange } from "../cli/host/exchange.ts";
import { type Filter, type HostState, instantiate } from "../cli/host/instance.ts";
import { NGFW_WASM } from "../cli/paths.ts";
import { type Contestant, FURTHER_CONFIG } from "./contestants.ts";
import { type Load, load } from "./load.ts";
import type { Server } from "./programs.ts";
import { GET, HEAVY, WORKS, type Work } from "./works.ts";

export interface Row {
  work: string;
  config: string;
  metric: string;
  unit: string;
  value: number;
  /** Value divided by that of the same proxy without a filter; null for that proxy itself, and where it has no meaning. */
  ratio_to_bare: number | null;
}

const ROUNDS = 3;
const SECONDS = 1;
const CONNECTIONS = 16;
/** Heavy requests after which a plain one must cost what it did. */
const HEAVY_REQUESTS = 10_000;

function middle(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Resident memory of a process in MiB. */
async function residentMemory(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

/** Seconds of processor time that a process has taken (proc(5): ticks of 10 ms). */
async function processorTime(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export interface Running {
  contestant: Contestant;
  server: Server;
}

/** What each contestant came to, by name, in rounds. */
type Samples = Map<string, number[]>;

function note(samples: Samples, name: string, value: number): void {
  samples.set(name, [...(samples.get(name) ?? []), value]);
}

/** Rows of one metric for all contestants. */
function rowsOf(work: string, metric: string, unit: string, samples: Samples, contestants: Contestant[]): Row[] {
  return contestants.flatMap(({ name, base }) => {
    const own = samples.get(name);
    if (!own) return [];
    const value = middle(own);
    const bare = middle(samples.get(base) ?? []);
    return [{ work, config: name, metric, unit, value, ratio_to_bare: name === base || bare === 0 ? null : value / bare }];
  });
}

function check(contestant: Contestant, work: Work, result: Load): void {
  if (result.errors > 0) throw new Error(`${contestant.name}: ${result.errors} requests of ${work.name} failed; are they blocked?`);
}

export async function latencies(running: Running[], work: Work): Promise<Row[]> {
  const median: Samples = new Map();
  const p99: Samples = new Map();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { contestant, server } of running) {
      const result = await load(server.port, work, 1, SECONDS);
      check(contestant, work, result);
      if (round === 0) continue;
      note(median, contestant.name, result.median);
      note(p99, contestant.name, result.p99);
    }
  }
  const contestants = running.map(({ contestant }) => contestant);
  return [...rowsOf(work.name, "median", "us", median, contestants), ...rowsOf(work.name, "p99", "us", p99, contestants)];
}

export async function throughput(running: Running[]): Promise<Row[]> {
  const rate: Samples = new Map();
  const cpu: Samples = new Map();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { contestant, server } of running) {
      const before = await processorTime(server.pid);
      const result = await load(server.port, GET, CONNECTIONS, SECONDS);
      check(contestant, GET, result);
      if (round === 0) continue;
      note(rate, contestant.name, result.requestsPerSecond);
      note(cpu, contestant.name, (((await processorTime(server.pid)) - before) * 1e6) / result.requests);
    }
  }
  const contestants = running.map(({ contestant }) => contestant);
  const work = `get, ${CONNECTIONS} connections`;
  return [...rowsOf(work, "throughput", "1/s", rate, contestants), ...rowsOf(work, "cpu", "us a request", cpu, contestants)];
}

/** Starts each contestant several times; gives the rows, and the last start of each, still running. */
async function starts(contestants: Contestant[], upstreamPort: number): Promise<{ rows: Row[]; running: Running[] }> {
  const times: Samples = new Map();
  const running: Running[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const contestant of contestants) {
      const server = await contestant.start(upstreamPort);
      note(times, contestant.name, server.startMs);
      if (round === ROUNDS - 1) running.push({ contestant, server });
      else await server.stop();
    }
  }
  return { rows: rowsOf("start", "until the first answer", "ms", times, contestants), running };
}

async function memory(running: Running[]): Promise<Row[]> {
  const samples: Samples = new Map();
  for (const { contestant, server } of running) note(samples, contestant.name, await residentMemory(server.pid));
  const contestants = running.map(({ contestant }) => contestant);
  return rowsOf("memory", "one worker", "MiB", samples, contestants);
}

/** What a second worker adds: the difference of two workers and one, after the same load. */
async function memoryOfWorker(contestants: Contestant[], upstreamPort: number): Promise<Row[]> {
  const samples: Samples = new Map();
  for (const contestant of contestants) {
    if (contestant.base !== "bare" || contestant.name.startsWith("bailey-")) continue;
    const held: number[] = [];
    for (const workers of [1, 2]) {
      const server = await contestant.start(upstreamPort, workers);
      for (const work of WORKS) await load(server.port, work, CONNECTIONS, SECONDS);
      held.push(await residentMemory(server.pid));
      await server.stop();
    }
    note(samples, contestant.name, (held[1] ?? 0) - (held[0] ?? 0));
  }
  return rowsOf("memory", "each further worker", "MiB", samples, contestants).map((row) => ({ ...row, ratio_to_bare: null }));
}

/** Whether heavy requests leave a mark: a plain GET and memory before and after them. */
async function afterLoad(running: Running[]): Promise<Row[]> {
  const subject = running.find(({ contestant }) => contestant.name === "bailey");
  if (!subject) return [];
  const { port, pid } = subject.server;
  const rows: Row[] = [];
  const look = async (work: string): Promise<void> => {
    const samples: number[] = [];
    for (let round = 0; round < ROUNDS; round++) samples.push((await load(port, GET, 1, SECONDS)).median);
    rows.push({ work, config: "bailey", metric: "median", unit: "us", value: middle(samples), ratio_to_bare: null });
    rows.push({ work, config: "bailey", metric: "memory", unit: "MiB", value: await residentMemory(pid), ratio_to_bare: null });
  };
  await look("get before heavy load");
  let sent = 0;
  while (sent < HEAVY_REQUESTS) sent += (await load(port, HEAVY, CONNECTIONS, SECONDS)).requests;
  await look("get after heavy load");
  return rows;
}

/** What needs no proxy: host calls of each work, and how long the 2,000 rules take to configure. */
async function inNode(): Promise<Row[]> {
  const wasm = await readFile(NGFW_WASM);
  const { filter, state } = await instantiate(wasm);
  configure(filter, state, JSON.stringify({ mode: "enforce" }));
  const rows: Row[] = WORKS.map((work) => {
    const calls = Array.from({ length: 33 }, () => sendInNode(filter, state, work));
    return { work: work.name, config: "bailey", metric: "host calls", unit: "", value: middle(calls), ratio_to_bare: null };
  });
  const other = await instantiate(wasm);
  const begin = performance.now();
  const refusal = configure(other.filter, other.state, FURTHER_CONFIG);
  if (refusal) throw new Error(refusal);
  rows.push({ work: "2,000 further rules", config: "bailey-2000", metric: "on_configure", unit: "ms", value: performance.now() - begin, ratio_to_bare: null });
  return rows;
}

/** Sends a work through a filter in Node; gives the number of host calls. */
export function sendInNode(filter: Filter, state: HostState, work: Work): number {
  const headers = Object.entries(work.headers) as [string, string][];
  const body = work.body === undefined ? {} : { body: Buffer.from(work.body) };
  const response = { status: 200, headers: [["content-type", "application/octet-stream"]] as [string, string][], body: Buffer.from("ok") };
  return exchange(filter, state, { method: work.method, path: work.path, request: { headers, ...body }, response }).hostCalls;
}

/** Measures all contestants in one run. `say` tells what is being done. */
export async function measure(contestants: Contestant[], upstreamPort: number, say: (text: string) => void): Promise<Row[]> {
  say("starting");
  const { rows, running } = await starts(contestants, upstreamPort);
  try {
    for (const work of WORKS) {
      say(work.name);
      rows.push(...(await latencies(running, work)));
    }
    say("throughput");
    rows.push(...(await throughput(running)));
    rows.push(...(await memory(running)));
    say("heavy load");
    rows.push(...(await afterLoad(running)));
  } finally {
    for (const { server } of running) await server.stop();
  }
  say("memory of a second worker");
  rows.push(...(await memoryOfWorker(contestants, upstreamPort)));
  rows.push(...(await inNode()));
  return rows;
}
