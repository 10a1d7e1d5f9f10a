/**
 * The metrics of the firewall, defined when the plugin is configured and never on the request path. In
 * Envoy they appear as `wasmcustom.bailey.ngfw.<name>`.
 */
import { COUNTER, defineMetric, GAUGE, HISTOGRAM, increment, record } from "../host/abi";

let requests: i32 = -1;
let wouldBlock: i32 = -1;
let errors: i32 = -1;
let requestLimit: i32 = -1;
let responseLimit: i32 = -1;
let capped: i32 = -1;
let skipped: i32 = -1;
let quarantined: i32 = -1;
let blockedQuarantine: i32 = -1;
let findingsRemoved: i32 = -1;
let callersForgotten: i32 = -1;
/** Forgotten callers that were counted. */
let forgottenShown: u32 = 0;
let bodyUnseen: i32 = -1;
let duration: i32 = -1;
let configured: i32 = -1;
let memoryBytes: i32 = -1;
/** Pages that the gauge shows. */
let pagesShown: i32 = 0;
let defined: bool = false;

/** Families of rules: the first three digits of CRS's ids, and everything else. */
const FAMILIES: string =
  "911=method 913=scanner 920=protocol 921=protocol_attack 922=multipart 930=lfi 931=rfi 932=rce 933=php 934=generic " +
  "941=xss 942=sqli 943=session_fixation 944=java 950=leak 951=leak_sql 952=leak_java 953=leak_php 954=leak_iis " +
  "955=web_shell 956=leak_ruby 200=body 000=other ";
const FAMILY_COUNT: i32 = 23;
/** Numbers of the metrics of families, in their order. */
const familyMetrics: usize = memory.data(128);
/** First three digits of the ids of families, in their order. */
const familyPrefixes: usize = memory.data(128);

function counter(name: string): i32 {
  return defineMetric(COUNTER, "bailey.ngfw." + name);
}

/** Defines all metrics; safe to call again. */
export function defineMetrics(): void {
  if (defined) return;
  defined = true;
  requests = counter("requests");
  for (let phase = 1; phase <= 4; phase++) {
    store<i32>(phaseMetrics + ((<usize>(phase - 1)) << 2), counter("blocked.phase_" + phase.toString()));
  }
  wouldBlock = counter("would_block");
  errors = counter("errors");
  requestLimit = counter("body_limit.request");
  responseLimit = counter("body_limit.response");
  capped = counter("capped");
  skipped = counter("not_sampled");
  quarantined = counter("quarantined");
  blockedQuarantine = counter("blocked.quarantine");
  findingsRemoved = counter("findings.removed");
  callersForgotten = counter("callers_forgotten");
  bodyUnseen = counter("body_unseen");
  duration = defineMetric(HISTOGRAM, "bailey.ngfw.inspection_us");
  configured = counter("configured");
  memoryBytes = defineMetric(GAUGE, "bailey.ngfw.memory_bytes");
  let start = 0;
  for (let i = 0; i < FAMILY_COUNT; i++) {
    const end = FAMILIES.indexOf(" ", start);
    store<i32>(familyMetrics + ((<usize>i) << 2), counter("matched." + FAMILIES.substring(start + 4, end)));
    store<i32>(familyPrefixes + ((<usize>i) << 2), I32.parseInt(FAMILIES.substring(start, start + 3)));
    start = end + 1;
  }
}

export function countRequest(): void {
  increment(requests);
}

/** Numbers of the metrics of phases 1 to 4. */
const phaseMetrics: usize = memory.data(16);

/** Counts a block in phase 1 to 4. */
export function countBlocked(phase: i32): void {
  increment(load<i32>(phaseMetrics + ((<usize>(phase - 1)) << 2)));
}

export function countWouldBlock(): void {
  increment(wouldBlock);
}

export function countError(): void {
  increment(errors);
}

export function countBodyLimit(request: bool): void {
  increment(request ? requestLimit : responseLimit);
}

export function countCapped(): void {
  increment(capped);
}

export function countSkipped(): void {
  increment(skipped);
}

/** Counts a caller whose quarantine begins. */
export function countQuarantined(): void {
  increment(quarantined);
}

/** Counts a request that is refused since its caller is in quarantine. */
export function countQuarantineBlock(): void {
  increment(blockedQuarantine);
}

/** Counts a request with findings that a client made up. */
export function countRemoved(): void {
  increment(findingsRemoved);
}

/** Counts callers that the tables of quarantine had no room for. */
export function showForgotten(forgotten: u32): void {
  for (; forgottenShown != forgotten; forgottenShown++) increment(callersForgotten);
}

/** A request announced a body and no body callback came: the host does not show bodies. */
export function countBodyUnseen(): void {
  increment(bodyUnseen);
}

export function countConfigured(): void {
  increment(configured);
}

/** Shows how much memory the VM has, if that changed: it only ever grows. All workers share the gauge. */
export function showMemory(): void {
  const pages = memory.size();
  if (pages == pagesShown) return;
  pagesShown = pages;
  record(memoryBytes, (<i64>pages) << 16);
}

/** Records the microseconds that inspecting one request and response took. */
export function recordDuration(micros: i64): void {
  record(duration, micros);
}

/** Counts a matched rule of a blocked request in its family. */
export function countFamily(id: i32): void {
  const prefix = id / 1000;
  let i = 0;
  while (i < FAMILY_COUNT - 1 && load<i32>(familyPrefixes + ((<usize>i) << 2)) != prefix) i++;
  increment(load<i32>(familyMetrics + ((<usize>i) << 2)));
}
