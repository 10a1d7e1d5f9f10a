/** `t:urlDecode`, `t:urlDecodeUni`, `t:urlEncode`; what is not a valid escape stays as it is. */
import { hexByte, hexDigit, isAlnum, isHex } from "../../bytes/ascii";
import { bestFit } from "./bestfit";
import { close, open } from "./output";

export function urlDecode(ptr: usize, len: i32): bool {
  return decodeUrl(ptr, len, false);
}

/** As `urlDecode`, and `%uHHHH` gives its nearest ASCII byte, or the low byte of its code. */
export function urlDecodeUni(ptr: usize, len: i32): bool {
  return decodeUrl(ptr, len, true);
}

function hexAt(ptr: usize, len: i32, i: i32): bool {
  return i + 1 < len && isHex(load<u8>(ptr + i)) && isHex(load<u8>(ptr + i + 1));
}

function decodeUrl(ptr: usize, len: i32, unicode: bool): bool {
  let i = 0;
  while (i < len && load<u8>(ptr + i) != 0x25 && load<u8>(ptr + i) != 0x2b) i++;
  if (i == len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>i);
  let to = out + i;
  let changed = false;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (c == 0x2b) {
      store<u8>(to++, 0x20);
      i++;
      changed = true;
    } else if (c == 0x25 && hexAt(ptr, len, i + 1)) {
      store<u8>(to++, hexByte(ptr + i + 1));
      i += 3;
      changed = true;
    } else if (c == 0x25 && unicode && isUnicodeEscape(ptr, len, i)) {
      store<u8>(to++, unicodeByte(ptr + i + 2));
      i += 6;
      changed = true;
    } else {
      store<u8>(to++, c);
      i++;
    }
  }
  if (!changed) return false;
  return close(out, to);
}

function isUnicodeEscape(ptr: usize, len: i32, i: i32): bool {
  return i + 5 < len && (load<u8>(ptr + i + 1) | 0x20) == 0x75 && hexAt(ptr, len, i + 2) && hexAt(ptr, len, i + 4);
}

function unicodeByte(ptr: usize): u8 {
  const high = <u32>hexByte(ptr);
  const low = <u32>hexByte(ptr + 2);
  const near = bestFit((high << 8) | low);
  return near >= 0 ? <u8>near : <u8>low;
}

/** Escapes all but letters, digits, `*`, `-`, `_` and `.`; a space becomes `+`. */
export function urlEncode(ptr: usize, len: i32): bool {
  const out = open(len * 3);
  let to = out;
  let changed = false;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (isAlnum(c) || c == 0x2a || c == 0x2d || c == 0x5f || c == 0x2e) {
      store<u8>(to++, c);
      continue;
    }
    changed = true;
    if (c == 0x20) store<u8>(to++, 0x2b);
    else {
      store<u8>(to, 0x25);
      store<u8>(to, hexDigit(c >> 4), 1);
      store<u8>(to, hexDigit(c & 15), 2);
      to += 3;
    }
  }
  if (!changed) return false;
  return close(out, to);
}
