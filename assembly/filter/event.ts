/**
 * The event of a request: one JSON object on one line, with the fields of the Elastic Common Schema 8.17
 * (https://www.elastic.co/guide/en/ecs/8.17) where it has one, and `bailey.*` for the rest. See docs/events.md.
 */
import { Buffer } from "../bytes/buffer";
import { putTime } from "../bytes/calendar";
import { equalFold, indexOf, lastIndexOf, toInt } from "../bytes/span";
import { JsonNode } from "../config/json";
import { Globals, MODE_ENFORCE, Options } from "../config/options";
import { LOG_ERROR, LOG_WARN, log } from "../host/abi";
import { putQuarantine } from "../quarantine/event";
import { Rule, Tag } from "../seclang/model";
import { finishReports } from "../seclang/report";
import { fullName, fullNameLen, fullNamePtr, Match, MatchedValue, Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";

export const ACTION_NONE: i32 = 0;
export const ACTION_BLOCKED: i32 = 1;
export const ACTION_WOULD_BLOCK: i32 = 2;
export const ACTION_ERROR: i32 = 3;
export const ACTION_MATCHED: i32 = 4;

const out: Buffer = Buffer.create(4096);
/** Bytes of an identity that an event shows. */
const MAX_PEER: i32 = 256;

/** What an event says beside its transaction. */
@unmanaged
export class EventFacts {
  action: i32;
  /** Nanoseconds since 1970, when the request began. */
  time: i64;
  /** Status that the client got, 0 if none was seen. */
  status: i32;
  profile: usize;
  profileLen: i32;
  requestId: usize;
  requestIdLen: i32;
  /** Address and port of the client, as in 192.0.2.1:4711. */
  client: usize;
  clientLen: i32;
  host: usize;
  hostLen: i32;
  /** Identity of the peer's certificate, if it was asked for and there is one. */
  peer: usize;
  peerLen: i32;
  /** Until when the caller is in quarantine, in nanoseconds since 1970, 0 if it is not; and whether that begins with this request. */
  quarantine: i64;
  quarantineBegins: bool;
  /** Why, where no rule says it; empty otherwise. */
  reason: usize;
  reasonLen: i32;
}

/** Writes the event of a transaction to the log. */
export function emit(tx: Transaction, facts: EventFacts, options: Options, globals: Globals): void {
  finishReports(tx);
  out.clear();
  out.text('{"@timestamp":"');
  putTime(out, facts.time);
  out.text('","ecs":{"version":"8.17.0"},"event":{"kind":"').text(facts.action == ACTION_MATCHED ? "event" : "alert");
  out.text('","category":["intrusion_detection","web"],"type":["').text(facts.action == ACTION_BLOCKED ? "denied" : "info");
  out.text('"],"action":').jsonText(actionName(facts.action));
  out.text(',"provider":"bailey","module":"ngfw"');
  if (facts.reasonLen > 0) out.text(',"reason":').json(facts.reason, facts.reasonLen);
  out.byte(0x7d);
  putRequest(tx, facts);
  const blocker = tx.blocker;
  if (blocker) putBlocker(tx, blocker);
  putDetails(tx, facts, options, globals);
  out.byte(0x7d);
  log(facts.action == ACTION_ERROR ? LOG_ERROR : LOG_WARN, out);
}

function actionName(action: i32): string {
  if (action == ACTION_BLOCKED) return "blocked";
  if (action == ACTION_WOULD_BLOCK) return "would_block";
  return action == ACTION_ERROR ? "error" : "matched";
}

function scalar(tx: Transaction, variable: i32): void {
  const item = tx.scalar(variable);
  out.json(item.ptr, item.len);
}

function putRequest(tx: Transaction, facts: EventFacts): void {
  out.text(',"http":{"version":');
  scalar(tx, v.REQUEST_PROTOCOL);
  out.text(',"request":{"id":').json(facts.requestId, facts.requestIdLen).text(',"method":');
  scalar(tx, v.REQUEST_METHOD);
  out.byte(0x7d);
  if (facts.status > 0) out.text(',"response":{"status_code":').int(facts.status).byte(0x7d);
  out.text('},"url":{"domain":').json(facts.host, facts.hostLen).text(',"path":');
  const path = tx.scalar(v.REQUEST_URI_RAW);
  const question = indexOf(path.ptr, path.len, 0x3f);
  out.json(path.ptr, question < 0 ? path.len : question);
  out.text('},"source":{"ip":');
  const colon = lastIndexOf(facts.client, facts.clientLen, 0x3a);
  const port = colon < 0 ? 0 : toInt(facts.client + colon + 1, facts.clientLen - colon - 1);
  scalar(tx, v.REMOTE_ADDR);
  if (port > 0) out.text(',"port":').int(port);
  out.byte(0x7d);
}

function putBlocker(tx: Transaction, rule: Rule): void {
  out.text(',"rule":{"id":"').int(rule.id).text('"');
  for (let match: Match | null = tx.matches; match; match = match!.next) {
    if (match.rule != rule || match.msgLen == 0) continue;
    out.text(',"name":').json(match.msg, match.msgLen);
    break;
  }
  const version = rule.ver;
  if (version) out.text(',"version":').json(version.ptr, version.len);
  out.byte(0x7d);
}

function putScore(tx: Transaction, name: string, key: string): void {
  lookUp.clear();
  lookUp.text(name);
  const span = tx.findTx(lookUp.ptr, lookUp.len);
  out
    .jsonText(key)
    .byte(0x3a)
    .int(span != 0 && load<usize>(span) != 0 ? toInt(load<usize>(span), load<i32>(span, 4)) : 0);
}
const lookUp: Buffer = Buffer.create(64);

function putDetails(tx: Transaction, facts: EventFacts, options: Options, globals: Globals): void {
  out.text(',"bailey":{"profile":').json(facts.profile, facts.profileLen);
  out.text(',"mode":').jsonText(options.mode == MODE_ENFORCE ? "enforce" : "detect");
  if (tx.blocker) out.text(',"phase":').int(tx.blockPhase);
  out.text(',"score":{');
  putScore(tx, "blocking_inbound_anomaly_score", "inbound");
  out.byte(0x2c);
  putScore(tx, "blocking_outbound_anomaly_score", "outbound");
  out.text('},"matches":[');
  let first = true;
  for (let match: Match | null = tx.matches; match; match = match!.next) {
    if (!first) out.byte(0x2c);
    first = false;
    putMatch(tx, match, globals);
  }
  out.byte(0x5d);
  if (tx.capped) out.text(',"capped":true');
  if (facts.peerLen > 0) out.text(',"peer":').json(facts.peer, min(facts.peerLen, MAX_PEER));
  if (facts.quarantine > 0) putQuarantine(out, facts.quarantineBegins, facts.quarantine);
  out.byte(0x7d);
}

function putMatch(tx: Transaction, match: Match, globals: Globals): void {
  const rule = match.rule;
  out.text('{"id":"').int(rule.id).text('","message":').json(match.msg, match.msgLen);
  if (rule.severity >= 0) out.text(',"severity":').jsonText(severityName(rule.severity));
  out.text(',"file":').json(rule.file, rule.fileLen).text(',"line":').int(rule.line);
  out.text(',"tags":[');
  for (let tag: Tag | null = rule.tags; tag; tag = tag!.next) {
    out.json(tag.ptr, tag.len);
    if (tag.next) out.byte(0x2c);
  }
  out.byte(0x5d);
  let masked = false;
  out.text(',"values":[');
  for (let value: MatchedValue | null = match.values; value; value = value!.next) {
    if (putValue(tx, value, globals)) masked = true;
    if (value.next) out.byte(0x2c);
  }
  out.byte(0x5d);
  // what a rule says about a value repeats it, so it is masked with it
  if (match.dataLen > 0) {
    out.text(',"data":');
    if (masked) out.jsonText("(masked)");
    else out.json(match.data, min(match.dataLen, max(globals.maxValueBytes * 2, 64)));
  }
  out.byte(0x7d);
}

export function severityName(severity: i32): string {
  switch (severity) {
    case 0:
      return "EMERGENCY";
    case 1:
      return "ALERT";
    case 2:
      return "CRITICAL";
    case 3:
      return "ERROR";
    case 4:
      return "WARNING";
    case 5:
      return "NOTICE";
    case 6:
      return "INFO";
    default:
      return "DEBUG";
  }
}

/** Writes a matched value, cut to what matched and some bytes around it. True if it is masked. */
function putValue(tx: Transaction, value: MatchedValue, globals: Globals): bool {
  fullName(tx.arena, value.variable, value.name, value.nameLen);
  out.text('{"variable":').json(fullNamePtr, fullNameLen);
  if (isMasked(globals.mask, fullNamePtr, fullNameLen)) {
    out.text(',"masked":true}');
    return true;
  }
  const most = globals.maxValueBytes;
  // a quarter of what is shown stands before the match
  let from = max(0, min(value.from - most / 4, value.len - most));
  if (value.len <= most) from = 0;
  const shown = min(most, value.len - from);
  out.text(',"value":').json(value.ptr + from, shown);
  if (from > 0) out.text(',"offset":').int(from);
  if (shown < value.len) out.text(',"length":').int(value.len);
  // past the bytes that an event looks at, where a pattern matched is not known
  if (!value.unlocated) out.text(',"matched":').json(value.ptr + value.from, min(value.matchLen, most));
  out.byte(0x7d);
  return false;
}

/** True if a mask names the variable, as in `ARGS:password`, or all of it, as in `REQUEST_COOKIES`. */
function isMasked(mask: JsonNode | null, name: usize, len: i32): bool {
  if (!mask) return false;
  for (let node: JsonNode | null = mask.child; node; node = node!.next) {
    if (equalFold(node.ptr, node.len, name, len)) return true;
    if (node.len < len && load<u8>(name + node.len) == 0x3a && equalFold(node.ptr, node.len, name, node.len)) return true;
  }
  return false;
}
