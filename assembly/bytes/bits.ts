/** Maps of bits: bit `i` of a map is bit `i & 7` of its byte `i >> 3`. A map is its address. */

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
