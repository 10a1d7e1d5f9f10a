/**
 * What the lazy DFA (dfa.ts) runs: one program, or several side by side. Side by side they make one automaton
 * that reads a text once and tells *which* of them match; see ../sieve.ts.
 */
import { Arena } from "../../bytes/arena";
import { Regex } from "./program";

/** Bytes of a member: address of its program, number of its first instruction among those of all members. */
const MEMBER: usize = 8;

@unmanaged
export class Automaton {
  /** Addresses of the programs, each with the number of its first instruction. */
  members: usize;
  memberCount: i32;
  /** Instructions of all programs, and of the largest. */
  totalSize: i32;
  largest: i32;
  /** Bytes of a map with a bit for each member, a multiple of 8; 0 for one program, which is done once it matches. */
  maskBytes: usize;
  /** True if a match can only start at the start of the text. */
  anchored: bool;
  /** True if `\b` or `\B` occurs. */
  usesWords: bool;
  /** True if `(?m)^` or `(?m)$` occurs. */
  usesLines: bool;
  /** Byte classes: bytes that no instruction tells apart are one column of the DFA. */
  classes: i32;
  /** Address of 256 bytes: byte to class. */
  classOf: usize;

  // The states built so far, see dfa.ts; all 0 after a flush.
  /** Address of the hash table of states. */
  states: usize;
  /** Address of the start state. */
  startState: usize;
  /** What a match that starts after the first byte begins with: in the middle of a line, and after a line feed. */
  restart: usize;
  restartLine: usize;
  /** Number of states built. */
  stateCount: i32;
  /** Next automaton that has states. */
  nextLive: Automaton | null;

  member(i: i32): Regex {
    return changetype<Regex>(<usize>load<u32>(this.members + <usize>i * MEMBER));
  }

  /** Number of the member's first instruction. */
  base(i: i32): i32 {
    return load<i32>(this.members + <usize>i * MEMBER, 4);
  }

  /** Makes room for that many members. */
  reserve(arena: Arena, count: i32): void {
    this.members = arena.alloc(<usize>count * MEMBER);
    this.memberCount = 0;
    this.totalSize = 0;
  }

  /** Appends a member, for which there must be room. */
  append(regex: Regex): void {
    const at = this.members + <usize>this.memberCount * MEMBER;
    store<u32>(at, changetype<u32>(regex));
    store<i32>(at, this.totalSize, 4);
    this.memberCount++;
    this.totalSize += regex.size;
    this.largest = max(this.largest, regex.size);
  }
}
