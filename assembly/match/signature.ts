/**
 * Signatures: which bytes occur in a value, as a 64-bit map of buckets. Two cases of a letter share a bucket,
 * all digits share one, each ASCII punctuation mark has its own. A value's signature is computed once; that a
 * pattern cannot match, or that a transformation changes nothing, is then two or three instructions.
 *
 * Bits: 0-25 letters, 26 set if an upper-case letter occurs, 27 digits, 28 bytes from 0x80 on, 29 NUL and other
 * control characters, 30 space, 31 tab to carriage return, 32-63 punctuation in ASCII order.
 */
import { isAlpha, isDigit } from "../bytes/ascii";
import { setHas } from "./byteset";

/** Set if an upper-case letter occurs, beside the bit of the letter. */
export const UPPER: u64 = 1 << 26;
export const CONTROL: u64 = 1 << 29;
export const BLANKS: u64 = 3 << 30;
export const HIGH: u64 = 1 << 28;
/** Letters and digits. */
export const ALNUM: u64 = 0x0fffffff & ~(1 << 28);

/** Gives the bucket of a byte as a map with one bit. */
export function bucketOf(c: u8): u64 {
  if (isAlpha(c)) return (<u64>1) << (<u64>((c | 0x20) - 0x61));
  if (isDigit(c)) return 1 << 27;
  if (c >= 0x80) return HIGH;
  if (c == 0x20) return 1 << 30;
  if (c >= 0x09 && c <= 0x0d) return (<u64>1) << 31;
  if (c < 0x20 || c == 0x7f) return CONTROL;
  let index = <u64>c - 0x21;
  if (c > 0x3a - 1) index -= 10;
  if (c > 0x5a) index -= 26;
  if (c > 0x7a) index -= 26;
  return (<u64>1) << (32 + index);
}

/** Bits that each byte adds to a signature; filled by `prepareSignatures`. 2,048 bytes. */
const bits: usize = memory.data(2048, 8);
let ready: bool = false;

/** Fills the table; safe to call again. */
export function prepareSignatures(): void {
  if (ready) return;
  ready = true;
  for (let c = 0; c < 256; c++) {
    const upper = c >= 0x41 && c <= 0x5a ? UPPER : 0;
    store<u64>(bits + ((<usize>c) << 3), bucketOf(<u8>c) | upper);
  }
}

/** Gives the signature of `len` bytes at `ptr`. */
export function signatureOf(ptr: usize, len: i32): u64 {
  let signature: u64 = 0;
  let other: u64 = 0;
  const end = ptr + <usize>len;
  let p = ptr;
  for (; p + 4 <= end; p += 4) {
    signature |= load<u64>(bits + ((<usize>load<u8>(p)) << 3)) | load<u64>(bits + ((<usize>load<u8>(p, 1)) << 3));
    other |= load<u64>(bits + ((<usize>load<u8>(p, 2)) << 3)) | load<u64>(bits + ((<usize>load<u8>(p, 3)) << 3));
  }
  for (; p < end; p++) signature |= load<u64>(bits + ((<usize>load<u8>(p)) << 3));
  return signature | other;
}

/** Gives the signature of a text in which each byte that is not in the set occurs. */
export function signatureOutside(set: usize): u64 {
  let signature: u64 = 0;
  for (let c = 0; c < 256; c++) if (!setHas(set, <u8>c)) signature |= load<u64>(bits + ((<usize>c) << 3));
  return signature;
}

/** Gives the signature that consists of the marks in an ASCII text; for tables. */
export function marks(text: string): u64 {
  let signature: u64 = 0;
  for (let i = 0; i < text.length; i++) signature |= bucketOf(<u8>text.charCodeAt(i));
  return signature;
}
