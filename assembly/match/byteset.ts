/** Sets of bytes as 256-bit maps of 32 bytes; a set is its address. */

/** Bytes of a set. */
export const SET_BYTES: usize = 32;

export function setAdd(set: usize, c: u8): void {
  const at = set + (<usize>c >> 3);
  store<u8>(at, load<u8>(at) | (1 << (c & 7)));
}

export function setHas(set: usize, c: u8): bool {
  return ((load<u8>(set + (<usize>c >> 3)) >> (c & 7)) & 1) != 0;
}

/** Adds all bytes from `low` to `high`, both included. */
export function setAddRange(set: usize, low: i32, high: i32): void {
  for (let c = low; c <= high; c++) setAdd(set, <u8>c);
}

/** Adds all members of `other`. */
export function setUnion(set: usize, other: usize): void {
  for (let i: usize = 0; i < SET_BYTES; i += 8) store<u64>(set + i, load<u64>(set + i) | load<u64>(other + i));
}

/** Turns the set into its complement. */
export function setNegate(set: usize): void {
  for (let i: usize = 0; i < SET_BYTES; i += 8) store<u64>(set + i, ~load<u64>(set + i));
}

/** Adds the other case of each ASCII letter that is a member. */
export function setFold(set: usize): void {
  for (let c = 0x41; c <= 0x5a; c++) {
    if (setHas(set, <u8>c)) setAdd(set, <u8>(c | 0x20));
    else if (setHas(set, <u8>(c | 0x20))) setAdd(set, <u8>c);
  }
}
