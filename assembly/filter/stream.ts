/**
 * One HTTP stream through the firewall: what each callback of the host means, and what it is answered.
 *
 * The request waits for its verdict: headers are held until the body was inspected, where the host can do
 * that (`host.holdHeaders`); otherwise they go ahead and the body is held, so a blocked request resets the
 * upstream's. A response waits in the same way. Whatever happens, each path through a callback ends in
 * CONTINUE, PAUSE while more is awaited, or a local reply.
 */
import { Arena, bytesHeld, make } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { hashBytes, lastIndexOf, startsWithTextFold, toInt } from "../bytes/span";
import { Configuration, Profile, profileFor } from "../config/profile";
import { MultipartTrim } from "../decode/body/multiparttrim";
import { INSPECTED_FULL, INSPECTED_HEADERS, INSPECTED_NO, INSPECTED_PARTIAL } from "../findings/format";
import {
  CONTINUE,
  closeStream,
  dataLen,
  dataPtr,
  getBuffer,
  getPairs,
  getProperty,
  now,
  PAUSE,
  REQUEST_BODY_BUFFER,
  REQUEST_HEADER_MAP,
  REQUEST_STREAM,
  RESPONSE_BODY_BUFFER,
  RESPONSE_HEADER_MAP,
  RESPONSE_STREAM,
  sendLocalResponse,
  useArena,
} from "../host/abi";
import { PairWriter } from "../host/pairs";
import { runPhase } from "../seclang/evaluate";
import { DO_DROP, ENGINE_OFF, ENGINE_ON, PROCESSOR_MULTIPART, PROCESSOR_NONE } from "../seclang/model";
import { readsClock, setClock } from "../seclang/scalars";
import { LIMIT_REJECT } from "../seclang/settings";
import { Match, Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";
import { ACTION_BLOCKED, ACTION_ERROR, ACTION_MATCHED, ACTION_NONE, ACTION_WOULD_BLOCK, EventFacts, emit } from "./event";
import { removeForged, sendFindings } from "./findings";
import { FRAME_COMPLETE, FRAME_TOO_LARGE, GrpcFrames, judgeMessage, nextFrame, takeFrame, taken } from "./grpc";
import * as message from "./message";
import * as metrics from "./metrics";
import { isInQuarantine, noteAttack, readPeer } from "./quarantine";

@unmanaged
export class Stream {
  arena: Arena;
  configuration: Configuration;
  /** Null while the stream is not inspected. */
  tx: Transaction | null;
  profile: Profile;
  facts: EventFacts;
  /** True once Bailey answered: what the host then shows is its own reply. */
  replied: bool;
  /** Whether request and response bodies are collected. */
  collectsRequest: bool;
  collectsResponse: bool;
  /** Whether the host let a body callback happen though a body was announced. */
  announcesBody: bool;
  sawBody: bool;
  /** True if the request's body is compressed: rules see it as it is. */
  isEncoded: bool;
  /** Takes a multipart body as it comes; null for bodies that are read as a whole. */
  trim: MultipartTrim | null;
  /** Bytes of the request's body that it has taken. */
  trimmed: i32;
  /** Content type of the request, for its body. */
  type: usize;
  typeLen: i32;
  /** Nanoseconds spent on inspection, if the stream is `timed`. */
  spent: i64;
  timed: bool;
  /** Messages of a gRPC request; null for other requests. */
  frames: GrpcFrames | null;
  /** True once an event was written. */
  reported: bool;
  /** True once the mesh was told what was found, as far as the configuration says so. */
  told: bool;

  static create(configuration: Configuration): Stream {
    const arena = Arena.create(<usize>configuration.globals.streamBytes);
    const stream = make<Stream>(arena);
    stream.arena = arena;
    stream.configuration = configuration;
    stream.facts = make<EventFacts>(arena);
    stream.timed = (created++ & (TIMED_OF - 1)) == 0;
    configuration.streams++;
    return stream;
  }

  /** Frees the stream; it must not be used after that. */
  destroy(): void {
    const configuration = this.configuration;
    this.arena.destroy();
    configuration.leave();
  }
}

const details: Buffer = Buffer.create(64);
const headers: Buffer = Buffer.create(256);
const redirectHeaders: PairWriter = PairWriter.create();
/** `grpc-status` that says: derive it from the HTTP status. */
const NO_GRPC_STATUS: i32 = -1;

/** One stream of so many is timed, a power of two: asking the host for the time costs as much as ten rules. */
const TIMED_OF: u32 = 16;
let created: u32 = 0;
let startedAt: i64 = 0;

/** Begins a callback. The first one of a stream says when the request came. */
function start(stream: Stream): void {
  useArena(stream.arena);
  const first = stream.facts.time == 0;
  if (first || stream.timed || readsClock) startedAt = now();
  if (first) stream.facts.time = startedAt;
  setClock(stream.facts.time, startedAt);
}

/** Ends a callback: adds the time since `start` to the stream's account and passes the answer on. */
function stop(stream: Stream, answer: i32): i32 {
  if (stream.timed) stream.spent += now() - startedAt;
  return answer;
}

export function onRequestHeaders(stream: Stream, endOfStream: bool): i32 {
  start(stream);
  metrics.countRequest();
  if (!getPairs(REQUEST_HEADER_MAP)) {
    removeForged(stream.configuration.globals);
    return stop(stream, cannotDecide(stream, "request headers could not be read"));
  }
  const pairs = dataPtr;
  const length = dataLen;
  message.scanRequest(pairs, length);
  choose(stream);
  if (message.hasFindings) {
    metrics.countRemoved();
    removeForged(stream.configuration.globals);
  }
  if (stream.profile.settings.engine == ENGINE_OFF || !isSampled(stream)) return tell(stream, INSPECTED_NO);
  const tx = Transaction.create(stream.arena, stream.profile.program, stream.profile.settings);
  stream.tx = tx;
  if (bytesHeld() > <usize>stream.configuration.globals.vmBytes) return stop(stream, cannotDecide(stream, "memory limit of the VM is reached"));
  setConnection(stream, tx);
  if (isRefused(stream, tx)) return stop(stream, refuse(stream, 403, "the caller is in quarantine"));
  const protocol = getProperty("request.protocol");
  message.setRequest(tx, pairs, length, protocol ? dataPtr : pairs, protocol ? dataLen : 0, !endOfStream);
  message.chooseProcessor(tx);
  stream.type = message.contentType;
  stream.typeLen = message.contentTypeLen;
  stream.announcesBody = message.announcesBody && !endOfStream;
  stream.isEncoded = message.contentEncodingLen > 0 && !endOfStream;
  if (runPhase(tx, 1)) return stop(stream, block(stream, tx));
  if (isOverCap(tx)) return stop(stream, cannotDecide(stream, "memory limit of the stream is reached"));
  if (endOfStream) return stop(stream, finishRequest(stream, tx, INSPECTED_FULL));
  const inspects = tx.requestBodyAccess && tx.engine != ENGINE_OFF;
  const grpc = startsWithTextFold(stream.type, stream.typeLen, "application/grpc");
  stream.collectsRequest = inspects && !grpc && !message.isTunnel && readsBody(tx);
  if (inspects && grpc) return stop(stream, startMessages(stream, tx));
  if (!stream.collectsRequest) return stop(stream, finishRequest(stream, tx, INSPECTED_HEADERS));
  if (tx.processor == PROCESSOR_MULTIPART && !tx.program.readsFiles && !tx.forceRequestBody) {
    stream.trim = MultipartTrim.create(stream.arena, stream.type, stream.typeLen);
  }
  // headers that do not wait tell what is known by now
  return stop(stream, stream.configuration.globals.holdHeaders ? PAUSE : tell(stream, INSPECTED_HEADERS));
}

/** Tells the mesh what was found, once; `inspected` says how much was looked at. Gives CONTINUE. */
function tell(stream: Stream, inspected: i32): i32 {
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

/** True if the caller is in quarantine, and the profile enforces. */
function isRefused(stream: Stream, tx: Transaction): bool {
  const options = stream.configuration.globals.quarantine;
  if (!options || tx.engine != ENGINE_ON || !isInQuarantine(options, tx, stream.facts)) return false;
  metrics.countQuarantineBlock();
  return true;
}

/** True if a rule looks at the request's body. */
function readsBody(tx: Transaction): bool {
  return tx.processor == PROCESSOR_NONE ? tx.program.readsRawBody : tx.program.readsRequestBody;
}

/** Keeps what events need, and finds the profile. */
function choose(stream: Stream): void {
  const facts = stream.facts;
  facts.host = message.hostPtr;
  facts.hostLen = message.hostLen;
  facts.requestId = message.requestIdPtr;
  facts.requestIdLen = message.requestIdLen;
  const question = pathEnd();
  stream.profile = profileFor(stream.configuration, message.hostPtr, message.hostLen, message.pathPtr, question);
  facts.profile = stream.profile.name;
  facts.profileLen = stream.profile.nameLen;
}

function pathEnd(): i32 {
  for (let i = 0; i < message.pathLen; i++) if (load<u8>(message.pathPtr + i) == 0x3f) return i;
  return message.pathLen;
}

/** Spreads requests over 10,000 steps by their id, so all gateways decide the same for one request. */
function isSampled(stream: Stream): bool {
  const sampling = stream.profile.options.sampling;
  if (sampling >= 10000) return true;
  const facts = stream.facts;
  let h = facts.requestIdLen > 0 ? hashBytes(facts.requestId, facts.requestIdLen) : <u32>facts.time;
  h = (h ^ (h >> 16)) * 0x7feb352d;
  h ^= h >> 15;
  if (<i32>(h % 10000) < sampling) return true;
  metrics.countSkipped();
  return false;
}

function setConnection(stream: Stream, tx: Transaction): void {
  if (!getProperty("source.address")) return;
  const facts = stream.facts;
  facts.client = dataPtr;
  facts.clientLen = dataLen;
  const colon = lastIndexOf(dataPtr, dataLen, 0x3a);
  let end = colon < 0 ? dataLen : colon;
  let from = 0;
  // an IPv6 address stands in brackets
  if (end > 1 && load<u8>(dataPtr) == 0x5b) {
    from = 1;
    end--;
  }
  tx.set(v.REMOTE_ADDR, dataPtr + from, end - from);
  tx.set(v.REMOTE_HOST, dataPtr + from, end - from);
  if (colon >= 0) tx.set(v.REMOTE_PORT, dataPtr + colon + 1, dataLen - colon - 1);
}

/** A gRPC request is judged by its headers first, then message by message. */
function startMessages(stream: Stream, tx: Transaction): i32 {
  const own = tx.fork(stream.arena);
  const frames = make<GrpcFrames>(stream.arena);
  nextFrame(frames);
  stream.frames = frames;
  const answer = finishRequest(stream, tx, INSPECTED_HEADERS);
  // messages start from what phase 1 left
  if (answer == CONTINUE) stream.tx = own;
  return answer;
}

function onMessages(stream: Stream, tx: Transaction, size: i32): i32 {
  if (size == 0) return CONTINUE;
  const arena = Arena.create(<usize>stream.configuration.globals.streamBytes);
  useArena(arena);
  const read = getBuffer(REQUEST_BODY_BUFFER, 0, size);
  const answer = read ? judgeMessages(stream, tx, arena, dataPtr, dataLen) : cannotDecide(stream, "request body could not be read");
  useArena(stream.arena);
  arena.destroy();
  return answer;
}

function judgeMessages(stream: Stream, tx: Transaction, arena: Arena, ptr: usize, len: i32): i32 {
  const frames = stream.frames!;
  let from = 0;
  while (from < len) {
    const state = takeFrame(stream.arena, frames, ptr, len, from, bodyLimit(tx));
    from = taken;
    if (state == FRAME_TOO_LARGE) {
      metrics.countBodyLimit(true);
      stream.frames = null;
      return tx.settings.requestBodyLimitAction == LIMIT_REJECT && tx.engine == ENGINE_ON ? refuse(stream, 413, "gRPC message over the limit") : CONTINUE;
    }
    if (state != FRAME_COMPLETE) break;
    if (frames.isCompressed) metrics.countBodyUnseen();
    else {
      const own = judgeMessage(arena, tx, frames);
      if (own.blocker) return reportMessage(stream, own);
    }
    nextFrame(frames);
  }
  if (isOverCap(tx)) return cannotDecide(stream, "memory limit of the stream is reached");
  return CONTINUE;
}

/** A message that is, or would be, blocked has its event at once: a stream can go on for days. */
function reportMessage(stream: Stream, tx: Transaction): i32 {
  const answer = tx.interrupted ? block(stream, tx) : CONTINUE;
  if (!tx.interrupted) {
    stream.facts.action = ACTION_WOULD_BLOCK;
    metrics.countWouldBlock();
    // one report is enough for a stream that is only watched
    stream.frames = null;
  }
  emit(tx, stream.facts, stream.profile.options, stream.configuration.globals);
  stream.reported = true;
  return answer;
}

function isOverCap(tx: Transaction): bool {
  return tx.arena.exceeded;
}

export function onRequestBody(stream: Stream, size: i32, endOfStream: bool): i32 {
  const tx = stream.tx;
  stream.sawBody = true;
  if (tx && stream.frames && !stream.replied) {
    start(stream);
    return stop(stream, onMessages(stream, tx, size));
  }
  if (!tx || !stream.collectsRequest) return stream.replied ? PAUSE : CONTINUE;
  start(stream);
  const limit = bodyLimit(tx);
  const over = size > limit;
  if (stream.trim && !takePiece(stream, stream.trim!, min(size, limit))) return stop(stream, cannotDecide(stream, "request body could not be read"));
  if (!endOfStream && !over) return isOverCap(tx) ? stop(stream, cannotDecide(stream, "memory limit of the stream is reached")) : stop(stream, PAUSE);
  if (over) {
    metrics.countBodyLimit(true);
    tx.setInt(v.INBOUND_DATA_ERROR, 1);
    if (tx.settings.requestBodyLimitAction == LIMIT_REJECT && tx.engine == ENGINE_ON) return stop(stream, refuse(stream, 413, "request body over the limit"));
  }
  return stop(stream, inspectRequestBody(stream, tx, min(size, limit), over ? INSPECTED_PARTIAL : INSPECTED_FULL));
}

function bodyLimit(tx: Transaction): i32 {
  const settings = tx.settings;
  const multipart = tx.scalar(v.REQBODY_PROCESSOR).len == 9;
  if (multipart || settings.requestBodyNoFilesLimit == 0) return settings.requestBodyLimit;
  return min(settings.requestBodyLimit, settings.requestBodyNoFilesLimit);
}

/** Gives the trim what has come since the last time: `size` bytes have come in all. False if the host does not have them. */
function takePiece(stream: Stream, trim: MultipartTrim, size: i32): bool {
  const more = size - stream.trimmed;
  if (more <= 0) return true;
  const piece = Arena.create(0);
  useArena(piece);
  const read = getBuffer(REQUEST_BODY_BUFFER, stream.trimmed, more);
  if (read) trim.feed(dataPtr, dataLen, stream.type, stream.typeLen);
  useArena(stream.arena);
  piece.destroy();
  stream.trimmed = size;
  return read;
}

function inspectRequestBody(stream: Stream, tx: Transaction, size: i32, inspected: i32): i32 {
  stream.collectsRequest = false;
  const trim = stream.trim;
  if (trim) {
    message.setTrimmedBody(tx, trim, stream.trimmed, stream.type, stream.typeLen);
    return finishRequest(stream, tx, inspected);
  }
  if (size > 0) {
    if (!getBuffer(REQUEST_BODY_BUFFER, 0, size)) return cannotDecide(stream, "request body could not be read");
    message.setRequestBody(tx, dataPtr, dataLen, stream.type, stream.typeLen);
  }
  return finishRequest(stream, tx, inspected);
}

/** Trailers end a request whose last body callback did not say so. */
export function onRequestTrailers(stream: Stream): i32 {
  const tx = stream.tx;
  if (!tx || !stream.collectsRequest) return stream.replied ? PAUSE : CONTINUE;
  start(stream);
  // all of it: the host gives what there is
  return stop(stream, inspectRequestBody(stream, tx, bodyLimit(tx), INSPECTED_FULL));
}

/** Runs phase 2; gives the answer to the host. `inspected` says how much of the request was looked at. */
function finishRequest(stream: Stream, tx: Transaction, inspected: i32): i32 {
  if (runPhase(tx, 2)) return block(stream, tx);
  if (isOverCap(tx)) return cannotDecide(stream, "memory limit of the stream is reached");
  return tell(stream, inspected);
}

export function onResponseHeaders(stream: Stream, endOfStream: bool): i32 {
  if (stream.replied) return CONTINUE;
  const tx = stream.tx;
  if (!tx) return CONTINUE;
  start(stream);
  // the upstream can answer before the request has ended: what is not inspected by now, was not waited for
  if (!getPairs(RESPONSE_HEADER_MAP)) return stop(stream, cannotDecide(stream, "response headers could not be read"));
  message.setResponse(tx, dataPtr, dataLen);
  stream.facts.status = <i32>toInt(message.statusPtr, message.statusLen);
  if (runPhase(tx, 3)) return stop(stream, block(stream, tx));
  stream.collectsResponse =
    !endOfStream &&
    tx.responseBodyAccess &&
    tx.engine != ENGINE_OFF &&
    tx.program.readsResponseBody &&
    message.contentEncodingLen == 0 &&
    message.inspectsType(tx);
  if (!stream.collectsResponse) return stop(stream, finishResponse(stream, tx));
  return stop(stream, stream.configuration.globals.holdHeaders ? PAUSE : CONTINUE);
}

export function onResponseBody(stream: Stream, size: i32, endOfStream: bool): i32 {
  const tx = stream.tx;
  if (stream.replied || !tx || !stream.collectsResponse) return CONTINUE;
  start(stream);
  const limit = tx.settings.responseBodyLimit;
  const over = size > limit;
  if (!endOfStream && !over) return PAUSE;
  if (over) {
    metrics.countBodyLimit(false);
    tx.setInt(v.OUTBOUND_DATA_ERROR, 1);
    if (tx.settings.responseBodyLimitAction == LIMIT_REJECT && tx.engine == ENGINE_ON) return stop(stream, refuse(stream, 502, "response body over the limit"));
  }
  return stop(stream, inspectResponseBody(stream, tx, min(size, limit)));
}

function inspectResponseBody(stream: Stream, tx: Transaction, size: i32): i32 {
  stream.collectsResponse = false;
  if (size > 0) {
    if (!getBuffer(RESPONSE_BODY_BUFFER, 0, size)) return cannotDecide(stream, "response body could not be read");
    tx.set(v.RESPONSE_BODY, dataPtr, dataLen);
  }
  return finishResponse(stream, tx);
}

export function onResponseTrailers(stream: Stream): i32 {
  const tx = stream.tx;
  if (stream.replied || !tx || !stream.collectsResponse) return CONTINUE;
  start(stream);
  return stop(stream, inspectResponseBody(stream, tx, tx.settings.responseBodyLimit));
}

function finishResponse(stream: Stream, tx: Transaction): i32 {
  if (runPhase(tx, 4)) return block(stream, tx);
  if (isOverCap(tx)) return cannotDecide(stream, "memory limit of the stream is reached");
  return CONTINUE;
}

/** Carries out the decision of a rule. */
function block(stream: Stream, tx: Transaction): i32 {
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
function refuse(stream: Stream, status: i32, reason: string): i32 {
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
function cannotDecide(stream: Stream, reason: string): i32 {
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

/** An attack counts for whom it comes from, and its event names them. */
function reportCaller(stream: Stream, tx: Transaction): void {
  readPeer(stream.facts);
  const options = stream.configuration.globals.quarantine;
  if (options && tx.blocker && tx.blockPhase <= 2) noteAttack(options, tx, stream.facts);
}

/** The stream has ended: rules of phase 5 run, the event is written. */
export function onLog(stream: Stream): void {
  const tx = stream.tx;
  if (!tx) return;
  useArena(stream.arena);
  if (readsClock) setClock(stream.facts.time, now());
  runPhase(tx, 5);
  if (stream.announcesBody && !stream.sawBody && !stream.replied) metrics.countBodyUnseen();
  if (tx.capped) metrics.countCapped();
  const facts = stream.facts;
  if (facts.action == ACTION_NONE && tx.blocker) {
    facts.action = ACTION_WOULD_BLOCK;
    metrics.countWouldBlock();
  }
  if (facts.action == ACTION_NONE && tx.matchCount > 0 && stream.configuration.globals.allMatches) facts.action = ACTION_MATCHED;
  if (facts.action == ACTION_BLOCKED || facts.action == ACTION_WOULD_BLOCK) {
    for (let match: Match | null = tx.matches; match; match = match!.next) metrics.countFamily(match.rule.id);
    reportCaller(stream, tx);
  }
  if (facts.action != ACTION_NONE && !stream.reported) emit(tx, facts, stream.profile.options, stream.configuration.globals);
  metrics.showMemory();
  if (stream.timed) metrics.recordDuration(stream.spent / 1000);
}
