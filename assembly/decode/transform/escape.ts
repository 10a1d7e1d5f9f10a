/** Escapes of programming languages: `t:escapeSeqDecode` (ANSI C), `t:jsDecode`, `t:cssDecode`. */
import { hexByte, hexValue, isHex, isSpace } from "../../bytes/ascii";
import { indexOf } from "../../bytes/span";
import { encode } from "../../bytes/utf8";
import { close, open } from "./output";

function isOctal(c: u8): bool {
  return <u8>(c - 0x30) < 8;
}

/** Gives the control character that a letter names after a backslash, or the letter itself. */
function control(letter: u8): u8 {
  switch (letter) {
    case 0x61:
      return 0x07;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    case 0x76:
      return 0x0b;
    default:
      return letter;
  }
}

/** Gives the number of hexadecimal digits at `i`, `most` at most. */
function hexRun(ptr: usize, len: i32, i: i32, most: i32): i32 {
  let n = 0;
  while (n < most && i + n < len && isHex(load<u8>(ptr + i + n))) n++;
  return n;
}

/** Gives the number of octal digits at `i`, `most` at most. */
function octalRun(ptr: usize, len: i32, i: i32, most: i32): i32 {
  let n = 0;
  while (n < most && i + n < len && isOctal(load<u8>(ptr + i + n))) n++;
  return n;
}

function octalValue(ptr: usize, i: i32, n: i32): u32 {
  let value: u32 = 0;
  for (let k = 0; k < n; k++) value = (value << 3) | (load<u8>(ptr + i + k) - 0x30);
  return value;
}

function hexRunValue(ptr: usize, i: i32, n: i32): u32 {
  let value: u32 = 0;
  for (let k = 0; k < n; k++) value = (value << 4) | hexValue(load<u8>(ptr + i + k));
  return value;
}

/** Decodes `\n` and its kin, `\xHH` and `\OOO`; any other backslash goes away. */
export function escapeSeqDecode(ptr: usize, len: i32): bool {
  const first = indexOf(ptr, len, 0x5c);
  if (first < 0 || first + 1 >= len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let i = first;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (c != 0x5c || i + 1 >= len) {
      store<u8>(to++, c);
      i++;
      continue;
    }
    const next = load<u8>(ptr + i + 1);
    if ((next | 0x20) == 0x78 && hexRun(ptr, len, i + 2, 2) == 2) {
      store<u8>(to++, hexByte(ptr + i + 2));
      i += 4;
    } else if (isOctal(next)) {
      const n = octalRun(ptr, len, i + 1, 3);
      store<u8>(to++, <u8>octalValue(ptr, i + 1, n));
      i += 1 + n;
    } else {
      store<u8>(to++, control(next));
      i += 2;
    }
  }
  return close(out, to);
}

/** Decodes JavaScript's escapes; of a code unit above 0xff the low byte is kept, full-width forms are folded. */
export function jsDecode(ptr: usize, len: i32): bool {
  const first = indexOf(ptr, len, 0x5c);
  if (first < 0 || first + 1 >= len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let i = first;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (c != 0x5c || i + 1 >= len) {
      store<u8>(to++, c);
      i++;
      continue;
    }
    const next = load<u8>(ptr + i + 1);
    if (next == 0x75 && hexRun(ptr, len, i + 2, 4) == 4) {
      store<u8>(to++, foldWide(hexRunValue(ptr, i + 2, 4)));
      i += 6;
    } else if (next == 0x75 && bracedRun(ptr, len, i + 2) > 0) {
      const n = bracedRun(ptr, len, i + 2);
      store<u8>(to++, foldWide(hexRunValue(ptr, i + 3, n)));
      i += n + 4;
    } else if (next == 0x78 && hexRun(ptr, len, i + 2, 2) == 2) {
      store<u8>(to++, hexByte(ptr + i + 2));
      i += 4;
    } else if (isOctal(next)) {
      // three digits only where they fit a byte
      const n = octalRun(ptr, len, i + 1, next > 0x33 ? 2 : 3);
      store<u8>(to++, <u8>octalValue(ptr, i + 1, n));
      i += 1 + n;
    } else {
      store<u8>(to++, control(next));
      i += 2;
    }
  }
  return close(out, to);
}

/** Gives the number of digits of `{H...H}` at `i`, 0 if it is not that. */
function bracedRun(ptr: usize, len: i32, i: i32): i32 {
  if (i >= len || load<u8>(ptr + i) != 0x7b) return 0;
  const n = hexRun(ptr, len, i + 1, 6);
  return n > 0 && i + 1 + n < len && load<u8>(ptr + i + 1 + n) == 0x7d ? n : 0;
}

function foldWide(code: u32): u8 {
  return <u8>(code >= 0xff01 && code <= 0xff5e ? code - 0xfee0 : code);
}

/** Decodes CSS escapes (CSS Syntax, section 4.3.7); a code point outside ASCII becomes UTF-8. */
export function cssDecode(ptr: usize, len: i32): bool {
  const first = indexOf(ptr, len, 0x5c);
  if (first < 0) return false;
  // an escape of two bytes can give U+FFFD, which takes three
  const out = open(len + len / 2 + 4);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let i = first;
  while (i < len) {
    const c = load<u8>(ptr + i++);
    if (c != 0x5c) {
      store<u8>(to++, c);
      continue;
    }
    if (i >= len) break;
    const n = hexRun(ptr, len, i, 6);
    if (n > 0) {
      to += encode(to, cssCodePoint(hexRunValue(ptr, i, n)));
      i += n;
      if (i < len && isSpace(load<u8>(ptr + i))) i++;
    } else {
      const next = load<u8>(ptr + i++);
      if (next != 0x0a) store<u8>(to++, next);
    }
  }
  return close(out, to);
}

function cssCodePoint(code: u32): u32 {
  if (code >= 0xff01 && code <= 0xff5e) return code - 0xfee0;
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  return code == 0 || surrogate || code > 0x10ffff ? 0xfffd : code;
}
