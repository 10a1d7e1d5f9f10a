/**
 * `t:cmdLine`: what a shell or cmd.exe would ignore goes away. Backslashes, quotes and carets are
 * deleted, commas and semicolons become spaces, runs of white space become one space and none before
 * a slash or an opening parenthesis, and letters become lower case.
 */
import { isAlnum, lower } from "../../bytes/ascii";
import { BLOCK, ByteClass } from "../../bytes/simd";
import { close, giveBack, open } from "./output";

/** Bytes that are changed, or that depend on what is before them. Upper-case letters are too. */
const special: ByteClass = ByteClass.of("\"'\\^,;\t\r\n/(");

/** True if a block and the byte after it hold nothing that changes, whatever comes before but a space. */
function isOrdinary(ptr: usize): bool {
  const block = v128.load(ptr);
  const space = i8x16.splat(0x20);
  const twice = v128.and(i8x16.eq(block, space), i8x16.eq(v128.load(ptr + 1), space));
  const upper = i8x16.lt_u(i8x16.sub(block, i8x16.splat(0x41)), i8x16.splat(26));
  return !v128.any_true(v128.or(v128.or(twice, upper), special.find(block)));
}

export function cmdLine(ptr: usize, len: i32): bool {
  const out = open(len);
  let to = out;
  let space = false;
  for (let i = 0; i < len; i++) {
    while (i + BLOCK < len && !(space && load<u8>(ptr + i) == 0x20) && isOrdinary(ptr + i)) {
      v128.store(to, v128.load(ptr + i));
      to += BLOCK;
      i += BLOCK;
      space = load<u8>(ptr + i - 1) == 0x20;
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
