/**
 * gRPC requests, message by message: a stream of them may never end, so nothing waits for its end. Each
 * message is a frame of a flag, a length and bytes (gRPC over HTTP/2, "Length-Prefixed-Message"). When its
 * last byte arrives, its strings become arguments and the rules of phase 2 run. A blocked message is never
 * complete at the receiver: the piece with its last byte is not passed on.
 *
 * Messages do not add up: each is judged with what phase 1 left, in memory of its own.
 */
import { Arena } from "../bytes/arena";
import { addStrings } from "../decode/protobuf";
import { runPhase } from "../seclang/evaluate";
import { Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";

const HEADER: i32 = 5;

/** A message being put together. */
@unmanaged
export class GrpcFrames {
  /** Memory for the message, used again for the next one if it is large enough. */
  frame: usize;
  /** Bytes at `frame`. */
  capacity: i32;
  /** Bytes of the frame that arrived, header included. */
  have: i32;
  /** Bytes of the message, -1 until its header is complete. */
  want: i32;
  /** Header of the current frame. */
  private h0: u64;

  get header(): usize {
    return changetype<usize>(this) + offsetof<GrpcFrames>("h0");
  }

  get isCompressed(): bool {
    return load<u8>(this.header) != 0;
  }
}

export const FRAME_MORE: i32 = 0;
export const FRAME_COMPLETE: i32 = 1;
export const FRAME_TOO_LARGE: i32 = 2;

/** Offset up to which `takeFrame` read its input. */
export let taken: i32 = 0;

/** Takes bytes of `len` at `ptr`, from `from` on, up to the end of a frame. A frame lives in `arena`. */
export function takeFrame(arena: Arena, frames: GrpcFrames, ptr: usize, len: i32, from: i32, limit: i32): i32 {
  taken = from;
  while (frames.have < HEADER && taken < len) store<u8>(frames.header + frames.have++, load<u8>(ptr + taken++));
  if (frames.have < HEADER) return FRAME_MORE;
  if (frames.want < 0) {
    const size = bswap<u32>(load<u32>(frames.header + 1));
    if (size > <u32>limit) return FRAME_TOO_LARGE;
    frames.want = <i32>size;
    if (frames.want > frames.capacity || frames.frame == 0) {
      // doubled, so that all buffers of a stream together take at most twice the largest
      frames.capacity = max(max(frames.want, frames.capacity * 2), 256);
      frames.frame = arena.reserve(<usize>frames.capacity);
    }
  }
  const missing = frames.want - (frames.have - HEADER);
  const n = min(missing, len - taken);
  memory.copy(frames.frame + (frames.have - HEADER), ptr + taken, <usize>n);
  frames.have += n;
  taken += n;
  return n == missing ? FRAME_COMPLETE : FRAME_MORE;
}

/** Forgets the frame, so that the next one can begin. */
export function nextFrame(frames: GrpcFrames): void {
  frames.have = 0;
  frames.want = -1;
}

/** Gives a transaction for one message: what phase 1 left in `tx`, and the strings of the message. */
export function judgeMessage(arena: Arena, tx: Transaction, frames: GrpcFrames): Transaction {
  const own = tx.fork(arena);
  addStrings(arena, frames.frame, frames.want, own.list(v.ARGS_POST), tx.settings.argumentsLimit);
  own.set(v.REQUEST_BODY, frames.frame, frames.want);
  own.setInt(v.REQUEST_BODY_LENGTH, frames.want);
  runPhase(own, 2);
  return own;
}
