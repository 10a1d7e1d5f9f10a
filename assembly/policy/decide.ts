/**
 * The decision: Istio's order. AUDIT policies are noted; a DENY that holds denies; if there are ALLOW policies, one of
 * them must hold; otherwise the default counts.
 *
 * | what is evaluated            | a DENY             | an ALLOW           |
 * | ---------------------------- | ------------------ | ------------------ |
 * | holds                        | denies             | allows             |
 * | cannot be evaluated          | denies             | does not allow     |
 * | holds in one form of a path  | denies             | does not allow     |
 *
 * Shadow policies are evaluated in the same way and decide nothing: `shadow` says what the decision would be if they
 * were enforced together with the others.
 */

import { NO, readRequestPrincipal, ruleHolds, UNKNOWN, YES } from "./evaluate";
import { Index, nextRule } from "./index";
import { giveBackTo, takeFrom } from "./limit";
import { A_PRINCIPAL, A_REMOTE_IP, RateLimit, Rule } from "./model";
import { PathOptions } from "./path";
import * as request from "./request";
import { identity, PRESENT } from "./request";

// Why it was decided so.
/** No policy speaks against it. */
export const R_DEFAULT: i32 = 0;
/** An ALLOW holds. */
export const R_ALLOWED: i32 = 1;
/** A DENY holds. */
export const R_DENIED: i32 = 2;
/** A DENY cannot be evaluated. */
export const R_UNKNOWN: i32 = 3;
/** No ALLOW holds. */
export const R_NOT_ALLOWED: i32 = 4;
/** An ALLOW would hold, but its caller has used up its rate. */
export const R_RATE: i32 = 5;
/** The caller is in quarantine. */
export const R_QUARANTINE: i32 = 6;

@unmanaged
export class Verdict {
  allowed: bool;
  reason: i32;
  /** The rule that decided; null where none did. */
  rule: Rule | null;
}

/** AUDIT policies that are noted for one request. */
const MAX_AUDITED: i32 = 64;

export const actual: Verdict = changetype<Verdict>(memory.data(16, 8));
export const shadow: Verdict = changetype<Verdict>(memory.data(16, 8));
/** Addresses of the AUDIT rules that hold. */
export const audited: usize = memory.data(256, 4);
export let auditedCount: i32 = 0;

/** The policies of a configuration by what they do. */
@unmanaged
export class Policies {
  allow: Index;
  deny: Index;
  audit: Index;
  /** ALLOW rules by their callers alone, and by their paths alone: to find the nearest one, see nearest.ts. */
  byCaller: Index;
  byPath: Index;
  /** Whether there are enforced ALLOW policies, and whether there are any. */
  hasAllow: bool;
  hasAnyAllow: bool;
  /** True if any policy, or the default, is in shadow. */
  hasShadow: bool;
  /** Whether what no policy speaks of is allowed, and whether it would be if what is in shadow were enforced. */
  allowByDefault: bool;
  wouldAllowByDefault: bool;
  paths: PathOptions;
  /** True if a path of a policy has another canonical form: then every request is judged in both. */
  hasCanonical: bool;
}

// What `search` found: rules that hold, of enforced policies and of any.
let enforcedRule: Rule | null = null;
let enforcedHolds: i32 = 0;
let anyRule: Rule | null = null;
let anyHolds: i32 = 0;

/** A rule that holds, but for its limit. */
let exhausted: Rule | null = null;

/** Finds rules that hold, or if none does, that cannot be evaluated; stops at the first enforced one that holds. */
function search(index: Index): void {
  enforcedRule = null;
  enforcedHolds = NO;
  anyRule = null;
  anyHolds = NO;
  if (index.isEmpty) return;
  index.start();
  for (let rule = nextRule(); rule; rule = nextRule()) {
    const inShadow = rule.policy.shadow;
    if (inShadow && anyHolds == YES) continue;
    let holds = ruleHolds(rule);
    const limit = rule.limit;
    if (limit && holds == YES && !isWithin(limit)) {
      holds = NO;
      exhausted = rule;
    }
    if (holds > anyHolds) {
      anyHolds = holds;
      anyRule = rule;
    }
    if (inShadow || holds <= enforcedHolds) continue;
    enforcedHolds = holds;
    enforcedRule = rule;
    if (holds == YES) return;
  }
}

/** Asks a limit once for each request. A caller without the identity that counts has no allowance. */
function isWithin(limit: RateLimit): bool {
  if (limit.asked == request.serial) return limit.answer;
  limit.asked = request.serial;
  limit.answer = readCaller(limit.by) && takeFrom(limit, request.textPtr, request.textLen, request.readTime());
  if (limit.answer) {
    limit.nextTaken = taken;
    taken = limit;
  }
  return limit.answer;
}

/** Limits that the request at hand took from. */
let taken: RateLimit | null = null;

/** Gives back what the decision took from limits, since it will be made again. */
export function giveBack(): void {
  for (let limit = taken; limit; limit = limit!.nextTaken) giveBackTo(limit);
  taken = null;
}

/** Reads what callers are told apart by into the text of the request: A_PRINCIPAL, A_REMOTE_IP or A_REQUEST_PRINCIPAL. */
export function readCaller(by: i32): bool {
  if (by == A_REMOTE_IP) return request.readRemoteAddress() == PRESENT;
  if (by != A_PRINCIPAL) return readRequestPrincipal() == PRESENT;
  if (request.readIdentity() != PRESENT) return false;
  request.setText(identity.ptr, identity.len);
  return true;
}

/** Decides on the request at hand; see `actual`, `shadow` and `auditedRule`. */
export function decide(policies: Policies): void {
  auditedCount = 0;
  exhausted = null;
  taken = null;
  settle(actual, true, R_DEFAULT, null);
  settle(shadow, true, R_DEFAULT, null);
  judge(policies);
  if (policies.paths.any && request.useCanonicalPath(policies.paths, policies.hasCanonical)) {
    judge(policies);
    request.useRawPath();
  }
  if (!policies.hasShadow) copyActual();
}

/** Denies the request at hand, whatever policies say. */
export function denyQuarantined(): void {
  auditedCount = 0;
  settle(actual, false, R_QUARANTINE, null);
  copyActual();
}

function copyActual(): void {
  settle(shadow, actual.allowed, actual.reason, actual.rule);
}

function settle(verdict: Verdict, allowed: bool, reason: i32, rule: Rule | null): void {
  verdict.allowed = allowed;
  verdict.reason = reason;
  verdict.rule = rule;
}

/** Judges one form of the path. A verdict can only change from allowed to denied. */
function judge(policies: Policies): void {
  if (!policies.audit.isEmpty) noteAudits(policies.audit);
  if (!policies.deny.isEmpty) {
    search(policies.deny);
    if (enforcedRule) deny(actual, enforcedRule, enforcedHolds);
    if (anyRule) deny(shadow, anyRule, anyHolds);
  }
  if (!actual.allowed && !shadow.allowed) return;
  if (policies.hasAnyAllow) search(policies.allow);
  judgeAllow(actual, policies.hasAllow, policies.allowByDefault, enforcedRule, enforcedHolds);
  judgeAllow(shadow, policies.hasAnyAllow, policies.wouldAllowByDefault, anyRule, anyHolds);
}

function deny(verdict: Verdict, rule: Rule | null, holds: i32): void {
  if (verdict.allowed) settle(verdict, false, holds == UNKNOWN ? R_UNKNOWN : R_DENIED, rule);
}

function judgeAllow(verdict: Verdict, exists: bool, byDefault: bool, rule: Rule | null, holds: i32): void {
  if (!verdict.allowed) return;
  if (!exists) {
    if (!byDefault) settle(verdict, false, R_NOT_ALLOWED, null);
  } else if (holds != YES) settle(verdict, false, exhausted ? R_RATE : R_NOT_ALLOWED, exhausted);
  else settle(verdict, true, R_ALLOWED, rule);
}

function noteAudits(index: Index): void {
  index.start();
  for (let rule = nextRule(); rule; rule = nextRule()) {
    if (isAudited(rule) || ruleHolds(rule) == NO || auditedCount == MAX_AUDITED) continue;
    store<u32>(audited + ((<usize>auditedCount) << 2), changetype<u32>(rule));
    auditedCount++;
  }
}

/** Gives the AUDIT rule at a position. */
export function auditedRule(i: i32): Rule {
  return changetype<Rule>(<usize>load<u32>(audited + ((<usize>i) << 2)));
}

function isAudited(rule: Rule): bool {
  for (let i = 0; i < auditedCount; i++) if (auditedRule(i).policy == rule.policy) return true;
  return false;
}
