/**
 * Transformed values. What a transformation makes of a value is kept with that value, so it is computed at most once
 * a request, also by sequences that differ only in what changed nothing. One that a value's signature shows to change
 * nothing does not run.
 */
import { Arena } from "../bytes/arena";
import { Derived, Item, Value } from "../decode/items";
import { transform, triggerOf } from "../decode/transform/index";
import { outputTo, resultLen, resultPtr } from "../decode/transform/output";
import { addGrams, GRAM_MIN, hasAnyGram, LIST_MAP, newGrams, VALUE_MAP } from "../match/grams";
import { Regex } from "../match/regex/program";
import { signatureOf } from "../match/signature";
import { Chain } from "./model";

/** Gives the item's value, or with `name` its name, after the sequence, with its signature. */
export function valueOf(arena: Arena, item: Item, name: bool, chain: Chain): Value {
  return after(arena, rawValue(item, name), chain);
}

/** The same as it came. */
export function rawValue(item: Item, name: bool): Value {
  const raw = changetype<Value>(changetype<usize>(item) + (name ? offsetof<Item>("name") : offsetof<Item>("ptr")));
  if (raw.signature == 0) raw.signature = signatureOf(raw.ptr, raw.len);
  return raw;
}

/** Gives a value after the sequence. */
function after(arena: Arena, raw: Value, chain: Chain): Value {
  const parent = chain.parent;
  // nothing in the sequence would change it
  if (!parent || (raw.signature & chain.triggers) == 0) return raw;
  return derive(arena, after(arena, raw, parent), chain.transformation);
}

/**
 * Applies one transformation to a value that has its signature; gives the same value if it changes nothing. Sequences that
 * differ only in what changed nothing come here with the same value, so what was made of it is kept with it.
 */
export function derive(arena: Arena, from: Value, transformation: i32): Value {
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

/** Bytes of a value from which on the small map of trigrams would be full, and the large one. */
const LONG: i32 = 1024;
const TOO_LONG: i32 = 32 * 1024;

/** False if a value has none of the trigrams of which every match of the pattern contains one. */
export function hasLiteral(arena: Arena, value: Value, regex: Regex): bool {
  if (regex.gramCount == 0 || value.len < GRAM_MIN || value.len > TOO_LONG) return true;
  const map = value.len > LONG ? LIST_MAP : VALUE_MAP;
  if (value.grams == 0) {
    value.grams = newGrams(arena, map);
    addGrams(value.grams, map, value.ptr, value.len);
  }
  return hasAnyGram(value.grams, map, regex.grams, regex.gramCount);
}
