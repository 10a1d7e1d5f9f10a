/**
 * What the sieves say of values: which of the patterns over collections match. A sieve reads a value once (match/sieve.ts),
 * and what it says is kept with the value.
 *
 * `sifted` of a value or a list is the address of a map from a sieve, plus the side of that sieve: addresses are even. Where
 * the sieve had no patience with a long value, its patterns are asked when rules need to know. The map then has a bit for
 * each that matches or was not asked, and behind it lies a map of those that were asked.
 */
import { clearBit, hasBit, setBit } from "../bytes/bits";
import { Value } from "../decode/items";
import { LANES, matchAbreast } from "../match/regex/abreast";
import { Automaton } from "../match/regex/automaton";
import { MAX_MEMBERS } from "../match/regex/dfa";
import { ALL, askSieve, askSieveAbreast, NONE } from "../match/sieve";
import { Transaction } from "./transaction";
import { hasLiteral } from "./values";

/** Set in `sifted` of such a value. */
const UNASKED: u32 = 2;
/** Bytes of a value from which on its patterns are asked together. */
const ASKED_TOGETHER: i32 = 256;

/** True if `sifted` of a value or a list is what the sieve of that side said. */
export function isSaid(sifted: u32, side: i32): bool {
  return sifted != 0 && (sifted & 1) == <u32>side;
}

/** Gives the map of the patterns, in the sieve of that side of the transaction, that match the value; ALL if that is not known. */
export function siftedValue(tx: Transaction, side: i32, value: Value): usize {
  const known = value.sifted;
  if (isSaid(known, side)) return (known & UNASKED) != 0 ? ALL : <usize>known & ~1;
  const sieve = tx.program.sieve(side)!;
  const found = askSieve(sieve, value.ptr, value.len);
  if (found == 0 && value.len >= ASKED_TOGETHER) {
    beginAsking(tx, side, value, sieve.maskBytes);
    return ALL;
  }
  return keep(tx, side, value, found == 0 ? ALL : found, sieve.maskBytes);
}

/** Keeps what a sieve said with the value: what it gives lives until the next state is built. Gives the map that is kept. */
function keep(tx: Transaction, side: i32, value: Value, found: usize, bytes: usize): usize {
  const map = found == ALL || found == NONE ? found : tx.arena.copy(found, <i32>bytes);
  value.sifted = <u32>(map | <usize>side);
  return map;
}

function beginAsking(tx: Transaction, side: i32, value: Value, bytes: usize): void {
  const map = tx.arena.alloc(bytes << 1);
  memory.copy(map, ALL, bytes);
  value.sifted = <u32>(map | <usize>side) | UNASKED;
}

// What is known about whether a pattern matches a value.
export const NO: i32 = 0;
export const YES: i32 = 1;
export const UNSURE: i32 = 2;

/**
 * Says whether the pattern with that bit matches a value. Where the sieve had no patience, asks those of a set of patterns
 * that were not asked yet, to which that one belongs. UNSURE: the value is short, and its rule is to ask.
 */
export function verdictOn(tx: Transaction, side: i32, value: Value, bit: i32, patterns: usize): i32 {
  let map = siftedValue(tx, side, value);
  if ((value.sifted & UNASKED) != 0) {
    const sieve = tx.program.sieve(side)!;
    map = <usize>value.sifted & ~3;
    if (!hasBit(map + sieve.maskBytes, bit)) ask(tx, sieve, value, map, patterns);
  } else if (map == ALL) return UNSURE;
  return hasBit(map, bit) ? YES : NO;
}

/** Patterns that are asked together: their bits, their addresses, and what they say. */
const bits: usize = memory.data(MAX_MEMBERS << 1, 8);
const regexes: usize = memory.data(MAX_MEMBERS << 2, 8);
const answers: usize = memory.data(MAX_MEMBERS, 8);

function ask(tx: Transaction, sieve: Automaton, value: Value, map: usize, patterns: usize): void {
  const asked = map + sieve.maskBytes;
  let count: usize = 0;
  for (let bit = 0; bit < sieve.memberCount; bit++) {
    if (!hasBit(patterns, bit) || hasBit(asked, bit)) continue;
    const regex = sieve.member(bit);
    setBit(asked, bit);
    if (!regex.canMatch(value.len, value.signature) || !hasLiteral(tx.arena, value, regex)) clearBit(map, bit);
    else {
      store<u16>(bits + (count << 1), <u16>bit);
      store<u32>(regexes + (count << 2), changetype<u32>(regex));
      count++;
    }
  }
  matchAbreast(regexes, <i32>count, value.ptr, value.len, answers);
  for (let i: usize = 0; i < count; i++) if (load<u8>(answers + i) == 0) clearBit(map, load<u16>(bits + (i << 1)));
}

// Long values that the sieve was not asked about are gathered, to be read together.

/** Bytes of a value from which on that is faster. */
export const ABREAST: i32 = 24;
/** Values that are read together, and the maps that the sieve gives. */
const BATCH: i32 = 64;
const batch: usize = memory.data(64 * 4, 8);
const maps: usize = memory.data(64 * 4, 8);
let gathered: i32 = 0;

/** Gathers a value for the sieve of a side: `siftGathered` must follow. */
export function gather(tx: Transaction, side: i32, value: Value): void {
  if (value.len < ABREAST || isSaid(value.sifted, side)) return;
  // one that is gathered twice is read twice: what the sieve says is the same
  store<u32>(batch + ((<usize>gathered) << 2), changetype<u32>(value));
  gathered++;
  if (gathered == BATCH) siftGathered(tx, side);
}

/** Asks the sieve about the values that were gathered, unless they are too few to be worth it. */
export function siftGathered(tx: Transaction, side: i32): void {
  const size = gathered;
  gathered = 0;
  if (size < LANES) return;
  const sieve = tx.program.sieve(side)!;
  askSieveAbreast(sieve, batch, size, maps);
  for (let i: usize = 0; i < <usize>size; i++) {
    const found = <usize>load<u32>(maps + (i << 2));
    if (found != 0) keep(tx, side, changetype<Value>(<usize>load<u32>(batch + (i << 2))), found, sieve.maskBytes);
  }
}

/** Gives what either of two maps of that side says. */
export function joinMaps(tx: Transaction, side: i32, a: usize, b: usize): usize {
  if (a == b || b == NONE) return a;
  if (a == NONE) return b;
  const bytes = tx.program.sieve(side)!.maskBytes;
  let more = false;
  for (let i: usize = 0; i < bytes; i += 8) if ((load<u64>(b + i) & ~load<u64>(a + i)) != 0) more = true;
  // most values of a list match what others matched before: no new map for each of them
  if (!more) return a;
  const map = tx.arena.reserve(bytes);
  for (let i: usize = 0; i < bytes; i += 8) store<u64>(map + i, load<u64>(a + i) | load<u64>(b + i));
  return map;
}
