/**
 * `t:base64Decode`, `t:base64DecodeExt`, `t:base64Encode` (RFC 4648).
 *
 * The strict decoder skips line breaks and stops at anything else that is not of the alphabet. The
 * forgiving one skips it, and takes the URL-safe alphabet too.
 */
import { isAlpha, isDigit } from "../../bytes/ascii";
import { close, open } from "./output";

export function base64Decode(ptr: usize, len: i32): bool {
  return decodeBase64(ptr, len, false);
}

export function base64DecodeExt(ptr: usize, len: i32): bool {
  return decodeBase64(ptr, len, true);
}

/** Gives the six bits that a character stands for, or -1. */
function sextet(c: u8, forgiving: bool): i32 {
  if (isAlpha(c)) return c >= 0x61 ? <i32>c - 0x61 + 26 : <i32>c - 0x41;
  if (isDigit(c)) return <i32>c - 0x30 + 52;
  if (c == 0x2b || (forgiving && c == 0x2d)) return 62;
  if (c == 0x2f || (forgiving && c == 0x5f)) return 63;
  return -1;
}

function decodeBase64(ptr: usize, len: i32, forgiving: bool): bool {
  if (len == 0) return false;
  const out = open(len);
  let to = out;
  let bits: u32 = 0;
  let held = 0;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c == 0x0d || c == 0x0a) continue;
    if (c == 0x3d) break;
    const value = sextet(c, forgiving);
    if (value < 0) {
      if (forgiving) continue;
      break;
    }
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      store<u8>(to++, <u8>(bits >> held));
    }
  }
  return close(out, to);
}

function digit(value: u32): u8 {
  if (value < 26) return <u8>(0x41 + value);
  if (value < 52) return <u8>(0x61 + value - 26);
  if (value < 62) return <u8>(0x30 + value - 52);
  return value == 62 ? 0x2b : 0x2f;
}

export function base64Encode(ptr: usize, len: i32): bool {
  if (len == 0) return false;
  const out = open(((len + 2) / 3) * 4);
  let to = out;
  for (let i = 0; i < len; i += 3) {
    const second = i + 1 < len;
    const third = i + 2 < len;
    const b0 = <u32>load<u8>(ptr + i);
    const b1 = second ? <u32>load<u8>(ptr + i + 1) : 0;
    const b2 = third ? <u32>load<u8>(ptr + i + 2) : 0;
    store<u8>(to, digit(b0 >> 2));
    store<u8>(to, digit(((b0 & 3) << 4) | (b1 >> 4)), 1);
    store<u8>(to, second ? digit(((b1 & 15) << 2) | (b2 >> 6)) : 0x3d, 2);
    store<u8>(to, third ? digit(b2 & 63) : 0x3d, 3);
    to += 4;
  }
  return close(out, to);
}
