/** What is counted and written about a decision. */

import { hexDigit } from "../bytes/ascii";
import { Buffer } from "../bytes/buffer";
import { MeshConfiguration } from "../policy/configuration";
import { actual, auditedCount, auditedRule, shadow } from "../policy/decide";
import { forgottenCallers } from "../policy/limit";
import * as request from "../policy/request";
import { forgottenOffenders } from "../quarantine/quarantine";
import { emitDecision, emitError } from "./event";
import * as metrics from "./metrics";
import { noteDenial } from "./quarantine";

/** Counts the decision at hand and writes its event, if it is worth one. Gives `id` what the client may be told. */
export function report(configuration: MeshConfiguration, id: Buffer): void {
  const rule = actual.rule;
  if (rule) metrics.countMatched(rule.policy);
  const differs = shadow.allowed != actual.allowed;
  const other = shadow.rule;
  if (other && other != rule && other.policy.shadow) metrics.countMatched(other.policy);
  if (!actual.allowed) metrics.countDenied(actual.reason);
  if (differs) metrics.countShadow(shadow.allowed);
  if (auditedCount > 0) metrics.countAudited();
  for (let i = 0; i < auditedCount; i++) metrics.countMatched(auditedRule(i).policy);
  noteDenial(configuration);
  metrics.showForgotten(forgottenCallers() + forgottenOffenders());
  id.clear();
  if (!actual.allowed) putId(id);
  if (actual.allowed && !differs && auditedCount == 0 && !configuration.options.allEvents) return;
  if (mayEmit(configuration.options.eventsPerSecond)) emitDecision(configuration.policies, id);
}

/** Writes that nothing could be decided, and what the configuration says then. Gives `id` what the client may be told. */
export function reportError(configuration: MeshConfiguration, reason: string, allowed: bool, id: Buffer): void {
  id.clear();
  putId(id);
  if (mayEmit(configuration.options.eventsPerSecond)) emitError(reason, allowed, id);
}

/** The second for which events are counted, and how many it had. */
let second: i64 = 0;
let written: i32 = 0;

/** True if one more event may be written in this second; otherwise it is counted. */
function mayEmit(perSecond: i32): bool {
  const current = request.readTime() / 1000000000;
  if (current != second) {
    second = current;
    written = 0;
  }
  if (written++ < perSecond) return true;
  metrics.countEventDropped();
  return false;
}

/** Longest id of a request that is taken over. */
const MAX_ID: i32 = 64;

/** Gives the id of the request, or makes one where it has none that can be shown. */
function putId(id: Buffer): void {
  if (request.requestIdLen > 0 && request.requestIdLen <= MAX_ID && isPlain(request.requestIdPtr, request.requestIdLen)) {
    id.bytes(request.requestIdPtr, request.requestIdLen);
    return;
  }
  let bits = <u64>request.readTime() ^ ((<u64>request.serial) << 44) ^ ((<u64>request.identityHash()) << 32);
  // an id to search for, not a secret: spread by odd factors (Knuth, The Art of Computer Programming, 6.4)
  bits = (bits ^ (bits >> 29)) * 0x9e3779b97f4a7;
  bits = (bits ^ (bits >> 32)) * 0x5851f42d4c957;
  bits ^= bits >> 31;
  for (let i = 0; i < 16; i++) {
    id.byte(hexDigit(<u32>(bits & 15)));
    bits >>= 4;
  }
}

/** Letters, digits and dashes: what may be put into an answer. */
function isPlain(ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    const ok = (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || c == 0x2d;
    if (!ok) return false;
  }
  return true;
}
