/**
 * A sieve: many patterns as one automaton, which reads a text once and says which of them match.
 *
 * What signatures cannot rule out (see signature.ts) is, for ordinary text, always the same few dozen patterns: long
 * lists of commands and file names whose every letter occurs in prose. Each would read the text by itself, and hardly
 * one would match. Read side by side the text is read once, and the answer, a map with a bit for each pattern, is kept
 * with the value.
 *
 * The automaton is lazy like any other (regex/dfa.ts), so only what traffic visits is built. A pattern that has
 * matched is not followed any further; that it has is part of a state. A step of many programs is dear to build, which
 * random or hostile text asks for with every byte. So there is a store of patience: a step that is built takes from it,
 * each request adds a little, and while it is empty the patterns are asked one by one. Traffic that is like earlier
 * traffic needs none.
 */
import { Arena, make } from "../bytes/arena";
import { mapBytes } from "../bytes/bits";
import { abreastPatience, siftAbreast } from "./regex/abreast";
import { Automaton } from "./regex/automaton";
import { MAX_MEMBERS, patienceLeft, sift } from "./regex/dfa";
import { Regex } from "./regex/program";

/** Steps that may be built at once, and how many more with each request. */
export const PATIENCE_MAX: i32 = 8192;
const PATIENCE_EARNED: i32 = 2;
let patience: i32 = PATIENCE_MAX;

/** A request came: some more steps may be built. */
export function earnPatience(): void {
  patience = min(patience + PATIENCE_EARNED, PATIENCE_MAX);
}

/** Sets the steps that may be built until requests have earned more. */
export function setPatience(steps: i32): void {
  patience = steps;
}

/** A map that says of every pattern that it may match; NONE says of none that it does. */
export const ALL: usize = memory.data(MAX_MEMBERS >> 3, 8);
export { NONE } from "./regex/dfa";

/** Starts a sieve for up to `count` patterns, MAX_MEMBERS at most. */
export function startSieve(arena: Arena, count: i32): Automaton {
  memory.fill(ALL, 0xff, MAX_MEMBERS >> 3);
  const sieve = make<Automaton>(arena);
  sieve.reserve(arena, count);
  sieve.maskBytes = mapBytes(count);
  sieve.anchored = true;
  sieve.classOf = arena.alloc(256);
  return sieve;
}

/** Adds a pattern, of which there must not be more than the sieve was started for; gives its bit. */
export function addToSieve(sieve: Automaton, regex: Regex): i32 {
  sieve.append(regex);
  sieve.anchored = sieve.anchored && regex.anchored;
  sieve.usesWords = sieve.usesWords || regex.usesWords;
  sieve.usesLines = sieve.usesLines || regex.usesLines;
  return sieve.memberCount - 1;
}

/** Ends building: bytes that no member tells apart become one class. */
export function finishSieve(sieve: Automaton): void {
  let current = 0;
  for (let c = 1; c < 256; c++) {
    if (isCut(sieve, c)) current++;
    store<u8>(sieve.classOf + c, <u8>current);
  }
  sieve.classes = current + 1;
}

/** True if a member tells the byte `c` from the one before it. */
function isCut(sieve: Automaton, c: i32): bool {
  for (let i = 0; i < sieve.memberCount; i++) {
    const classOf = sieve.member(i).classOf;
    if (load<u8>(classOf + c) != load<u8>(classOf + c - 1)) return true;
  }
  return false;
}

/** Gives the map of the patterns that match a text, 0 if that would take more patience than there is; see `sift`. */
export function askSieve(sieve: Automaton, ptr: usize, len: i32): usize {
  const map = sift(sieve, ptr, len, patience);
  patience = patienceLeft;
  return map;
}

/** The same for at least LANES texts, see `siftAbreast`. */
export function askSieveAbreast(sieve: Automaton, texts: usize, count: i32, maps: usize): void {
  siftAbreast(sieve, texts, count, maps, patience);
  patience = abreastPatience;
}
