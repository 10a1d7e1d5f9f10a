/** `t:lowercase` and `t:uppercase`: ASCII letters only, as in every SecLang engine. */
import { close, open } from "./output";

export function lowercase(ptr: usize, len: i32): bool {
  return changeCase(ptr, len, 0x41);
}

export function uppercase(ptr: usize, len: i32): bool {
  return changeCase(ptr, len, 0x61);
}

/** Flips the case of the 26 letters that start at `first`. */
function changeCase(ptr: usize, len: i32, first: u8): bool {
  let i = 0;
  while (i < len && <u8>(load<u8>(ptr + i) - first) >= 26) i++;
  if (i == len) return false;
  const out = open(len);
  memory.copy(out, ptr, <usize>i);
  for (; i < len; i++) {
    const c = load<u8>(ptr + i);
    store<u8>(out + i, <u8>(c - first) < 26 ? c ^ 0x20 : c);
  }
  return close(out, out + len);
}
