/** The messages of a gRPC request, judged one by one as they arrive. */
import { Arena } from "../bytes/arena";
import { CONTINUE, dataLen, dataPtr, getBuffer, REQUEST_BODY_BUFFER, useArena } from "../host/abi";
import { ENGINE_ON } from "../seclang/model";
import { LIMIT_REJECT } from "../seclang/settings";
import { Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";
import { block, cannotDecide, isOverCap, refuse } from "./answer";
import { ACTION_WOULD_BLOCK, emit } from "./event";
import { FRAME_COMPLETE, FRAME_TOO_LARGE, judgeMessage, nextFrame, takeFrame, taken } from "./grpc";
import * as metrics from "./metrics";
import { Stream } from "./state";

/** Judges what has come of the body of a gRPC request: `size` bytes. */
export function onMessages(stream: Stream, tx: Transaction, size: i32): i32 {
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

export function bodyLimit(tx: Transaction): i32 {
  const settings = tx.settings;
  const multipart = tx.scalar(v.REQBODY_PROCESSOR).len == 9;
  if (multipart || settings.requestBodyNoFilesLimit == 0) return settings.requestBodyLimit;
  return min(settings.requestBodyLimit, settings.requestBodyNoFilesLimit);
}
