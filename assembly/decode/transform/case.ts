/** `t:lowercase` and `t:uppercase`: ASCII letters only, as in every SecLang engine. */
import { BLOCK } from "../../bytes/simd";
import { close, giveBack, open } from "./output";

export function lowercase(ptr: usize, len: i32): bool {
  return changeCase(ptr, len, 0x41);
}

export function uppercase(ptr: usize, len: i32): bool {
  return changeCase(ptr, len, 0x61);
}

/** Flips the case of the 26 letters that start at `first`. */
function changeCase(ptr: usize, len: i32, first: u8): bool {
  const out = open(len);
  let i = 0;
  let letters = i8x16.splat(0);
  for (; i + BLOCK <= len; i += BLOCK) {
    const block = v128.load(ptr + i);
    const flip = v128.and(i8x16.lt_u(i8x16.sub(block, i8x16.splat(first)), i8x16.splat(26)), i8x16.splat(0x20));
    letters = v128.or(letters, flip);
    v128.store(out + i, v128.xor(block, flip));
  }
  let changed = v128.any_true(letters);
  for (; i < len; i++) {
    const c = load<u8>(ptr + i);
    const letter = <u8>(c - first) < 26;
    if (letter) changed = true;
    store<u8>(out + i, letter ? c ^ 0x20 : c);
  }
  if (!changed) return giveBack(out);
  return close(out, out + len);
}
