/** `t:parityEven7bit`, `t:parityOdd7bit`, `t:parityZero7bit`: the eighth bit as parity of the other seven. */
import { close, open } from "./output";

export function parityEven7bit(ptr: usize, len: i32): bool {
  return setParity(ptr, len, 0, false);
}

export function parityOdd7bit(ptr: usize, len: i32): bool {
  return setParity(ptr, len, 1, false);
}

export function parityZero7bit(ptr: usize, len: i32): bool {
  return setParity(ptr, len, 0, true);
}

function setParity(ptr: usize, len: i32, odd: u32, zero: bool): bool {
  const out = open(len);
  let changed = false;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    const seven = c & 0x7f;
    const bit = zero ? 0 : (popcnt<u32>(seven) & 1) ^ odd;
    const value = seven | <u8>(bit << 7);
    if (value != c) changed = true;
    store<u8>(out + i, value);
  }
  if (!changed) return false;
  return close(out, out + len);
}
