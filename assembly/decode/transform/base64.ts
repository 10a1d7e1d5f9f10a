/**
 * `t:base64Decode`, `t:base64DecodeExt`, `t:base64Encode` (RFC 4648).
 *
 * The strict decoder skips line breaks and stops at anything else that is not of the alphabet. The
 * forgiving one skips it, and takes the URL-safe alphabet too.
 */
import { close, open } from "./output";

export function base64Decode(ptr: usize, len: i32): bool {
  return decodeBase64(ptr, len, false);
}

export function base64DecodeExt(ptr: usize, len: i32): bool {
  return decodeBase64(ptr, len, true);
}

// What a character is: the six bits that it stands for, or one of these.
const SKIPPED: u8 = 64;
const END: u8 = 128;
/** What each character is to the strict decoder, and to the forgiving one; filled when first needed. */
const strict: usize = memory.data(256);
const lenient: usize = memory.data(256);
let ready: bool = false;

function prepareTables(): void {
  ready = true;
  memory.fill(strict, END, 256);
  memory.fill(lenient, SKIPPED, 256);
  for (let value: u32 = 0; value < 64; value++) enter(digit(value), <u8>value);
  enter(0x0d, SKIPPED);
  enter(0x0a, SKIPPED);
  enter(0x3d, END);
  store<u8>(lenient + 0x2d, 62);
  store<u8>(lenient + 0x5f, 63);
}

function enter(c: u8, meaning: u8): void {
  store<u8>(strict + <usize>c, meaning);
  store<u8>(lenient + <usize>c, meaning);
}

function decodeBase64(ptr: usize, len: i32, forgiving: bool): bool {
  if (len == 0) return false;
  if (!ready) prepareTables();
  const table = forgiving ? lenient : strict;
  const out = open(len);
  let to = out;
  let bits: u32 = 0;
  let held = 0;
  let i = 0;
  for (; i + 4 <= len; i += 4) {
    const a = <u32>load<u8>(table + <usize>load<u8>(ptr + i));
    const b = <u32>load<u8>(table + <usize>load<u8>(ptr + i, 1));
    const c = <u32>load<u8>(table + <usize>load<u8>(ptr + i, 2));
    const d = <u32>load<u8>(table + <usize>load<u8>(ptr + i, 3));
    if ((a | b | c | d) >= <u32>SKIPPED) break;
    store<u8>(to, <u8>((a << 2) | (b >> 4)));
    store<u8>(to, <u8>((b << 4) | (c >> 2)), 1);
    store<u8>(to, <u8>((c << 6) | d), 2);
    to += 3;
  }
  for (; i < len; i++) {
    const meaning = load<u8>(table + <usize>load<u8>(ptr + i));
    if (meaning >= SKIPPED) {
      if (meaning == END) break;
      continue;
    }
    bits = (bits << 6) | <u32>meaning;
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
