/** Maps of bits: bit `i` of a map is bit `i & 7` of its byte `i >> 3`. A map is its address. */

/** Gives the bytes of a map of `count` bits, as `nextBit` needs them: a multiple of 8. */
export function mapBytes(count: i32): usize {
  return ((<usize>count + 63) >> 6) << 3;
}

/** Gives the first bit from `from` on that is set, of `count`; `count` if there is none. */
export function nextBit(map: usize, from: i32, count: i32): i32 {
  let i = from;
  while (i < count) {
    const rest = load<u64>(map + ((<usize>i >> 6) << 3)) >> (<u64>i & 63);
    if (rest != 0) return min(i + <i32>ctz(rest), count);
    i = (i | 63) + 1;
  }
  return count;
}

export function hasBit(map: usize, i: i32): bool {
  return ((load<u8>(map + (<usize>i >> 3)) >> (<u8>i & 7)) & 1) != 0;
}

export function clearBit(map: usize, i: i32): void {
  const at = map + (<usize>i >> 3);
  store<u8>(at, load<u8>(at) & ~(1 << (<u8>i & 7)));
}

export function setBit(map: usize, i: i32): void {
  const at = map + (<usize>i >> 3);
  store<u8>(at, load<u8>(at) | (1 << (<u8>i & 7)));
}
