/** Ranges of whole numbers: `5`, `1-4`, `<5`, `<=5`, `>5`, `>=5`. */
import { indexOf, isUnsigned, parsedInt } from "../bytes/span";

/** What the last range that was read says; both ends belong to it. */
let low: i64 = 0;
let high: i64 = 0;

/** True if the text is a range. */
export function isRange(ptr: usize, len: i32): bool {
  low = 0;
  high = i64.MAX_VALUE;
  const first = len > 0 ? load<u8>(ptr) : 0;
  if (first == 0x3c || first == 0x3e) return readBound(ptr, len, first == 0x3c);
  const dash = indexOf(ptr, len, 0x2d);
  if (!isUnsigned(ptr, dash < 0 ? len : dash)) return false;
  low = parsedInt;
  high = parsedInt;
  if (dash < 0) return true;
  if (!isUnsigned(ptr + <usize>(dash + 1), len - dash - 1)) return false;
  high = parsedInt;
  return low <= high;
}

/** `<` or `>`, and what follows. */
function readBound(ptr: usize, len: i32, isAbove: bool): bool {
  const inclusive = len > 1 && load<u8>(ptr, 1) == 0x3d;
  const digits = inclusive ? 2 : 1;
  if (!isUnsigned(ptr + <usize>digits, len - digits)) return false;
  if (isAbove) high = inclusive ? parsedInt : parsedInt - 1;
  else low = inclusive ? parsedInt : parsedInt + 1;
  return true;
}

/** True if the number is in the range. */
export function isInRange(ptr: usize, len: i32, number: i64): bool {
  return isRange(ptr, len) && number >= low && number <= high;
}
