/**
 * The metrics of the mesh filters, defined when a plugin is configured and never on the request path. In Envoy they
 * appear as `wasmcustom.bailey.mesh.<name>`.
 */
import { Buffer } from "../bytes/buffer";
import { COUNTER, defineMetric, defineMetricNamed, GAUGE, increment, record } from "../host/abi";
import { R_DENIED, R_QUARANTINE, R_RATE, R_UNKNOWN } from "../policy/decide";
import { Policy } from "../policy/model";

let requests: i32 = -1;
let deniedByPolicy: i32 = -1;
let deniedByDefault: i32 = -1;
let deniedUnknown: i32 = -1;
let deniedRate: i32 = -1;
let deniedQuarantine: i32 = -1;
let quarantined: i32 = -1;
let findingsRemoved: i32 = -1;
let findingsMalformed: i32 = -1;
let wouldDeny: i32 = -1;
let wouldAllow: i32 = -1;
let auditedRequests: i32 = -1;
let errors: i32 = -1;
let bodyLimit: i32 = -1;
let eventsDropped: i32 = -1;
let callersForgotten: i32 = -1;
let configured: i32 = -1;
let memoryBytes: i32 = -1;
/** Pages that the gauge shows. */
let pagesShown: i32 = 0;
/** Forgotten callers that were counted. */
let forgottenShown: u32 = 0;
let defined: bool = false;

function counter(name: string): i32 {
  return defineMetric(COUNTER, "bailey.mesh." + name);
}

/** Defines all metrics but those of policies; safe to call again. */
export function defineMetrics(): void {
  if (defined) return;
  defined = true;
  requests = counter("requests");
  deniedByPolicy = counter("denied.policy");
  deniedByDefault = counter("denied.default");
  deniedUnknown = counter("denied.unknown");
  deniedRate = counter("denied.rate");
  deniedQuarantine = counter("denied.quarantine");
  quarantined = counter("quarantined");
  findingsRemoved = counter("findings.removed");
  findingsMalformed = counter("findings.malformed");
  wouldDeny = counter("would_deny");
  wouldAllow = counter("would_allow");
  auditedRequests = counter("audited");
  errors = counter("errors");
  bodyLimit = counter("body_limit");
  eventsDropped = counter("events_dropped");
  callersForgotten = counter("callers_forgotten");
  configured = counter("configured");
  memoryBytes = defineMetric(GAUGE, "bailey.mesh.memory_bytes");
}

const name: Buffer = Buffer.create(128);

/** Defines the counter of a policy: requests that it decided, or would have, in shadow. */
export function defineFor(policy: Policy): void {
  name.clear();
  name.text("bailey.mesh.policy.").bytes(policy.namespace, policy.namespaceLen);
  if (policy.namespaceLen > 0) name.byte(0x2f);
  policy.matched = defineMetricNamed(COUNTER, name.bytes(policy.name, policy.nameLen));
}

export function countRequest(): void {
  increment(requests);
}

/** Counts a denial by its reason, see decide.ts. */
export function countDenied(reason: i32): void {
  if (reason == R_DENIED) increment(deniedByPolicy);
  else if (reason == R_UNKNOWN) increment(deniedUnknown);
  else if (reason == R_QUARANTINE) increment(deniedQuarantine);
  else increment(reason == R_RATE ? deniedRate : deniedByDefault);
}

/** Counts what shadow policies would have done instead. */
export function countShadow(allowed: bool): void {
  increment(allowed ? wouldAllow : wouldDeny);
}

export function countMatched(policy: Policy): void {
  increment(policy.matched);
}

/** Counts a caller whose quarantine begins. */
export function countQuarantined(): void {
  increment(quarantined);
}

/** Counts a request with findings that no gateway sent. */
export function countRemoved(): void {
  increment(findingsRemoved);
}

/** Counts a request with findings of a gateway that cannot be read. */
export function countMalformed(): void {
  increment(findingsMalformed);
}

export function countAudited(): void {
  increment(auditedRequests);
}

export function countError(): void {
  increment(errors);
}

export function countBodyLimit(): void {
  increment(bodyLimit);
}

export function countEventDropped(): void {
  increment(eventsDropped);
}

/** Counts callers that the tables of rate limits and quarantine had no room for. */
export function showForgotten(forgotten: u32): void {
  for (; forgottenShown != forgotten; forgottenShown++) increment(callersForgotten);
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
