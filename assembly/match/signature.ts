/**
 * Signatures: which bytes occur in a value, as a 64-bit map of buckets. Two cases of a letter share a bucket,
 * all digits share one, each ASCII punctuation mark has its own. A value's signature is computed once; that a
 * pattern cannot match, or that a transformation changes nothing, is then two or three instructions.
 *
 * Bits: 0-25 letters, 26 set if an upper-case letter occurs, 27 digits, 28 bytes from 0x80 on, 29 NUL and other
 * control characters, 30 space, 31 tab to carriage return, 32-63 punctuation in ASCII order.
 */
import { isAlpha, isDigit } from "../bytes/ascii";
import { BLOCK, lowerBlock } from "../bytes/simd";
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

/** Bytes from which on looking at sixteen at a time is faster. */
const LONG: i32 = 32;

/** Gives the signature of `len` bytes at `ptr`. */
export function signatureOf(ptr: usize, len: i32): u64 {
  return len < LONG ? signatureOfShort(ptr, len) : signatureOfLong(ptr, len);
}

/**
 * Sixteen bytes at a time. With letters in lower case, what is left of ASCII are five rows of sixteen characters, by the
 * upper half of a byte (4 and 5 are one: `@` is in the one, `[` to `_` in the other). Each row has two accumulators, for the
 * lower half of its characters and the upper, whose bits say which have occurred in any lane.
 */
function signatureOfLong(ptr: usize, len: i32): u64 {
  const firstHalf = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const secondHalf = i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, -128);
  let row2a = i8x16.splat(0);
  let row2b = row2a;
  let row3a = row2a;
  let row3b = row2a;
  let row5a = row2a;
  let row5b = row2a;
  let row6a = row2a;
  let row6b = row2a;
  let row7a = row2a;
  let row7b = row2a;
  let any = row2a;
  let upper = row2a;
  let space = row2a;
  let control = row2a;
  const last = ptr + <usize>(len - BLOCK);
  for (let p = ptr; ; p = min(p + BLOCK, last)) {
    const block = v128.load(p);
    any = v128.or(any, block);
    const folded = lowerBlock(block);
    upper = v128.or(upper, v128.xor(block, folded));
    const isTab = i8x16.lt_u(i8x16.sub(block, i8x16.splat(9)), i8x16.splat(5));
    space = v128.or(space, isTab);
    control = v128.or(control, v128.andnot(i8x16.lt_u(block, i8x16.splat(0x20)), isTab));
    const row = i8x16.shr_u(folded, 4);
    const column = v128.and(folded, i8x16.splat(15));
    const a = i8x16.swizzle(firstHalf, column);
    const b = i8x16.swizzle(secondHalf, column);
    const is2 = i8x16.eq(row, i8x16.splat(2));
    row2a = v128.or(row2a, v128.and(is2, a));
    row2b = v128.or(row2b, v128.and(is2, b));
    const is3 = i8x16.eq(row, i8x16.splat(3));
    row3a = v128.or(row3a, v128.and(is3, a));
    row3b = v128.or(row3b, v128.and(is3, b));
    const is5 = i8x16.eq(v128.or(row, i8x16.splat(1)), i8x16.splat(5));
    row5a = v128.or(row5a, v128.and(is5, a));
    row5b = v128.or(row5b, v128.and(is5, b));
    const is6 = i8x16.eq(row, i8x16.splat(6));
    row6a = v128.or(row6a, v128.and(is6, a));
    row6b = v128.or(row6b, v128.and(is6, b));
    const is7 = i8x16.eq(row, i8x16.splat(7));
    row7a = v128.or(row7a, v128.and(is7, a));
    row7b = v128.or(row7b, v128.and(is7, b));
    if (p == last) break;
  }
  const row3 = rowOf(row3a, row3b);
  const row5 = rowOf(row5a, row5b);
  let signature = ofRow2(rowOf(row2a, row2b)) | ofRow7(rowOf(row7a, row7b));
  if ((row3 & 0x3ff) != 0) signature |= 1 << 27;
  // the marks of a row follow each other, see the numbers at the head of this file
  signature |= ((row3 >> 10) << 47) | ((row5 & 1) << 53) | ((row5 >> 11) << 54);
  const row6 = rowOf(row6a, row6b);
  signature |= (row6 >> 1) | ((row6 & 1) << 59);
  if (i8x16.bitmask(any) != 0) signature |= HIGH;
  if (v128.any_true(upper)) signature |= UPPER;
  if (v128.any_true(space)) signature |= (<u64>1) << 31;
  return v128.any_true(control) ? signature | CONTROL : signature;
}

/** Gives the characters of a row that have occurred, a bit each, from its two accumulators. */
function rowOf(a: v128, b: v128): u64 {
  return anyLane(a) | (anyLane(b) << 8);
}

/** Gives the bits that any byte of a vector has. */
function anyLane(v: v128): u64 {
  let bits = i64x2.extract_lane(v, 0) | i64x2.extract_lane(v, 1);
  bits |= bits >> 32;
  bits |= bits >> 16;
  bits |= bits >> 8;
  return <u64>bits & 0xff;
}

/** The space, and marks from `!` to `/`. */
function ofRow2(row: u64): u64 {
  return ((row & 1) << 30) | ((row >> 1) << 32);
}

/** Letters from p to z, marks from `{` to `~`, and DEL. */
function ofRow7(row: u64): u64 {
  return ((row & 0x7ff) << 15) | (((row >> 11) & 15) << 60) | ((row >> 15) << 29);
}

function signatureOfShort(ptr: usize, len: i32): u64 {
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
