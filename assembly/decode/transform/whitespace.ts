/** `t:removeWhitespace`, `t:compressWhitespace`, `t:trim`, `t:trimLeft`, `t:trimRight`. */
import { isSpace } from "../../bytes/ascii";
import { BLOCK } from "../../bytes/simd";
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

/** Bytes of a block that may be white space: all below `!` and, as signed numbers, all from 0x80 on. */
function mayBeSpace(block: v128): v128 {
  return i8x16.lt_s(block, i8x16.splat(0x21));
}

function firstSpace(ptr: usize, len: i32): i32 {
  let i = 0;
  while (i < len) {
    const left = len - i;
    if (left >= 8) {
      const size = left >= BLOCK ? BLOCK : 8;
      const block = size == BLOCK ? v128.load(ptr + i) : v128.load64_zero(ptr + i);
      const plain = min(ctz(i8x16.bitmask(mayBeSpace(block))), size);
      i += plain;
      if (plain == size) continue;
    }
    if (!isPlain(load<u8>(ptr + i)) && spaceAt(ptr, len, i) > 0) return i;
    i++;
  }
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
    if (i + BLOCK <= len) {
      // a whole block is written, and what comes after the plain bytes at its beginning is overwritten
      const block = v128.load(ptr + i);
      v128.store(to, block);
      const plain = min(ctz(i8x16.bitmask(mayBeSpace(block))), BLOCK);
      to += plain;
      i += plain;
      if (plain == BLOCK) continue;
    }
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

/**
 * Gives the offset up to which compressing changes nothing, for all that can be seen sixteen bytes at a time: spaces
 * that stand alone are the only white space of most texts.
 */
function unchangedUpTo(ptr: usize, len: i32): i32 {
  const space = i8x16.splat(0x20);
  let i = 0;
  for (; i + BLOCK < len; i += BLOCK) {
    const block = v128.load(ptr + i);
    const spaces = i8x16.eq(block, space);
    const twice = v128.and(spaces, i8x16.eq(v128.load(ptr + i + 1), space));
    const other = v128.andnot(mayBeSpace(block), spaces);
    if (v128.any_true(v128.or(twice, other))) break;
  }
  return i;
}

/** Turns each run of white space into one space. */
export function compressWhitespace(ptr: usize, len: i32): bool {
  const same = unchangedUpTo(ptr, len);
  const first = same + firstSpace(ptr + same, len - same);
  if (first == len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  // a run may begin with the space that ends what was left alone
  let inSpace = first == same && first > 0 && load<u8>(ptr + first - 1) == 0x20;
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
