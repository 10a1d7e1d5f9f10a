/**
 * What a stream is answered: a rule's block, a limit's refusal, what the configuration says where Bailey cannot decide, and to
 * the mesh behind it what was found.
 */
import { Buffer } from "../bytes/buffer";
import { toInt } from "../bytes/span";
import { Configuration, Profile } from "../config/profile";
import { INSPECTED_HEADERS, INSPECTED_NO, INSPECTED_PARTIAL } from "../findings/format";
import { CONTINUE, closeStream, PAUSE, REQUEST_STREAM, RESPONSE_STREAM, sendLocalResponse } from "../host/abi";
import { PairWriter } from "../host/pairs";
import { DO_DROP, ENGINE_OFF, ENGINE_ON } from "../seclang/model";
import { Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";
import { ACTION_BLOCKED, ACTION_ERROR } from "./event";
import { sendFindings } from "./findings";
import * as metrics from "./metrics";
import { Stream } from "./state";

const details: Buffer = Buffer.create(64);
const headers: Buffer = Buffer.create(256);
const redirectHeaders: PairWriter = PairWriter.create();
/** `grpc-status` that says: derive it from the HTTP status. */
const NO_GRPC_STATUS: i32 = -1;

/** Tells the mesh what was found, once; `inspected` says how much was looked at. Gives CONTINUE. */
export function tell(stream: Stream, inspected: i32): i32 {
  if (stream.told) return CONTINUE;
  stream.told = true;
  const tx = stream.tx;
  let really = inspected;
  if (!tx || tx.engine == ENGINE_OFF) really = INSPECTED_NO;
  else if (stream.isEncoded) really = min(inspected, INSPECTED_HEADERS);
  else if (isIncomplete(tx)) really = min(inspected, INSPECTED_PARTIAL);
  sendFindings(tx, stream.profile.options, stream.configuration.globals, really);
  return CONTINUE;
}

/** True if a cap was reached, or the body could not be read to its end. */
function isIncomplete(tx: Transaction): bool {
  const error = tx.scalar(v.REQBODY_ERROR);
  return tx.capped || toInt(error.ptr, error.len) != 0;
}

export function isOverCap(tx: Transaction): bool {
  return tx.arena.exceeded;
}

/** Carries out the decision of a rule. */
export function block(stream: Stream, tx: Transaction): i32 {
  const rule = tx.blocker!;
  const options = stream.profile.options;
  details.clear();
  details.text("bailey_rule_").int(rule.id);
  metrics.countBlocked(tx.blockPhase);
  stream.facts.action = ACTION_BLOCKED;
  if (rule.disruptive == DO_DROP) {
    stream.replied = true;
    stream.facts.status = 0;
    closeStream(tx.blockPhase <= 2 ? REQUEST_STREAM : RESPONSE_STREAM);
    return PAUSE;
  }
  if (tx.redirect != 0) {
    redirectHeaders.clear();
    redirectHeaders.add(LOCATION, 8, tx.redirect, tx.redirectLen);
    redirectHeaders.finish(headers);
    return reply(stream, rule.status >= 300 && rule.status < 400 ? rule.status : 302, 0, 0, headers);
  }
  const body = options.blockBody;
  return reply(
    stream,
    rule.status > 0 && options.blockStatus == 403 ? rule.status : options.blockStatus,
    body ? body.ptr : 0,
    body ? body.len : 0,
    stream.profile.blockHeaders,
  );
}

const LOCATION: usize = memory.data<u8>([0x6c, 0x6f, 0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e]);

function reply(stream: Stream, status: i32, body: usize, bodyLen: i32, pairs: Buffer): i32 {
  stream.replied = true;
  stream.collectsRequest = false;
  stream.collectsResponse = false;
  stream.facts.status = status;
  // where the host cannot answer any more, it can still reset
  if (!sendLocalResponse(status, details, body, bodyLen, pairs, NO_GRPC_STATUS)) closeStream(REQUEST_STREAM);
  return PAUSE;
}

/** Answers for a limit rather than a rule. */
export function refuse(stream: Stream, status: i32, reason: string): i32 {
  setReason(stream, reason);
  stream.facts.action = ACTION_BLOCKED;
  details.clear();
  details.text("bailey_limit");
  return reply(stream, status, 0, 0, stream.profile.blockHeaders);
}

function setReason(stream: Stream, reason: string): void {
  const ptr = stream.arena.reserve(<usize>reason.length);
  for (let i = 0; i < reason.length; i++) store<u8>(ptr + i, <u8>reason.charCodeAt(i));
  stream.facts.reason = ptr;
  stream.facts.reasonLen = reason.length;
}

/** Bailey itself cannot decide: the configuration says whether that means no or yes. */
export function cannotDecide(stream: Stream, reason: string): i32 {
  metrics.countError();
  setReason(stream, reason);
  stream.facts.action = ACTION_ERROR;
  stream.collectsRequest = false;
  stream.collectsResponse = false;
  if (changetype<usize>(stream.profile) == 0) stream.profile = lastProfile(stream.configuration);
  // an event needs a transaction, even an empty one
  let tx = stream.tx;
  if (!tx) tx = Transaction.create(stream.arena, stream.profile.program, stream.profile.settings);
  stream.tx = tx;
  tx.engine = ENGINE_OFF;
  if (!stream.profile.options.failClosed || stream.profile.settings.engine != ENGINE_ON) return tell(stream, INSPECTED_NO);
  details.clear();
  details.text("bailey_error");
  return reply(stream, 500, 0, 0, stream.profile.blockHeaders);
}

function lastProfile(configuration: Configuration): Profile {
  let profile = configuration.profiles!;
  while (profile.next) profile = profile.next!;
  return profile;
}
