/**
 * One HTTP stream through the firewall: what each callback of the host means, and what it is answered.
 *
 * The request waits for its verdict: headers are held until the body was inspected, where the host can do
 * that (`host.holdHeaders`); otherwise they go ahead and the body is held, so a blocked request resets the
 * upstream's. A response waits in the same way. Whatever happens, each path through a callback ends in
 * CONTINUE, PAUSE while more is awaited, or a local reply.
 */
import { Arena, bytesHeld, make } from "../bytes/arena";
import { hashBytes, lastIndexOf, startsWithTextFold, toInt } from "../bytes/span";
import { profileFor } from "../config/profile";
import { MultipartTrim } from "../decode/body/multiparttrim";
import { INSPECTED_FULL, INSPECTED_HEADERS, INSPECTED_NO, INSPECTED_PARTIAL } from "../findings/format";
import {
  CONTINUE,
  dataLen,
  dataPtr,
  getBuffer,
  getPairs,
  getProperty,
  now,
  PAUSE,
  REQUEST_BODY_BUFFER,
  REQUEST_HEADER_MAP,
  RESPONSE_BODY_BUFFER,
  RESPONSE_HEADER_MAP,
  useArena,
} from "../host/abi";
import { runPhase } from "../seclang/evaluate";
import { ENGINE_OFF, ENGINE_ON, PROCESSOR_MULTIPART, PROCESSOR_NONE } from "../seclang/model";
import { readsClock, setClock } from "../seclang/scalars";
import { LIMIT_REJECT } from "../seclang/settings";
import { Match, Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";
import { block, cannotDecide, isOverCap, refuse, tell } from "./answer";
import { ACTION_BLOCKED, ACTION_MATCHED, ACTION_NONE, ACTION_WOULD_BLOCK, emit } from "./event";
import { removeForged } from "./findings";
import { GrpcFrames, nextFrame } from "./grpc";
import { bodyLimit, onMessages } from "./grpcmessages";
import * as message from "./message";
import * as metrics from "./metrics";
import { isInQuarantine, noteAttack, readPeer } from "./quarantine";
import { Stream } from "./state";

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
