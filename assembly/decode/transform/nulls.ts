/** `t:removeNulls` and `t:replaceNulls`. */
import { indexOf } from "../../bytes/span";
import { close, open } from "./output";

export function removeNulls(ptr: usize, len: i32): bool {
  if (indexOf(ptr, len, 0) < 0) return false;
  const out = open(len);
  let to = out;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c != 0) store<u8>(to++, c);
  }
  return close(out, to);
}

/** Turns each NUL into a space. */
export function replaceNulls(ptr: usize, len: i32): bool {
  if (indexOf(ptr, len, 0) < 0) return false;
  const out = open(len);
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    store<u8>(out + i, c == 0 ? 0x20 : c);
  }
  return close(out, out + len);
}
