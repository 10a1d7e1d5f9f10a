/** `t:replaceComments`, `t:removeComments`, `t:removeCommentsChar`. */
import { close, open } from "./output";

function at(ptr: usize, len: i32, i: i32): u8 {
  return i < len ? load<u8>(ptr + i) : 0;
}

function opensComment(ptr: usize, len: i32, i: i32): bool {
  return at(ptr, len, i) == 0x2f && at(ptr, len, i + 1) == 0x2a;
}

function closesComment(ptr: usize, len: i32, i: i32): bool {
  return at(ptr, len, i) == 0x2a && at(ptr, len, i + 1) == 0x2f;
}

function opensMarkup(ptr: usize, len: i32, i: i32): bool {
  return at(ptr, len, i) == 0x3c && at(ptr, len, i + 1) == 0x21 && at(ptr, len, i + 2) == 0x2d && at(ptr, len, i + 3) == 0x2d;
}

function closesMarkup(ptr: usize, len: i32, i: i32): bool {
  return at(ptr, len, i) == 0x2d && at(ptr, len, i + 1) == 0x2d && at(ptr, len, i + 2) == 0x3e;
}

function isDashes(ptr: usize, len: i32, i: i32): bool {
  return at(ptr, len, i) == 0x2d && at(ptr, len, i + 1) == 0x2d;
}

/** Turns each C comment, an unterminated one too, into one space. */
export function replaceComments(ptr: usize, len: i32): bool {
  let first = 0;
  while (first < len && !opensComment(ptr, len, first)) first++;
  if (first >= len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let i = first;
  while (i < len) {
    if (!opensComment(ptr, len, i)) {
      store<u8>(to++, load<u8>(ptr + i++));
      continue;
    }
    i += 2;
    while (i < len && !closesComment(ptr, len, i)) i++;
    i += 2;
    store<u8>(to++, 0x20);
  }
  return close(out, to);
}

/** Removes C and markup comments with their content, and all that follows `--` or `#`. */
export function removeComments(ptr: usize, len: i32): bool {
  const out = open(len);
  let to = out;
  let i = 0;
  let changed = false;
  while (i < len) {
    if (opensComment(ptr, len, i)) {
      i += 2;
      while (i < len && !closesComment(ptr, len, i)) i++;
      i += 2;
    } else if (opensMarkup(ptr, len, i)) {
      i += 4;
      while (i < len && !closesMarkup(ptr, len, i)) i++;
      i += 3;
    } else if (isDashes(ptr, len, i) || at(ptr, len, i) == 0x23) {
      i = len;
      store<u8>(to++, 0x20);
    } else {
      store<u8>(to++, load<u8>(ptr + i++));
      continue;
    }
    changed = true;
  }
  if (!changed) return false;
  return close(out, to);
}

/** Removes the marks of comments and keeps what they enclose. */
export function removeCommentsChar(ptr: usize, len: i32): bool {
  const out = open(len);
  let to = out;
  let i = 0;
  while (i < len) {
    if (opensComment(ptr, len, i) || closesComment(ptr, len, i)) i += 2;
    else if (opensMarkup(ptr, len, i)) i += 4;
    else if (closesMarkup(ptr, len, i)) i += 3;
    else if (isDashes(ptr, len, i)) i += 2;
    else if (at(ptr, len, i) == 0x23) i++;
    else store<u8>(to++, load<u8>(ptr + i++));
  }
  if (<i32>(to - out) == len) return false;
  return close(out, to);
}
