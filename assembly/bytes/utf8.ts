/** UTF-8 as the Unicode Standard defines it (table 3-7): no surrogates, nothing overlong. */

/** The code point that `decode` read last. */
export let codePoint: u32 = 0;

/** True if byte `i` exists and is a continuation byte within [low, high]. */
function continues(ptr: usize, len: i32, i: i32, low: u8, high: u8): bool {
  if (i >= len) return false;
  const c = load<u8>(ptr + i);
  return c >= low && c <= high;
}

/**
 * Reads one code point at `ptr`, of at most `len` bytes. Gives its length in bytes (1 to 4) with the
 * value in `codePoint`, or 0 if the bytes are not UTF-8.
 */
export function decode(ptr: usize, len: i32): i32 {
  const b = load<u8>(ptr);
  if (b < 0x80) {
    codePoint = b;
    return 1;
  }
  if (b < 0xc2 || b > 0xf4) return 0;
  if (b < 0xe0) {
    if (!continues(ptr, len, 1, 0x80, 0xbf)) return 0;
    codePoint = ((<u32>b & 0x1f) << 6) | tail(ptr, 1);
    return 2;
  }
  if (b < 0xf0) {
    const low: u8 = b == 0xe0 ? 0xa0 : 0x80;
    const high: u8 = b == 0xed ? 0x9f : 0xbf;
    if (!continues(ptr, len, 1, low, high) || !continues(ptr, len, 2, 0x80, 0xbf)) return 0;
    codePoint = ((<u32>b & 0x0f) << 12) | (tail(ptr, 1) << 6) | tail(ptr, 2);
    return 3;
  }
  const low: u8 = b == 0xf0 ? 0x90 : 0x80;
  const high: u8 = b == 0xf4 ? 0x8f : 0xbf;
  if (!continues(ptr, len, 1, low, high)) return 0;
  if (!continues(ptr, len, 2, 0x80, 0xbf) || !continues(ptr, len, 3, 0x80, 0xbf)) return 0;
  codePoint = ((<u32>b & 0x07) << 18) | (tail(ptr, 1) << 12) | (tail(ptr, 2) << 6) | tail(ptr, 3);
  return 4;
}

function tail(ptr: usize, i: i32): u32 {
  return <u32>load<u8>(ptr + i) & 0x3f;
}

/** Writes a code point at `out`, which has room for 4 bytes. Gives the bytes written. */
export function encode(out: usize, cp: u32): i32 {
  if (cp < 0x80) {
    store<u8>(out, <u8>cp);
    return 1;
  }
  if (cp < 0x800) {
    store<u8>(out, <u8>(0xc0 | (cp >> 6)));
    store<u8>(out, <u8>(0x80 | (cp & 0x3f)), 1);
    return 2;
  }
  if (cp < 0x10000) {
    store<u8>(out, <u8>(0xe0 | (cp >> 12)));
    store<u8>(out, <u8>(0x80 | ((cp >> 6) & 0x3f)), 1);
    store<u8>(out, <u8>(0x80 | (cp & 0x3f)), 2);
    return 3;
  }
  store<u8>(out, <u8>(0xf0 | ((cp >> 18) & 7)));
  store<u8>(out, <u8>(0x80 | ((cp >> 12) & 0x3f)), 1);
  store<u8>(out, <u8>(0x80 | ((cp >> 6) & 0x3f)), 2);
  store<u8>(out, <u8>(0x80 | (cp & 0x3f)), 3);
  return 4;
}
