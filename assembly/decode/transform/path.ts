/** `t:normalizePath` and `t:normalizePathWin`: no `//`, no `.`, and `..` takes back a segment. */
import { indexOf } from "../../bytes/span";
import { close, open } from "./output";

export function normalizePath(ptr: usize, len: i32): bool {
  return normalize(ptr, len);
}

/** As `normalizePath`, with each backslash a slash first. */
export function normalizePathWin(ptr: usize, len: i32): bool {
  if (indexOf(ptr, len, 0x5c) < 0) return normalize(ptr, len);
  const slashed = open(len);
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    store<u8>(slashed + i, c == 0x5c ? 0x2f : c);
  }
  close(slashed, slashed + len);
  normalize(slashed, len);
  return true;
}

function isDots(ptr: usize, from: i32, to: i32, count: i32): bool {
  if (to - from != count) return false;
  for (let i = from; i < to; i++) if (load<u8>(ptr + i) != 0x2e) return false;
  return true;
}

/** True if there is a segment to take away: a dot at the beginning or after a slash, or two slashes. */
function needsWork(ptr: usize, len: i32): bool {
  if (load<u8>(ptr) == 0x2e) return true;
  for (let i = indexOf(ptr, len, 0x2f); i >= 0 && i + 1 < len; i = indexOf(ptr, len, 0x2f, i + 1)) {
    const c = load<u8>(ptr + i + 1);
    if (c == 0x2e || c == 0x2f) return true;
  }
  return false;
}

/** Walks the segments from left to right; `out` always holds the normal form of what was read. */
function normalize(ptr: usize, len: i32): bool {
  if (len == 0 || !needsWork(ptr, len)) return false;
  const rooted = load<u8>(ptr) == 0x2f;
  const out = open(len + 1);
  const base = rooted ? 1 : 0;
  if (rooted) store<u8>(out, 0x2f);
  let n = base;
  /** Length of the part that `..` cannot take back: leading `..` of a relative path. */
  let kept = base;
  let i = 0;
  while (i < len) {
    while (i < len && load<u8>(ptr + i) == 0x2f) i++;
    const from = i;
    while (i < len && load<u8>(ptr + i) != 0x2f) i++;
    if (from == i || isDots(ptr, from, i, 1)) continue;
    if (isDots(ptr, from, i, 2)) {
      if (n > kept) {
        n--;
        while (n > kept && load<u8>(out + n - 1) != 0x2f) n--;
        if (n > kept) n--;
        continue;
      }
      if (rooted) continue;
    }
    if (n > base) store<u8>(out + n++, 0x2f);
    memory.copy(out + n, ptr + from, <usize>(i - from));
    n += i - from;
    if (isDots(ptr, from, i, 2)) kept = n;
  }
  if (load<u8>(ptr + len - 1) == 0x2f && n > base) store<u8>(out + n++, 0x2f);
  close(out, out + n);
  return n != len || memory.compare(out, ptr, <usize>n) != 0;
}
