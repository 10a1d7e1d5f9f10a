/**
 * Bytes that live elsewhere: an address and a length. Functions take the pair `(ptr, len)`; `Span`
 * holds one where it must be kept. Text from the network is bytes of unknown encoding throughout.
 */
import { lower } from "./ascii";
import { BLOCK, blockMask, lowerBlock } from "./simd";

@unmanaged
export class Span {
  ptr: usize;
  /** Length in bytes. */
  len: i32;
}

/** True if both are the same bytes. */
export function equal(a: usize, aLen: i32, b: usize, bLen: i32): bool {
  return aLen == bLen && sameBytes(a, b, aLen);
}

// Comparing is done in pieces of one size, of which the last may overlap the one before.

function sameBytes(a: usize, b: usize, len: i32): bool {
  if (len < 4) return sameFew(a, b, len);
  const rest = <usize>len;
  if (len < 8) return load<u32>(a) == load<u32>(b) && load<u32>(a + rest - 4) == load<u32>(b + rest - 4);
  for (let i: usize = 0; i + 8 < rest; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  return load<u64>(a + rest - 8) == load<u64>(b + rest - 8);
}

function sameFew(a: usize, b: usize, len: i32): bool {
  for (let i = 0; i < len; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

/** True if both are the same bytes but for the case of ASCII letters. */
export function equalFold(a: usize, aLen: i32, b: usize, bLen: i32): bool {
  if (aLen != bLen) return false;
  if (aLen < 8) {
    for (let i = 0; i < aLen; i++) if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
    return true;
  }
  const len = <usize>aLen;
  for (let i: usize = 0; i + 8 < len; i += 8) if (!sameEightFold(a + i, b + i)) return false;
  return sameEightFold(a + len - 8, b + len - 8);
}

function sameEightFold(a: usize, b: usize): bool {
  return !v128.any_true(v128.xor(lowerBlock(v128.load64_zero(a)), lowerBlock(v128.load64_zero(b))));
}

/** True if the bytes are the ASCII text `literal`. */
export function isText(ptr: usize, len: i32, literal: string): bool {
  if (len != literal.length) return false;
  const text = changetype<usize>(literal);
  for (let i = 0; i < len; i++) {
    if (<u32>load<u8>(ptr + i) != <u32>load<u16>(text + ((<usize>i) << 1))) return false;
  }
  return true;
}

/** True if the bytes are the lower-case ASCII text `literal`, in any case. */
export function isTextFold(ptr: usize, len: i32, literal: string): bool {
  return len == literal.length && startsWithTextFold(ptr, len, literal);
}

/** True if the bytes start with the lower-case ASCII text `literal`, in any case. */
export function startsWithTextFold(ptr: usize, len: i32, literal: string): bool {
  const n = literal.length;
  if (len < n) return false;
  const text = changetype<usize>(literal);
  for (let i = 0; i < n; i++) {
    if (<u32>lower(load<u8>(ptr + i)) != <u32>load<u16>(text + ((<usize>i) << 1))) return false;
  }
  return true;
}

/**
 * Gives the position of a word in a list of words, each followed by a space, or -1. Case does not count; the
 * words are ASCII.
 */
export function wordIndex(words: string, ptr: usize, len: i32): i32 {
  let index = 0;
  let start = 0;
  for (let i = 0; i < words.length; i++) {
    if (words.charCodeAt(i) != 0x20) continue;
    if (i - start == len && isWordAt(words, start, ptr, len)) return index;
    index++;
    start = i + 1;
  }
  return -1;
}

function isWordAt(words: string, start: i32, ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) {
    if (lower(load<u8>(ptr + i)) != lower(<u8>words.charCodeAt(start + i))) return false;
  }
  return true;
}

/** Gives the offset of `byte` at or after `from`, or -1. */
export function indexOf(ptr: usize, len: i32, byte: u8, from: i32 = 0): i32 {
  let i = from;
  for (; i + BLOCK <= len; i += BLOCK) {
    const mask = blockMask(ptr + i, byte);
    if (mask != 0) return i + ctz(mask);
  }
  for (; i < len; i++) if (load<u8>(ptr + i) == byte) return i;
  return -1;
}

/** Gives the offset of the last `byte`, or -1. */
export function lastIndexOf(ptr: usize, len: i32, byte: u8): i32 {
  for (let i = len - 1; i >= 0; i--) {
    if (load<u8>(ptr + i) == byte) return i;
  }
  return -1;
}

/**
 * Gives the offset of the first occurrence of the needle, or -1. Linear on average, and bounded by
 * len * needleLen: the needle is a rule's own text or, for `%{...}` arguments, at most MACRO_MAX bytes.
 */
export function find(ptr: usize, len: i32, needle: usize, needleLen: i32): i32 {
  if (needleLen == 0) return 0;
  const last = len - needleLen;
  let i = 0;
  // sixteen places at a time, by the first and the last byte
  const end = <usize>(needleLen - 1);
  for (; i + BLOCK - 1 <= last; i += BLOCK) {
    let places = blockMask(ptr + i, load<u8>(needle)) & blockMask(ptr + i + end, load<u8>(needle + end));
    for (; places != 0; places &= places - 1) if (sameBytes(ptr + i + ctz(places), needle, needleLen)) return i + ctz(places);
  }
  for (; i <= last; i++) if (load<u8>(ptr + i) == load<u8>(needle) && sameBytes(ptr + i, needle, needleLen)) return i;
  return -1;
}

/** What FNV-1a with 32 bits starts from, and multiplies by: http://www.isthe.com/chongo/tech/comp/fnv/ */
export const FNV_BASIS: u32 = 0x811c9dc5;
export const FNV_PRIME: u32 = 0x01000193;

/** Hashes bytes (FNV-1a, 32 bits), for tables of trusted keys: rule ids, names given in rules. */
export function hashBytes(ptr: usize, len: i32): u32 {
  let h = FNV_BASIS;
  for (let i = 0; i < len; i++) h = (h ^ <u32>load<u8>(ptr + i)) * FNV_PRIME;
  return h;
}

/** Has bit 5 of each byte, in which the cases of a letter differ. */
const CASES: u64 = ((<u64>0x20202020) << 32) | 0x20202020;

/**
 * Hashes a name without regard to case, eight bytes at a time. Not the same for all names that differ, and only those
 * are alike that are the same but for bit 5 of some bytes.
 */
export function hashFold(ptr: usize, len: i32): u32 {
  const rest = <usize>len;
  let h = mix(<u64>len);
  if (len >= 8) {
    for (let i: usize = 0; i + 8 < rest; i += 8) h = mix(h ^ (load<u64>(ptr + i) | CASES));
    h = mix(h ^ (load<u64>(ptr + rest - 8) | CASES));
  } else if (len >= 4) h = mix(h ^ (<u64>load<u32>(ptr) | ((<u64>load<u32>(ptr + rest - 4)) << 32) | CASES));
  else for (let i = 0; i < len; i++) h = mix(h ^ <u64>(load<u8>(ptr + i) | 0x20));
  return <u32>h;
}

/** A factor that spreads bits well: SplitMix64's (Steele, Lea and Flood, 2014). */
const SPREAD: u64 = ((<u64>0xbf58476d) << 32) | 0x1ce4e5b9;

/** Multiplication spreads bits upwards, shifts bring them down. */
function mix(h: u64): u64 {
  const product = (h ^ (h >> 32)) * SPREAD;
  return product ^ (product >> 32);
}

/** The result of parsing a number: read at once, before the next call. */
export let parsedInt: i64 = 0;

function digitAt(ptr: usize): i64 {
  const digit = <i64>load<u8>(ptr) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : 0;
}

/**
 * Reads an optional sign and decimal digits after leading blanks, as C's `atoi` does, which is what
 * SecLang's numeric operators are defined by. Gives the value, saturated; sets `parsedInt`.
 */
export function toInt(ptr: usize, len: i32): i64 {
  // most are one digit
  if (len == 1) return digitAt(ptr);
  let i = 0;
  while (i < len && (load<u8>(ptr + i) == 0x20 || (load<u8>(ptr + i) >= 9 && load<u8>(ptr + i) <= 13))) i++;
  let negative = false;
  if (i < len && (load<u8>(ptr + i) == 0x2d || load<u8>(ptr + i) == 0x2b)) {
    negative = load<u8>(ptr + i) == 0x2d;
    i++;
  }
  let value: i64 = 0;
  while (i < len) {
    const digit = <i32>load<u8>(ptr + i) - 0x30;
    if (digit < 0 || digit > 9) break;
    if (value < 900000000000000000) value = value * 10 + digit;
    i++;
  }
  return negative ? -value : value;
}

/** True if the bytes are one or more decimal digits; the value is then in `parsedInt`. */
export function isUnsigned(ptr: usize, len: i32): bool {
  if (len < 1 || len > 18) return false;
  let value: i64 = 0;
  for (let i = 0; i < len; i++) {
    const digit = <i32>load<u8>(ptr + i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  parsedInt = value;
  return true;
}
