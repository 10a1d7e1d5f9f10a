/**
 * `t:cmdLine`: what a shell or cmd.exe would ignore goes away. Backslashes, quotes and carets are
 * deleted, commas and semicolons become spaces, runs of white space become one space and none before
 * a slash or an opening parenthesis, and letters become lower case.
 */
import { isAlnum, lower } from "../../bytes/ascii";
import { close, open } from "./output";

export function cmdLine(ptr: usize, len: i32): bool {
  const out = open(len);
  let to = out;
  let space = false;
  for (let i = 0; i < len; i++) {
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
  if (<i32>(to - out) == len && memory.compare(out, ptr, <usize>len) == 0) return false;
  return close(out, to);
}
