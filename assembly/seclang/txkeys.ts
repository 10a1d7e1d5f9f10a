/**
 * Which keys of TX a pattern selects, as in `TX:/^header_name_/`. Keys that rules name are slots, and there are more than a
 * hundred: a pattern is asked about each when a program is linked, so that a request does not ask again.
 */
import { Arena } from "../bytes/arena";
import { nextBit, setBit } from "../bytes/bits";
import { matches } from "../match/regex/dfa";
import { Rule, SELECT_REGEX, Target } from "./model";
import { MAX_NAMES, nameCount, nameLen, namePtr } from "./names";
import { RuleList } from "./rulelist";
import { TX } from "./variables";

/** Gives a target that selects by a pattern room for the keys that it selects, in the arena of its rule. */
export function reserveKeys(arena: Arena, target: Target): void {
  target.keys = arena.alloc(MAX_NAMES >> 3);
}

/** Finds the keys that patterns in these rules select, of all that are registered by now. */
export function findKeys(list: RuleList): void {
  for (let i = 0; i < list.count; i++) {
    for (let link: Rule | null = list.at(i); link; link = link!.chained) {
      for (let target: Target | null = link.targets; target; target = target!.next) findKeysOf(target!);
    }
  }
}

function findKeysOf(target: Target): void {
  if (target.variable != TX || target.select != SELECT_REGEX) return;
  for (let slot = target.keyCount; slot < nameCount(); slot++) {
    if (matches(target.regex!, namePtr(slot), nameLen(slot))) setBit(target.keys, slot);
  }
  target.keyCount = nameCount();
}

/**
 * Gives the first of `slots` slots, from `from` on, that a target selects by its pattern; `slots` if there is none. Slots
 * that a later configuration added are asked now.
 */
export function nextKey(target: Target, from: i32, slots: i32): i32 {
  const known = min(target.keyCount, slots);
  const found = nextBit(target.keys, from, known);
  if (found < known) return found;
  for (let slot = max(from, known); slot < slots; slot++) if (matches(target.regex!, namePtr(slot), nameLen(slot))) return slot;
  return slots;
}
