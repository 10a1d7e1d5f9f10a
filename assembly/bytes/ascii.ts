/** Classes of ASCII bytes. Bytes from 0x80 on are in none of them. */

/** Gives the lower-case form of an ASCII letter, any other byte as it is. */
export function lower(c: u8): u8 {
  return <u8>(c - 0x41) < 26 ? c | 0x20 : c;
}

export function isDigit(c: u8): bool {
  return <u8>(c - 0x30) < 10;
}

export function isAlpha(c: u8): bool {
  return <u8>((c | 0x20) - 0x61) < 26;
}

export function isAlnum(c: u8): bool {
  return isDigit(c) || isAlpha(c);
}

/** RE2's and PCRE's `\w`: a letter, a digit, an underscore. */
export function isWord(c: u8): bool {
  return isAlnum(c) || c == 0x5f;
}

/** C's `isspace`: space, \t, \n, \v, \f, \r. */
export function isSpace(c: u8): bool {
  return c == 0x20 || <u8>(c - 9) < 5;
}

export function isHex(c: u8): bool {
  return isDigit(c) || <u8>((c | 0x20) - 0x61) < 6;
}

/** Gives the value of a hexadecimal digit; the caller has checked `isHex`. */
export function hexValue(c: u8): u8 {
  return isDigit(c) ? c - 0x30 : (c | 0x20) - 0x61 + 10;
}

/** Gives the byte written as two hexadecimal digits at `ptr`; the caller has checked `isHex` on both. */
export function hexByte(ptr: usize): u8 {
  return (hexValue(load<u8>(ptr)) << 4) | hexValue(load<u8>(ptr, 1));
}

/** Gives the lower-case digit of a value below 16. */
export function hexDigit(value: u32): u8 {
  return <u8>(value < 10 ? 0x30 + value : 0x61 + value - 10);
}
