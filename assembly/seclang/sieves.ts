/** Which rules are in the sieves of a program (see match/sieve.ts), and making these sieves. */
import { Arena } from "../bytes/arena";
import { Automaton } from "../match/regex/automaton";
import { MAX_MEMBERS } from "../match/regex/dfa";
import { Regex } from "../match/regex/program";
import { addToSieve, finishSieve, startSieve } from "../match/sieve";
import { isStable } from "./groups";
import { Rule, SELECT_ALL, Target } from "./model";
import { hasPattern } from "./operators";
import { Program, REQUEST_SIDE, RESPONSE_SIDE } from "./program";
import { LAST_SCALAR } from "./variables";

/** Gives the side whose sieve holds the patterns of a phase. */
export function sideOf(phase: i32): i32 {
  return phase <= 2 ? REQUEST_SIDE : RESPONSE_SIDE;
}

/**
 * True if the rule's pattern belongs in a sieve, whatever program the rule is in. In requests these are patterns
 * that look for attacks in whatever a collection holds; those about one header or the path describe its form, and are
 * asked of few values. Of responses it is all patterns, since their bodies are long.
 */
export function isSieved(rule: Rule): bool {
  if (rule.negated || rule.phase == 5 || !hasPattern(rule) || !isStable(rule)) return false;
  return changetype<Regex>(rule.prepared).needLen > 0 && (rule.phase > 2 || looksAtAll(rule));
}

/** True if a target is a whole collection. */
function looksAtAll(rule: Rule): bool {
  for (let target: Target | null = rule.targets; target; target = target!.next) {
    if (target.variable > LAST_SCALAR && target.select == SELECT_ALL) return true;
  }
  return false;
}

/** Makes the sieves of a program whose phases are complete. */
export function makeSieves(arena: Arena, program: Program): void {
  program.requestSieve = sieveOf(arena, program, REQUEST_SIDE, 1, 2);
  program.responseSieve = sieveOf(arena, program, RESPONSE_SIDE, 3, 4);
}

function sieveOf(arena: Arena, program: Program, side: i32, from: i32, to: i32): Automaton | null {
  let count = 0;
  for (let phase = from; phase <= to; phase++) for (let i = 0; i < program.count(phase); i++) if (program.rule(phase, i).sieved) count++;
  // those beyond are asked one by one
  count = min(count, MAX_MEMBERS);
  if (count == 0) return null;
  const sieve = startSieve(arena, count);
  for (let phase = from; phase <= to; phase++) {
    for (let i = 0; i < program.count(phase) && sieve.memberCount < count; i++) {
      const entry = program.entry(phase, i);
      // what is asked of groups needs one
      if (!entry.rule.sieved || entry.group < 0) continue;
      entry.sieveBit = addToSieve(sieve, changetype<Regex>(entry.rule.prepared));
      program.addPattern(side, entry.rule.chain, entry.sieveBit, sieve.maskBytes);
    }
  }
  finishSieve(sieve);
  return sieve;
}
