/** What the project sets itself, and how far a run is from it. */
import type { Row } from "./measure.ts";

export interface Judged {
  target: string;
  limit: number;
  found: number;
  unit: string;
  met: boolean;
}

/** Microseconds that the filter may add to the median of each work. */
const ADDED: Record<string, number> = { get: 60, "form-1k": 100, "json-10k-20": 200, "json-10k-450": 500, "multipart-900k": 15_000, "html-10k": 300 };
const TAIL = 3;
const SPEED_OF_NATIVE = 5;

class Results {
  private readonly rows: Row[];

  constructor(rows: Row[]) {
    this.rows = rows;
  }

  value(work: string, config: string, metric: string): number {
    return this.rows.find((row) => row.work === work && row.config === config && row.metric === metric)?.value ?? Number.NaN;
  }

  /** What a contestant adds to the proxy that it is in. */
  added(work: string, config: string, base: string, metric = "median"): number {
    return this.value(work, config, metric) - this.value(work, base, metric);
  }
}

/** Judges a run by the targets that it has figures for. */
export function judge(rows: Row[]): Judged[] {
  const results = new Results(rows);
  const judged: Judged[] = [];
  const atMost = (target: string, limit: number, found: number, unit: string): void => {
    if (!Number.isNaN(found)) judged.push({ target, limit, found, unit, met: found <= limit });
  };
  for (const [work, limit] of Object.entries(ADDED)) {
    atMost(`${work}: added, median`, limit, results.added(work, "bailey", "bare"), "us");
    atMost(`${work}: p99 / median`, TAIL, results.value(work, "bailey", "p99") / results.value(work, "bailey", "median"), "x");
    atMost(
      `${work}: 5 x added / added by ModSecurity`,
      1,
      (SPEED_OF_NATIVE * results.added(work, "bailey", "bare")) / results.added(work, "modsecurity", "nginx"),
      "x",
    );
  }
  const rate = "get, 16 connections";
  atMost("throughput lost", 0.4, 1 - results.value(rate, "bailey", "throughput") / results.value(rate, "bare", "throughput"), "x");
  atMost("start, over bare", 250, results.added("start", "bailey", "bare", "until the first answer"), "ms");
  atMost("memory over bare, one worker", 32, results.added("memory", "bailey", "bare", "one worker"), "MiB");
  atMost("memory over bare, each further worker", 12, results.added("memory", "bailey", "bare", "each further worker"), "MiB");
  for (const work of Object.keys(ADDED)) {
    atMost(`${work}: added at level 4 / at level 1`, 2, results.added(work, "bailey-pl4", "bare") / results.added(work, "bailey", "bare"), "x");
  }
  atMost("2,000 further rules / none, get added", 1.3, results.added("get", "bailey-2000", "bare") / results.added("get", "bailey", "bare"), "x");
  atMost("2,000 further rules, on_configure", 200, results.value("2,000 further rules", "bailey-2000", "on_configure"), "ms");
  atMost("host calls of a get", 10, results.value("get", "bailey", "host calls"), "");
  const after = "get after heavy load";
  const before = "get before heavy load";
  atMost("get after / before 10,000 heavy requests", 1.1, results.value(after, "bailey", "median") / results.value(before, "bailey", "median"), "x");
  atMost("memory after / before 10,000 heavy requests", 1.05, results.value(after, "bailey", "memory") / results.value(before, "bailey", "memory"), "x");
  return judged;
}

/** Shares of the native filter's throughput that Bailey must reach, by the number of policies. */
const SHARES: [number, number][] = [
  [1, 0.9],
  [100, 0.9],
  [5000, 1],
];
/** Microseconds of a decision. */
const DECISION = 15;

/** Judges a run with policies. */
export function judgePolicies(rows: Row[]): Judged[] {
  const results = new Results(rows);
  const rate = rows.find(({ metric }) => metric === "throughput")?.work ?? "";
  const throughput = (config: string): number => results.value(rate, config, "throughput");
  return SHARES.flatMap(([count, share]) => {
    const slower = throughput(`rbac-${count}`) / throughput(`bailey-${count}`);
    const time = results.value("decision in Node", `bailey-${count}`, "time");
    return [
      { target: `${count} policies: native throughput / Bailey's`, limit: Number((1 / share).toFixed(2)), found: slower, unit: "x", met: slower <= 1 / share },
      { target: `${count} policies: decision`, limit: DECISION, found: time, unit: "us", met: time <= DECISION },
    ];
  });
}
