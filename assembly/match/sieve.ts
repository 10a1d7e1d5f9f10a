/**
 * A sieve: many patterns as one automaton, which reads a text once and says whether any of them can match.
 *
 * What signatures and literals cannot rule out (see signature.ts, grams.ts) is, for ordinary text, always the same
 * few dozen patterns: long lists of commands and file names whose every letter occurs in prose. Each would read the
 * text by itself, and none would match. Read side by side the text is read once. If the answer is "none", it holds
 * for all of them and is kept with the value; if it is "one of them", they are asked one by one as before.
 *
 * The automaton is lazy like any other (regex/dfa.ts), so only what traffic visits is built. A step of many programs
 * is dear to build, which hostile text could ask for again and again: so each request has a limited number of such
 * steps (`SIEVE_PATIENCE`), and where they end the patterns are asked one by one.
 */
import { Arena, make } from "../bytes/arena";
import { Automaton } from "./regex/automaton";
import { Regex } from "./regex/program";

/** Steps that one request may have built. Traffic like earlier traffic needs none. */
export const SIEVE_PATIENCE: i32 = 512;

/** Starts a sieve for up to `count` patterns. */
export function startSieve(arena: Arena, count: i32): Automaton {
  const sieve = make<Automaton>(arena);
  sieve.reserve(arena, count);
  sieve.anchored = true;
  sieve.classOf = arena.alloc(256);
  return sieve;
}

/** Adds a pattern, of which there must not be more than the sieve was started for. */
export function addToSieve(sieve: Automaton, regex: Regex): void {
  sieve.append(regex);
  sieve.anchored = sieve.anchored && regex.anchored;
  sieve.usesWords = sieve.usesWords || regex.usesWords;
  sieve.usesLines = sieve.usesLines || regex.usesLines;
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
