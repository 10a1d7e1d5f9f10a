/**
 * What the gateway found in the request, as far as it can be believed: its header (findings/format.ts) counts only if the
 * peer's certificate is that of a gateway which the configuration names. From anyone else it is as if it were not there,
 * and it is taken away before the service sees it.
 *
 * A gateway's header that occurs twice, or cannot be read, is unreadable and not absent: who gets one past the gateway
 * does not get past a DENY.
 */
import { indexOf } from "../bytes/span";
import * as findings from "../findings/read";
import * as request from "./request";
import { ABSENT, identity, PRESENT, UNASKED, UNREADABLE } from "./request";
import { StringSet } from "./strings";

/** Identities of gateways; null if none is named. */
let gateways: StringSet | null = null;

let state: i32 = 0;
let readFor: u32 = 0;

/** Says which gateways are believed, for the requests that are decided next. */
export function believe(identities: StringSet | null): void {
  gateways = identities;
}

/** True if the peer is a gateway that is believed. */
export function isFromGateway(): bool {
  const known = gateways;
  return known != null && request.readIdentity() == PRESENT && known.has(identity.ptr, identity.len);
}

/** Reads the findings. ABSENT: the peer is no gateway, or sent none. */
export function readFindings(): i32 {
  if (readFor == request.serial && state != UNASKED) return state;
  readFor = request.serial;
  state = ABSENT;
  if (request.findingsCount == 0 || !gateways) return state;
  if (request.readIdentity() == UNREADABLE) state = UNREADABLE;
  else if (isFromGateway()) {
    const read = request.findingsCount == 1 && findings.readFindings(request.arena, request.findingsPtr, request.findingsLen);
    state = read ? PRESENT : UNREADABLE;
  }
  return state;
}

/** True if the request has findings that no gateway sent: they must not reach the service. */
export function mustRemove(): bool {
  return request.findingsCount > 0 && !isFromGateway();
}

/** True if a gateway sent what cannot be read. */
export function isMalformed(): bool {
  return request.findingsCount > 0 && isFromGateway() && readFindings() == UNREADABLE;
}

function textOf(found: i32, ptr: usize, len: i32): i32 {
  if (found != PRESENT) return found;
  request.setText(ptr, len);
  return len > 0 ? PRESENT : ABSENT;
}

/** Reads how much the gateway inspected: `full`, `partial`, `headers` or `no`. */
export function readInspected(): i32 {
  return textOf(readFindings(), findings.inspectedPtr, findings.inspectedLen);
}

/** Reads the client's address as the gateway sees it. */
export function readClient(): i32 {
  return textOf(readFindings(), findings.clientPtr, findings.clientLen);
}

/** Reads the user that the gateway verified, as `issuer/subject`. */
export function readUser(): i32 {
  return textOf(readFindings(), findings.userPtr, findings.userLen);
}

/** The score that `readScore` read. */
export let score: i64 = 0;

/** Reads the anomaly score. */
export function readScore(): i32 {
  const found = readFindings();
  score = findings.score;
  return found == PRESENT && score < 0 ? ABSENT : found;
}

let ruleAt: i32 = 0;

/** Starts going over the rules that matched. Where the header lists only some, what the others are is not known. */
export function startRules(): i32 {
  const found = readFindings();
  ruleAt = found == PRESENT ? 0 : i32.MAX_VALUE;
  if (found == PRESENT && findings.moreRules) return UNREADABLE;
  return found == PRESENT && findings.rulesLen == 0 ? ABSENT : found;
}

/** Finds the next one; its id is then the text of the request. False if there is none. */
export function nextRule(): bool {
  const ptr = findings.rulesPtr;
  const len = findings.rulesLen;
  while (ruleAt < len && load<u8>(ptr + ruleAt) == 0x20) ruleAt++;
  if (ruleAt >= len) return false;
  const blank = indexOf(ptr, len, 0x20, ruleAt);
  const end = blank < 0 ? len : blank;
  request.setText(ptr + <usize>ruleAt, end - ruleAt);
  ruleAt = end;
  return true;
}
