/** `t:removeWhitespace`, `t:compressWhitespace`, `t:trim`, `t:trimLeft`, `t:trimRight`. */
import { isSpace } from "../../bytes/ascii";
import { close, open, part } from "./output";

/**
 * Gives the length of the white space at `i`, 0 if there is none: C's isspace, and the no-break space
 * as UTF-8 (c2 a0) or as a single byte that is not part of a UTF-8 character.
 */
function spaceAt(ptr: usize, len: i32, i: i32): i32 {
  const c = load<u8>(ptr + i);
  if (isSpace(c)) return 1;
  if (c == 0xc2 && i + 1 < len) {
    const next = load<u8>(ptr + i + 1);
    return next == 0xa0 || next == 0x85 ? 2 : 0;
  }
  return c == 0xa0 && (i == 0 || load<u8>(ptr + i - 1) < 0x80) ? 1 : 0;
}

/** True for the ASCII bytes that are never white space: nearly all there are. */
function isPlain(c: u8): bool {
  return c > 0x20 && c < 0x80;
}

function firstSpace(ptr: usize, len: i32): i32 {
  let i = 0;
  while (i < len && spaceAt(ptr, len, i) == 0) i++;
  return i;
}

export function removeWhitespace(ptr: usize, len: i32): bool {
  const first = firstSpace(ptr, len);
  if (first == len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let i = first;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (isPlain(c)) {
      store<u8>(to++, c);
      i++;
      continue;
    }
    const n = spaceAt(ptr, len, i);
    if (n == 0) store<u8>(to++, c);
    i += max(n, 1);
  }
  return close(out, to);
}

/** Turns each run of white space into one space. */
export function compressWhitespace(ptr: usize, len: i32): bool {
  const first = firstSpace(ptr, len);
  if (first == len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let inSpace = false;
  let changed = false;
  let i = first;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (isPlain(c)) {
      store<u8>(to++, c);
      inSpace = false;
      i++;
      continue;
    }
    const n = spaceAt(ptr, len, i);
    if (n == 0) {
      store<u8>(to++, c);
      inSpace = false;
    } else if (!inSpace) {
      if (c != 0x20) changed = true;
      store<u8>(to++, 0x20);
      inSpace = true;
    } else changed = true;
    i += max(n, 1);
  }
  if (!changed) return false;
  return close(out, to);
}

export function trim(ptr: usize, len: i32): bool {
  return trimEnds(ptr, len, true, true);
}

export function trimLeft(ptr: usize, len: i32): bool {
  return trimEnds(ptr, len, true, false);
}

export function trimRight(ptr: usize, len: i32): bool {
  return trimEnds(ptr, len, false, true);
}

function trimEnds(ptr: usize, len: i32, left: bool, right: bool): bool {
  let from = 0;
  let to = len;
  if (left) while (from < to && isSpace(load<u8>(ptr + from))) from++;
  if (right) while (to > from && isSpace(load<u8>(ptr + to - 1))) to--;
  return part(ptr, from, to, len);
}
