/**
 * Which three-byte sequences, without case, occur in a value: a map of 4,096 bits, by hash. A pattern whose
 * every match contains one of some literals cannot match a value that has none of their trigrams, so long
 * values are read once for all patterns, instead of once for each.
 */
import { Arena } from "../bytes/arena";
import { lower } from "../bytes/ascii";

/** Bytes of a map. */
const MAP_BYTES: usize = 512;
/** Values shorter than this are not worth a map: their DFA is as fast. */
export const GRAM_MIN: i32 = 24;

/** Gives the hash of three bytes, which are in lower case: 0 to 4095. */
export function gramHash(a: u8, b: u8, c: u8): u32 {
  return ((<u32>a | ((<u32>b) << 8) | ((<u32>c) << 16)) * 0x9e3779b1) >> 20;
}

/** Makes an empty map. */
export function newGrams(arena: Arena): usize {
  return arena.alloc(MAP_BYTES);
}

/** Makes the map of `len` bytes at `ptr`. */
export function gramsOf(arena: Arena, ptr: usize, len: i32): usize {
  const map = newGrams(arena);
  addGrams(map, ptr, len);
  return map;
}

/** Adds the trigrams of `len` bytes at `ptr` to a map. */
export function addGrams(map: usize, ptr: usize, len: i32): void {
  if (len < 3) return;
  let window = ((<u32>lower(load<u8>(ptr))) << 8) | ((<u32>lower(load<u8>(ptr, 1))) << 16);
  const end = ptr + <usize>len;
  for (let p = ptr + 2; p < end; p++) {
    window = (window >> 8) | ((<u32>lower(load<u8>(p))) << 16);
    const hash = (window * 0x9e3779b1) >> 20;
    const at = map + (<usize>hash >> 3);
    store<u8>(at, load<u8>(at) | (1 << (<u8>hash & 7)));
  }
}

/** True if one of `count` hashes, u16 each at `list`, is in the map. */
export function hasAnyGram(map: usize, list: usize, count: i32): bool {
  const end = list + ((<usize>count) << 1);
  for (let p = list; p < end; p += 2) {
    const hash = <u32>load<u16>(p);
    if (((load<u8>(map + (<usize>hash >> 3)) >> (<u8>hash & 7)) & 1) != 0) return true;
  }
  return false;
}
