/**
 * Where a transformation leaves its result.
 *
 * A transformation takes `(ptr, len)` and gives true if the value changed; the result is then in
 * `resultPtr` and `resultLen`. If nothing changed it gives false, copies nothing, and the result is
 * not set. New values go to the arena of the stream. An output is opened for the longest possible
 * result and closed with what was written, so its surplus is given back.
 */
import { Arena } from "../../bytes/arena";

export let resultPtr: usize = 0;
export let resultLen: i32 = 0;

let arena: Arena = changetype<Arena>(0);

/** Sets the arena that results go to. */
export function outputTo(target: Arena): void {
  arena = target;
}

/** Opens an output of at most `most` bytes and gives its address. */
export function open(most: i32): usize {
  return arena.reserve(<usize>most);
}

/** Closes the output that starts at `start` and ends before `end`. Gives true, for `return close(...)`. */
export function close(start: usize, end: usize): bool {
  arena.trim(end);
  resultPtr = start;
  resultLen = <i32>(end - start);
  return true;
}

/** Gives back the output that starts at `start`, since nothing changed. Gives false, for `return giveBack(...)`. */
export function giveBack(start: usize): bool {
  arena.trim(start);
  return false;
}

/** Gives a part of the input as the result: nothing is copied. True if it is not the whole. */
export function part(ptr: usize, from: i32, to: i32, len: i32): bool {
  resultPtr = ptr + from;
  resultLen = to - from;
  return to - from != len;
}
