/** `t:utf8toUnicode`: each UTF-8 character outside ASCII becomes `%uHHHH`. */
import { hexDigit } from "../../bytes/ascii";
import { codePoint, decode } from "../../bytes/utf8";
import { close, open } from "./output";

/** Bytes that are not UTF-8 stay as they are. Characters above U+FFFF take as many digits as they need. */
export function utf8toUnicode(ptr: usize, len: i32): bool {
  let i = 0;
  while (i < len && load<u8>(ptr + i) < 0x80) i++;
  if (i == len) return false;
  // two bytes of input give at most six of output
  const out = open(i + (len - i) * 3 + 4);
  memory.copy(out, ptr, <usize>i);
  let to = out + i;
  while (i < len) {
    const n = decode(ptr + i, len - i);
    if (n <= 1) {
      store<u8>(to++, load<u8>(ptr + i++));
      continue;
    }
    i += n;
    store<u8>(to, 0x25);
    store<u8>(to, 0x75, 1);
    to += 2;
    let shift: u32 = codePoint > 0xfffff ? 20 : codePoint > 0xffff ? 16 : 12;
    while (true) {
      store<u8>(to++, hexDigit((codePoint >> shift) & 15));
      if (shift == 0) break;
      shift -= 4;
    }
  }
  return close(out, to);
}
