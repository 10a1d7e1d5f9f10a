/**
 * What is known about all values, or all names, of a list of items after a sequence of transformations: the union of their
 * signatures, the length of the longest, what the sieve says of them. If a rule cannot match any value with that, it need
 * not go over the list at all.
 *
 * A union holds the addresses of its values. What a transformation makes of it is made of these, and kept with it, as it is
 * for values; one that changes no value leaves the union as it is.
 */
import { Arena, make } from "../bytes/arena";
import { Item, ItemList, Value } from "../decode/items";
import { triggerOf } from "../decode/transform/index";
import { addGrams, hasAnyGram, LIST_MAP, newGrams, VALUE_MAP } from "../match/grams";
import { Regex } from "../match/regex/program";
import { NONE } from "../match/sieve";
import { chainCount } from "./chains";
import { Chain } from "./model";
import { ABREAST, gather, isSaid, joinMaps, siftedValue, siftGathered } from "./sifted";
import { Transaction } from "./transaction";
import { derive, rawValue } from "./values";

@unmanaged
class Union {
  signature: u64;
  /** Items that it covers: one that the list has since got more of is out of date. */
  count: i32;
  /** Length of the longest value in bytes. */
  longest: i32;
  /** Addresses of the values, in the order of their items. */
  values: usize;
  /** Trigrams of all values, 0 until they were asked for. */
  grams: usize;
  /** What the sieves said of all values together, as `Value.sifted`. */
  sifted: u32;
  /** What single transformations made of it. */
  derived: DerivedUnion | null;
  /** Of values as they came: what sequences made of it, addresses by number of the sequence; 0 for none yet. */
  after: usize;

  value(i: i32): Value {
    return changetype<Value>(<usize>load<u32>(this.values + ((<usize>i) << 2)));
  }

  /** Puts a value at a position. */
  put(i: i32, value: Value): void {
    store<u32>(this.values + ((<usize>i) << 2), changetype<u32>(value));
    this.signature |= value.signature;
    this.longest = max(this.longest, value.len);
  }

  static create(arena: Arena, count: i32): Union {
    const union = make<Union>(arena);
    union.count = count;
    union.values = arena.reserve((<usize>count) << 2);
    return union;
  }
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
  const map = union.count > FEW ? LIST_MAP : VALUE_MAP;
  if (union.grams == 0) {
    union.grams = newGrams(arena, map);
    for (let i = 0; i < union.count; i++) addGrams(union.grams, map, union.value(i).ptr, union.value(i).len);
  }
  return hasAnyGram(union.grams, map, regex.grams, regex.gramCount);
}

/** Gives the map of the patterns, in the sieve of that side, that match a value of a list after the sequence. */
export function siftedList(tx: Transaction, side: i32, list: ItemList, name: bool, chain: Chain): usize {
  if (list.count == 0) return NONE;
  const union = findUnion(tx.arena, list, name, chain);
  if (isSaid(union.sifted, side)) return <usize>union.sifted & ~1;
  if (union.longest >= ABREAST) {
    for (let i = 0; i < union.count; i++) gather(tx, side, union.value(i));
    siftGathered(tx, side);
  }
  let map = NONE;
  for (let i = 0; i < union.count; i++) map = joinMaps(tx, side, map, siftedValue(tx, side, union.value(i)));
  union.sifted = <u32>(map | <usize>side);
  return map;
}

function findUnion(arena: Arena, list: ItemList, name: bool, chain: Chain): Union {
  const at = changetype<usize>(list) + (name ? offsetof<ItemList>("nameUnion") : offsetof<ItemList>("union"));
  let raw = changetype<Union | null>(load<usize>(at));
  if (!raw || raw.count != list.count) {
    raw = rawUnion(arena, list, name);
    store<usize>(at, changetype<usize>(raw));
  }
  // mostly no transformation of the sequence changes any value
  return (raw.signature & chain.triggers) == 0 ? raw : unionAfter(arena, raw, chain);
}

/** Gives a union after a sequence: kept with the union of the values as they came, by number of the sequence. */
function unionAfter(arena: Arena, raw: Union, chain: Chain): Union {
  const parent = chain.parent;
  if (!parent) return raw;
  if (raw.after == 0) raw.after = arena.alloc((<usize>chainCount()) << 2);
  const slot = raw.after + ((<usize>chain.index) << 2);
  const known = changetype<Union | null>(<usize>load<u32>(slot));
  if (known) return known;
  const union = deriveUnion(arena, unionAfter(arena, raw, parent), chain.transformation);
  store<u32>(slot, changetype<u32>(union));
  return union;
}

function rawUnion(arena: Arena, list: ItemList, name: bool): Union {
  const union = Union.create(arena, list.count);
  let i = 0;
  for (let item: Item | null = list.first; item; item = item!.next) union.put(i++, rawValue(item!, name));
  return union;
}

function deriveUnion(arena: Arena, from: Union, transformation: i32): Union {
  // a transformation that no value triggers leaves everything as it is
  if ((from.signature & triggerOf(transformation)) == 0) return from;
  for (let known: DerivedUnion | null = from.derived; known; known = known!.next) if (known.transformation == transformation) return known.union;
  const derived = make<DerivedUnion>(arena);
  derived.transformation = transformation;
  derived.union = transformed(arena, from, transformation);
  derived.next = from.derived;
  from.derived = derived;
  return derived.union;
}

function transformed(arena: Arena, from: Union, transformation: i32): Union {
  const union = Union.create(arena, from.count);
  let changed = false;
  for (let i = 0; i < from.count; i++) {
    const before = from.value(i);
    const value = derive(arena, before, transformation);
    if (value != before) changed = true;
    union.put(i, value);
  }
  return changed ? union : from;
}
