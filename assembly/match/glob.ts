/** Patterns with `*` for anything. */
import { lower } from "../bytes/ascii";

/** Matches a pattern with `*` for anything, in time linear in the text for each star. */
export function globMatches(pattern: usize, patternLen: i32, ptr: usize, len: i32, fold: bool): bool {
  let p = 0;
  let i = 0;
  let star = -1;
  let resume = 0;
  while (i < len) {
    const c = load<u8>(ptr + i);
    const want = p < patternLen ? load<u8>(pattern + p) : 0;
    if (p < patternLen && want == 0x2a) {
      star = p++;
      resume = i;
    } else if (p < patternLen && (want == c || (fold && lower(want) == lower(c)))) {
      p++;
      i++;
    } else if (star >= 0) {
      p = star + 1;
      i = ++resume;
    } else return false;
  }
  while (p < patternLen && load<u8>(pattern + p) == 0x2a) p++;
  return p == patternLen;
}
