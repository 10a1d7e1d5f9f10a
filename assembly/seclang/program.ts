/**
 * Rules in the order in which they run, as link.ts leaves them: for each phase an array of entries. An entry holds
 * what most rules end with, so that going over the rules of a phase reads one stretch of memory.
 */
import { Arena, make } from "../bytes/arena";
import { setBit } from "../bytes/bits";
import { Automaton } from "../match/regex/automaton";
import { chainCount } from "./chains";
import { Group } from "./groups";
import { Chain, Ctl, Rule } from "./model";

/** An entry of a phase; entries lie one behind another. */
@unmanaged
export class Entry {
  rule: Rule;
  /** Index of the entry to go on at after a match. */
  jump: i32;
  /** Rules that look at the same values after the same transformations are a group, see groups.ts; -1 for none. */
  group: i32;
  /** What a value must have for the rule's operator to match it: length in bytes, and signatures; 0 for anything. */
  needLen: i32;
  needAll: u64;
  needOne: u64;
  needTwo: u64;
  /** As `Rule.quickSlot`. */
  quickSlot: i32;
  /** Bit of the rule's pattern in the sieve of its side, see sieves.ts; -1 if it is in none. */
  sieveBit: i32;

  /** False if no value that is at most `longest` bytes long, with no bits but those of `signature`, can match. */
  canMatch(longest: i32, signature: u64): bool {
    if (longest < this.needLen || (signature & this.needAll) != this.needAll) return false;
    return (this.needOne == 0 || (signature & this.needOne) != 0) && (this.needTwo == 0 || (signature & this.needTwo) != 0);
  }
}

/** Sides of a transaction, by phase: 1 and 2, or later. */
export const REQUEST_SIDE: i32 = 0;
export const RESPONSE_SIDE: i32 = 1;

/** The rules of a program that one `ctl` names, as a set. */
@unmanaged
export class CtlRules {
  ctl: Ctl;
  rules: usize;
  next: CtlRules | null;
}

/** What runs in one phase. */
@unmanaged
class Phase {
  /** Address of the entries, and how many they are. */
  entries: usize;
  count: i32;
  /** Map of those that every request needs, see wanted.ts. */
  always: usize;
}

@unmanaged
export class Program {
  /** Phases by number, one behind another; there is none with the number 0. */
  private phases: usize;
  /** Positions that rules of this program have, at most. */
  ordinals: i32;
  /** Where the program lives. */
  arena: Arena;
  /** Rules that each `ctl:ruleRemove...` that ran so far names; as many as there are such actions. */
  ctlRules: CtlRules | null;
  /** Whether a rule looks at a request's body that has a body processor, or at one that has none; see reads.ts. */
  readsRequestBody: bool;
  readsRawBody: bool;
  /** Whether a rule looks at what is in uploaded files, or at the response's body. */
  readsFiles: bool;
  readsResponseBody: bool;
  /** Patterns that are asked together before each is asked itself, see sieves.ts; null for none. */
  requestSieve: Automaton | null;
  responseSieve: Automaton | null;
  /** By number of a sequence of transformations and side: a map of the patterns in its sieve that look at values after it. */
  private patternMaps: usize;
  /** What TX variables are set to when a transaction begins: spans by slot, and how many; see settle.ts. */
  initialTx: usize;
  initialSlots: i32;
  /** Rules that wait for a name, see wanted.ts; 0 for none. */
  waiting: usize;
  /** Names that rules can select, when the program was linked. */
  nameCount: i32;
  /** Groups of rules, see groups.ts. */
  groupCount: i32;
  /** Groups one behind another, room for MAX_GROUPS. */
  groups: usize;

  /** Makes a program without rules, which lives in `arena`. */
  static create(arena: Arena): Program {
    const program = make<Program>(arena);
    program.arena = arena;
    program.phases = arena.alloc(6 * offsetof<Phase>());
    return program;
  }

  /** Gives the sieve of a side: REQUEST_SIDE or RESPONSE_SIDE. */
  sieve(side: i32): Automaton | null {
    return side == REQUEST_SIDE ? this.requestSieve : this.responseSieve;
  }

  /** Gives the map of the patterns, in the sieve of a side, of rules with that sequence of transformations. */
  patterns(side: i32, chain: Chain): usize {
    return <usize>load<u32>(this.patternsAt(side, chain));
  }

  private patternsAt(side: i32, chain: Chain): usize {
    return this.patternMaps + ((<usize>(chain.index * 2 + side)) << 2);
  }

  /** Notes that the pattern of a rule is in the sieve of a side, which has maps of that many bytes. */
  addPattern(side: i32, chain: Chain, bit: i32, bytes: usize): void {
    if (this.patternMaps == 0) this.patternMaps = this.arena.alloc((<usize>chainCount()) << 3);
    if (this.patterns(side, chain) == 0) store<u32>(this.patternsAt(side, chain), <u32>this.arena.alloc(bytes));
    setBit(this.patterns(side, chain), bit);
  }

  group(number: i32): Group {
    return changetype<Group>(this.groups + <usize>number * offsetof<Group>());
  }

  private phase(phase: i32): Phase {
    return changetype<Phase>(this.phases + <usize>phase * offsetof<Phase>());
  }

  count(phase: i32): i32 {
    return this.phase(phase).count;
  }

  entry(phase: i32, i: i32): Entry {
    return changetype<Entry>(this.entries(phase) + <usize>i * offsetof<Entry>());
  }

  rule(phase: i32, i: i32): Rule {
    return this.entry(phase, i).rule;
  }

  /** Gives the address of a phase's entries. */
  entries(phase: i32): usize {
    return this.phase(phase).entries;
  }

  /** Gives the map of the rules of a phase that every request needs. */
  always(phase: i32): usize {
    return this.phase(phase).always;
  }

  setAlways(phase: i32, map: usize): void {
    this.phase(phase).always = map;
  }

  setPhase(phase: i32, entries: usize, count: i32): void {
    this.phase(phase).entries = entries;
    this.phase(phase).count = count;
  }
}

/** Gives the bytes of a set of the program's rules: a bit for each position. */
export function ruleSetBytes(program: Program): usize {
  return (<usize>program.ordinals >> 3) + 1;
}
