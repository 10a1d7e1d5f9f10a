/**
 * Which three-byte sequences, without case, occur in a value: a map of bits, by hash. A pattern whose every match
 * contains one of some literals cannot match a value that has none of their trigrams, so long values are read once
 * for all patterns, instead of once for each.
 *
 * A hash has 16 bits. The map of a value has 4,096 bits and goes by the upper 12; the map of a list of many values,
 * which would be full of them, has all 65,536.
 */
import { Arena } from "../bytes/arena";
import { lower } from "../bytes/ascii";

/** Bits of a hash that a map leaves out: as many of the lower ones. */
export const VALUE_MAP: u32 = 4;
export const LIST_MAP: u32 = 0;
/** Values shorter than this are not worth a map: their DFA is as fast. */
export const GRAM_MIN: i32 = 128;

/** Gives the hash of three bytes, which are in lower case: 16 bits. */
export function gramHash(a: u8, b: u8, c: u8): u32 {
  return ((<u32>a | ((<u32>b) << 8) | ((<u32>c) << 16)) * 0x9e3779b1) >> 16;
}

/** Makes an empty map: VALUE_MAP or LIST_MAP. */
export function newGrams(arena: Arena, map: u32): usize {
  return arena.alloc(<usize>8192 >> map);
}

/** Adds the trigrams of `len` bytes at `ptr` to the map at `bits`. */
export function addGrams(bits: usize, map: u32, ptr: usize, len: i32): void {
  if (len < 3) return;
  let window = ((<u32>lower(load<u8>(ptr))) << 8) | ((<u32>lower(load<u8>(ptr, 1))) << 16);
  const end = ptr + <usize>len;
  const shift = map + 16;
  for (let p = ptr + 2; p < end; p++) {
    window = (window >> 8) | ((<u32>lower(load<u8>(p))) << 16);
    const hash = (window * 0x9e3779b1) >> shift;
    const at = bits + (<usize>hash >> 3);
    store<u8>(at, load<u8>(at) | (1 << (<u8>hash & 7)));
  }
}

/** True if one of `count` hashes, u16 each at `list`, is in the map at `bits`. */
export function hasAnyGram(bits: usize, map: u32, list: usize, count: i32): bool {
  const end = list + ((<usize>count) << 1);
  for (let p = list; p < end; p += 2) {
    const hash = <u32>load<u16>(p) >> map;
    if (((load<u8>(bits + (<usize>hash >> 3)) >> (<u8>hash & 7)) & 1) != 0) return true;
  }
  return false;
}
