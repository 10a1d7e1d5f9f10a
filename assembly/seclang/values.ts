/**
 * Transformed values. What a transformation makes of a value is kept with that value, so it is computed at most once
 * a request, also by sequences that differ only in what changed nothing. One that a value's signature shows to change
 * nothing does not run.
 *
 * For a list of items there is also the union of all signatures after a sequence: if a rule cannot match any
 * value with it, the rule need not go over the list at all.
 */
import { Arena, make } from "../bytes/arena";
import { Derived, Item, ItemList, Value } from "../decode/items";
import { transform, triggerOf } from "../decode/transform/index";
import { outputTo, resultLen, resultPtr } from "../decode/transform/output";
import { addGrams, GRAM_MIN, hasAnyGram, LIST_MAP, newGrams, VALUE_MAP } from "../match/grams";
import { Regex } from "../match/regex/program";
import { ALL, askSieve, NONE } from "../match/sieve";
import { signatureOf } from "../match/signature";
import { chainCount } from "./chains";
import { Chain } from "./model";
import { Transaction } from "./transaction";

/** Gives the item's value, or with `name` its name, after the sequence, with its signature. */
export function valueOf(arena: Arena, item: Item, name: bool, chain: Chain): Value {
  const raw = changetype<Value>(changetype<usize>(item) + (name ? offsetof<Item>("name") : offsetof<Item>("ptr")));
  signed(raw);
  return after(arena, raw, chain);
}

/** Gives a value after the sequence. */
function after(arena: Arena, raw: Value, chain: Chain): Value {
  const parent = chain.parent;
  // nothing in the sequence would change it
  if (!parent || (raw.signature & chain.triggers) == 0) return raw;
  return compute(arena, after(arena, raw, parent), chain.transformation);
}

function signed(value: Value): void {
  if (value.signature == 0) value.signature = signatureOf(value.ptr, value.len);
}

/**
 * Applies one transformation; gives the same value if it changes nothing. Sequences that differ only in what changed
 * nothing come here with the same value, so what was made of it is kept with it.
 */
function compute(arena: Arena, from: Value, transformation: i32): Value {
  if ((from.signature & triggerOf(transformation)) == 0) return from;
  for (let known: Derived | null = from.derived; known; known = known!.next) if (known.transformation == transformation) return known.value;
  const derived = changetype<Derived>(arena.reserve(offsetof<Derived>()));
  derived.transformation = transformation;
  derived.value = made(arena, from, transformation);
  derived.next = from.derived;
  from.derived = derived;
  return derived.value;
}

function made(arena: Arena, from: Value, transformation: i32): Value {
  outputTo(arena);
  if (!transform(transformation, from.ptr, from.len)) return from;
  const ptr = resultPtr;
  const len = resultLen;
  const value = changetype<Value>(arena.reserve(offsetof<Value>()));
  value.ptr = ptr;
  value.len = len;
  value.signature = signatureOf(ptr, len);
  value.grams = 0;
  value.sifted = 0;
  value.derived = null;
  return value;
}

/** Bytes of a value from which on the small map of trigrams would be full. */
const LONG: i32 = 1024;

/** False if a value has none of the trigrams of which every match of the pattern contains one. */
export function hasLiteral(arena: Arena, value: Value, regex: Regex): bool {
  if (regex.gramCount == 0 || value.len < GRAM_MIN) return true;
  const map = value.len > LONG ? LIST_MAP : VALUE_MAP;
  if (value.grams == 0) {
    value.grams = newGrams(arena, map);
    addGrams(value.grams, map, value.ptr, value.len);
  }
  return hasAnyGram(value.grams, map, regex.grams, regex.gramCount);
}

// `sifted` of a value or a list is the address of a map from a sieve, plus the side of that sieve: addresses are even.

/** Gives the map of the patterns, in the sieve of that side of the transaction, that match the value. */
export function siftedValue(tx: Transaction, side: i32, value: Value): usize {
  const known = <usize>value.sifted;
  if (known != 0 && (known & 1) == <usize>side) return known & ~1;
  const sieve = tx.program.sieve(side)!;
  const found = askSieve(sieve, value.ptr, value.len);
  const map = found == 0 ? ALL : keptMap(tx.arena, found, sieve.maskBytes);
  value.sifted = <u32>(map | <usize>side);
  return map;
}

/** Gives a map that lives as long as the request; there is one for all that say that nothing matches. */
function keptMap(arena: Arena, map: usize, bytes: usize): usize {
  for (let i: usize = 0; i < bytes; i += 8) if (load<u64>(map + i) != 0) return arena.copy(map, <i32>bytes);
  return NONE;
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

/** What is known about all values of a list after a sequence. */
@unmanaged
class Union {
  signature: u64;
  /** Items that it covers: one that the list has since got more of is out of date. */
  count: i32;
  /** Length of the longest value in bytes. */
  longest: i32;
  /** Trigrams of all values, 0 until they were asked for. */
  grams: usize;
  /** What the sieves said of all values together, as `Value.sifted`. */
  sifted: u32;
  /** What single transformations made of it. */
  derived: DerivedUnion | null;
}

/** What a transformation made of a union: itself, if it changed no value. */
@unmanaged
class DerivedUnion {
  transformation: i32;
  union: Union;
  next: DerivedUnion | null;
}

/** Length of the longest value that the last `unionOf` covered. */
export let longest: i32 = 0;

/** Gives the union of the signatures of all values of a list after the sequence; sets `longest`. */
export function unionOf(arena: Arena, list: ItemList, name: bool, chain: Chain): u64 {
  const union = findUnion(arena, list, name, chain);
  longest = union.longest;
  return union.signature;
}

/** Values of which the small map of trigrams still tells something. */
const FEW: i32 = 32;

/** False if no value of a list has any trigram of which every match of the pattern contains one. */
export function listHasLiteral(arena: Arena, list: ItemList, name: bool, chain: Chain, regex: Regex): bool {
  const union = findUnion(arena, list, name, chain);
  const map = list.count > FEW ? LIST_MAP : VALUE_MAP;
  if (union.grams == 0) {
    union.grams = newGrams(arena, map);
    for (let item: Item | null = list.first; item; item = item!.next) {
      const value = valueOf(arena, item, name, chain);
      addGrams(union.grams, map, value.ptr, value.len);
    }
  }
  return hasAnyGram(union.grams, map, regex.grams, regex.gramCount);
}

/** Gives the map of the patterns, in the sieve of that side, that match a value of a list after the sequence. */
export function siftedList(tx: Transaction, side: i32, list: ItemList, name: bool, chain: Chain): usize {
  if (list.count == 0) return NONE;
  const union = findUnion(tx.arena, list, name, chain);
  const known = <usize>union.sifted;
  if (known != 0 && (known & 1) == <usize>side) return known & ~1;
  let map = NONE;
  for (let item: Item | null = list.first; item; item = item!.next) {
    map = joinMaps(tx, side, map, siftedValue(tx, side, valueOf(tx.arena, item!, name, chain)));
  }
  union.sifted = <u32>(map | <usize>side);
  return map;
}

function findUnion(arena: Arena, list: ItemList, name: bool, chain: Chain): Union {
  const at = changetype<usize>(list) + (name ? offsetof<ItemList>("nameUnion") : offsetof<ItemList>("union"));
  let table = load<usize>(at);
  if (table == 0) {
    table = arena.alloc((<usize>chainCount()) << 2);
    store<usize>(at, table);
  }
  const slot = table + ((<usize>chain.index) << 2);
  const known = changetype<Union | null>(<usize>load<u32>(slot));
  if (known && known.count == list.count) return known;
  const union = makeUnion(arena, list, name, chain);
  store<u32>(slot, changetype<u32>(union));
  return union;
}

function makeUnion(arena: Arena, list: ItemList, name: bool, chain: Chain): Union {
  const parent = chain.parent;
  if (!parent) return unionAfter(arena, list, name, chain);
  const before = findUnion(arena, list, name, parent);
  const transformation = chain.transformation;
  // a transformation that no value triggers leaves everything as it is
  if ((before.signature & triggerOf(transformation)) == 0) return before;
  for (let known: DerivedUnion | null = before.derived; known; known = known!.next) if (known.transformation == transformation) return known.union;
  const derived = make<DerivedUnion>(arena);
  derived.transformation = transformation;
  derived.union = changesAny(arena, list, name, chain) ? unionAfter(arena, list, name, chain) : before;
  derived.next = before.derived;
  before.derived = derived;
  return derived.union;
}

/** True if the last transformation of a sequence changes a value of a list. */
function changesAny(arena: Arena, list: ItemList, name: bool, chain: Chain): bool {
  for (let item: Item | null = list.first; item; item = item!.next) {
    if (valueOf(arena, item, name, chain) != valueOf(arena, item, name, chain.parent!)) return true;
  }
  return false;
}

function unionAfter(arena: Arena, list: ItemList, name: bool, chain: Chain): Union {
  const union = make<Union>(arena);
  union.count = list.count;
  for (let item: Item | null = list.first; item; item = item!.next) {
    const value = valueOf(arena, item, name, chain);
    union.signature |= value.signature;
    union.longest = max(union.longest, value.len);
  }
  return union;
}
