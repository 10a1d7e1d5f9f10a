/**
 * A request through the mesh filter. It is decided when its headers are there, and forgotten; only if a rule that may
 * decide asks for the body is there a second look once that has come.
 */
import { Arena } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { FINDINGS_HEADER, FINDINGS_HEADER_LEN } from "../findings/format";
import {
  CONTINUE,
  dataLen,
  dataPtr,
  getBuffer,
  getPairs,
  PAUSE,
  REQUEST_BODY_BUFFER,
  REQUEST_HEADER_MAP,
  removeHeader,
  sendLocalResponse,
  useArena,
} from "../host/abi";
import * as body from "../policy/body";
import { MeshConfiguration } from "../policy/configuration";
import { actual, giveBack, R_NOT_ALLOWED, R_QUARANTINE, R_UNKNOWN, shadow } from "../policy/decide";
import { isMalformed, mustRemove } from "../policy/edge";
import * as request from "../policy/request";
import * as metrics from "./metrics";
import { decideAll } from "./quarantine";
import { report, reportError } from "./report";

/** True if the last answer was to wait for the body. */
export let waits: bool = false;

/** Where one decision lives. */
const arena: Arena = Arena.create(0);

/** Decides on the headers. `ends` is true if there is no body. */
export function onRequestHeaders(configuration: MeshConfiguration, ends: bool): i32 {
  waits = false;
  metrics.countRequest();
  useArena(arena);
  body.setBody(ends || !configuration.readsBody ? body.NONE : body.AWAITED, 0, 0);
  const answer = judge(configuration);
  if (request.findingsCount > 0) checkFindings();
  return finish(configuration, answer);
}

/** Takes away findings that no gateway sent, while the headers are still there. */
function checkFindings(): void {
  if (isMalformed()) metrics.countMalformed();
  if (!mustRemove()) return;
  metrics.countRemoved();
  removeHeader(REQUEST_HEADER_MAP, FINDINGS_HEADER, FINDINGS_HEADER_LEN);
}

/** Waits for more of the body, of which `size` bytes are there, or decides again with it. */
export function onRequestBody(configuration: MeshConfiguration, size: i32, ends: bool): i32 {
  const limit = configuration.options.bodyBytes;
  waits = !ends && size <= limit;
  if (waits) return PAUSE;
  useArena(arena);
  let state = body.COMPLETE;
  if (size > limit) {
    metrics.countBodyLimit();
    state = body.UNREAD;
  } else if (size > 0 && !getBuffer(REQUEST_BODY_BUFFER, 0, size)) state = body.UNREAD;
  return judgeBody(configuration, state, size > 0 ? dataLen : 0);
}

/** Trailers end a body whose last piece did not say so: decides again with what is there. */
export function onRequestTrailers(configuration: MeshConfiguration): i32 {
  useArena(arena);
  // what the host keeps was at most the limit when its last piece came
  const got = getBuffer(REQUEST_BODY_BUFFER, 0, configuration.options.bodyBytes);
  return judgeBody(configuration, got ? body.COMPLETE : body.UNREAD, got ? dataLen : 0);
}

function judgeBody(configuration: MeshConfiguration, state: i32, len: i32): i32 {
  waits = false;
  body.setBody(state, dataPtr, len);
  return finish(configuration, judge(configuration));
}

function judge(configuration: MeshConfiguration): i32 {
  if (!getPairs(REQUEST_HEADER_MAP)) return cannotDecide(configuration);
  request.startRequest(arena, dataPtr, dataLen);
  decideAll(configuration);
  if (isPreliminary()) {
    waits = true;
    giveBack();
    return configuration.options.holdHeaders ? PAUSE : CONTINUE;
  }
  report(configuration, id);
  return actual.allowed ? CONTINUE : refuse();
}

/** True if the body may turn a denial into something else. */
function isPreliminary(): bool {
  if (!body.wasMissed || actual.reason == R_QUARANTINE) return false;
  return actual.reason == R_UNKNOWN || actual.reason == R_NOT_ALLOWED || shadow.reason == R_UNKNOWN || shadow.reason == R_NOT_ALLOWED;
}

function finish(configuration: MeshConfiguration, answer: i32): i32 {
  metrics.showMemory();
  arena.reset();
  return answer;
}

/** The headers themselves cannot be read: the configuration says whether that means no or yes. */
function cannotDecide(configuration: MeshConfiguration): i32 {
  request.startConnection(arena);
  metrics.countError();
  const closed = configuration.options.failClosed;
  reportError(configuration, "request headers could not be read", !closed, id);
  if (closed) return refuse();
  // there may be findings among them, and who sent them is not looked at
  removeHeader(REQUEST_HEADER_MAP, FINDINGS_HEADER, FINDINGS_HEADER_LEN);
  return CONTINUE;
}

const id: Buffer = Buffer.create(64);
const text: Buffer = Buffer.create(128);
const details: Buffer = Buffer.create(16);
const noHeaders: Buffer = Buffer.create(1);

/** Answers 403, which Envoy turns into PERMISSION_DENIED for gRPC, with the id of the event and nothing else. */
function refuse(): i32 {
  text.clear();
  text.text("access denied");
  if (id.len > 0) text.text(", id ").bytes(id.ptr, id.len);
  text.byte(0x0a);
  if (request.isGrpc) text.len--;
  details.clear();
  details.text("bailey_mesh_denied");
  sendLocalResponse(403, details, text.ptr, text.len, noHeaders, -1);
  return PAUSE;
}
