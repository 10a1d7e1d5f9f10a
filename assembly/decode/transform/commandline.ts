/**
 * `t:cmdLine`: what a shell or cmd.exe would ignore goes away. Backslashes, quotes and carets are
 * deleted, commas and semicolons become spaces, runs of white space become one space and none before
 * a slash or an opening parenthesis, and letters become lower case.
 */
import { isAlnum, lower } from "../../bytes/ascii";
import { BLOCK, ByteClass, lowerBlock } from "../../bytes/simd";
import { close, giveBack, open } from "./output";

/** Bytes that change, but for letters. */
const special: ByteClass = ByteClass.of("\"'\\^,;\t\r\n");

/** True if a space before that byte makes a difference. */
function closesUp(c: u8): bool {
  return c == 0x20 || c == 0x2f || c == 0x28;
}

/**
 * Gives the number of bytes at the beginning of a block that do not change but for their case, unless a space comes before
 * and the first closes up.
 */
function ordinary(ptr: usize): i32 {
  const block = v128.load(ptr);
  const next = v128.load(ptr + 1);
  const space = i8x16.splat(0x20);
  const closing = v128.or(i8x16.eq(next, space), v128.or(i8x16.eq(next, i8x16.splat(0x2f)), i8x16.eq(next, i8x16.splat(0x28))));
  const changing = v128.or(v128.and(i8x16.eq(block, space), closing), special.find(block));
  return min(ctz(i8x16.bitmask(i8x16.ne(changing, i8x16.splat(0)))), BLOCK);
}

export function cmdLine(ptr: usize, len: i32): bool {
  const out = open(len);
  let to = out;
  let space = false;
  for (let i = 0; i < len; i++) {
    while (i + BLOCK < len && !(space && closesUp(load<u8>(ptr + i)))) {
      // a whole block is written, and what comes after the ordinary bytes at its beginning is overwritten
      v128.store(to, lowerBlock(v128.load(ptr + i)));
      const n = ordinary(ptr + i);
      to += n;
      i += n;
      if (n > 0) space = load<u8>(ptr + i - 1) == 0x20;
      if (n < BLOCK) break;
    }
    const c = load<u8>(ptr + i);
    if (isAlnum(c)) {
      space = false;
      store<u8>(to++, lower(c));
      continue;
    }
    switch (c) {
      case 0x22: // "
      case 0x27: // '
      case 0x5c: // backslash
      case 0x5e: // ^
        break;
      case 0x20:
      case 0x2c: // ,
      case 0x3b: // ;
      case 0x09:
      case 0x0d:
      case 0x0a:
        if (!space) store<u8>(to++, 0x20);
        space = true;
        break;
      case 0x2f: // /
      case 0x28: // (
        if (space) to--;
        space = false;
        store<u8>(to++, c);
        break;
      default:
        space = false;
        store<u8>(to++, c);
    }
  }
  if (<i32>(to - out) == len && memory.compare(out, ptr, <usize>len) == 0) return giveBack(out);
  return close(out, to);
}
