/** `t:hexEncode`, `t:hexDecode`, `t:sqlHexDecode`. */
import { hexByte, hexDigit, isHex } from "../../bytes/ascii";
import { close, open } from "./output";

export function hexEncode(ptr: usize, len: i32): bool {
  if (len == 0) return false;
  const out = open(len * 2);
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    store<u8>(out + i * 2, hexDigit(c >> 4));
    store<u8>(out + i * 2, hexDigit(c & 15), 1);
  }
  return close(out, out + len * 2);
}

/** Decodes pairs of digits up to the first that is none. */
export function hexDecode(ptr: usize, len: i32): bool {
  if (len == 0) return false;
  const out = open(len);
  let to = out;
  for (let i = 0; i + 1 < len && isHex(load<u8>(ptr + i)) && isHex(load<u8>(ptr + i + 1)); i += 2) {
    store<u8>(to++, hexByte(ptr + i));
  }
  return close(out, to);
}

/** Decodes SQL's hexadecimal strings: `0x414243` becomes `ABC` wherever it stands. */
export function sqlHexDecode(ptr: usize, len: i32): bool {
  const out = open(len);
  let to = out;
  let i = 0;
  let changed = false;
  while (i < len) {
    if (startsHex(ptr, len, i)) {
      i += 2;
      while (i + 1 < len && isHex(load<u8>(ptr + i)) && isHex(load<u8>(ptr + i + 1))) {
        store<u8>(to++, hexByte(ptr + i));
        i += 2;
      }
      changed = true;
    } else store<u8>(to++, load<u8>(ptr + i++));
  }
  if (!changed) return false;
  return close(out, to);
}

function startsHex(ptr: usize, len: i32, i: i32): bool {
  if (i + 3 >= len || load<u8>(ptr + i) != 0x30 || (load<u8>(ptr + i + 1) | 0x20) != 0x78) return false;
  return isHex(load<u8>(ptr + i + 2)) && isHex(load<u8>(ptr + i + 3));
}
