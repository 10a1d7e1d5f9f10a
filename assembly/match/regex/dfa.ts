/**
 * Does the pattern match anywhere in the text? In time linear in the text, whatever the pattern.
 *
 * A state of the deterministic automaton is the set of instructions the nondeterministic one could be
 * at. States are built when first needed and kept, so a text costs one table look-up a byte once its
 * states exist. The table has a column for each byte class and one for the end of the text.
 *
 * Assertions look both ways. What lies behind is known when a set is built (start of text, line start,
 * whether the last byte was a word byte: part of the state). What lies ahead is not: such assertions stay
 * in the set, and are resolved when the next byte, or the end, is known. This is RE2's construction
 * (https://swtch.com/~rsc/regexp/regexp3.html).
 *
 * An automaton may run several programs side by side: a set then holds instructions of all of them. All
 * automata share one bounded cache. When it is full, all states are dropped and building starts
 * over: memory is flat, and a step then costs at most the size of the program.
 */
import { Arena } from "../../bytes/arena";
import { isWord } from "../../bytes/ascii";
import { hasBit, setBit } from "../../bytes/bits";
import { setHas } from "../byteset";
import { BEGIN_LINE, BEGIN_TEXT, END_LINE, END_TEXT, NOT_WORD_BOUNDARY, WORD_BOUNDARY } from "./ast";
import { Automaton } from "./automaton";
import { OP_ASSERT, OP_BYTE, OP_MATCH, OP_SAVE, OP_SPLIT, Regex } from "./program";

// State layout, in bytes from its address:
const FLAGS: usize = 0; // u32: LAST_WORD, ASSERTS, and the assertions that hold behind
const COUNT: usize = 4; // u32: instructions in the set
const CODE: usize = 8; // u32: address of the instructions, u32 each: index | member << MEMBER_SHIFT; before them the map of members that matched
const CHAIN: usize = 12; // u32: next state in its hash bucket
export const NEXT: usize = 16; // u32 for each class, then for the end: a state, UNKNOWN, DEAD or MATCHED; with several members the end has their map

const LAST_WORD: u32 = 0x100;
const ASSERTS: u32 = 0x200;

export const UNKNOWN: usize = 0;
const DEAD: usize = 1;
export const MATCHED: usize = 2;

/** Bits of an instruction's index within its program. */
const MEMBER_SHIFT: u32 = 18;
const INDEX: u32 = (1 << MEMBER_SHIFT) - 1;
/** Programs that an automaton may have. */
export const MAX_MEMBERS: i32 = 512;

/** Stands for the end of the text where a byte is expected. */
const END: i32 = -1;

/** Buckets of an automaton's hash table of states, a power of two: for one program, and for several. */
const FEW_BUCKETS: i32 = 64;
const MANY_BUCKETS: i32 = 1024;

/** Bytes of states that all programs of the VM may hold together. */
export let cacheLimit: usize = 4 * 1024 * 1024;
/** How often the cache was dropped since the VM started. */
export let cacheFlushes: i32 = 0;
/** Offset just past the byte that decided the last `matches`: the match ends here or one byte before. */
export let decidedAt: i32 = 0;

let cache: Arena = changetype<Arena>(0);
let live: Automaton | null = null;

/** Sets the bytes that cached states may take, all programs together. */
export function setCacheLimit(bytes: usize): void {
  cacheLimit = bytes;
}

/** Gives the bytes that cached states take now. */
export function cacheHeld(): usize {
  return changetype<usize>(cache) == 0 ? 0 : cache.held;
}

/** Drops all states of all programs. A program must be dropped from the cache before its memory is freed. */
export function flushCache(): void {
  if (changetype<usize>(cache) == 0) return;
  let automaton = live;
  while (automaton) {
    const next: Automaton | null = automaton.nextLive;
    automaton.states = 0;
    automaton.startState = 0;
    automaton.restart = 0;
    automaton.restartLine = 0;
    automaton.stateCount = 0;
    automaton.nextLive = null;
    automaton = next;
  }
  live = null;
  cache.release();
  cacheFlushes++;
}

/** True if the pattern matches somewhere in the `len` bytes at `ptr`. */
export function matches(automaton: Regex, ptr: usize, len: i32): bool {
  const state = startOf(automaton);
  const matched = matchesFrom(automaton, state, ptr, ptr + <usize>len);
  decidedAt = <i32>(decided - ptr);
  return matched;
}

/** Address behind the byte that decided the last `matchesFrom`. */
let decided: usize = 0;

/** The same from a state on: reads what is left, the bytes from `ptr` to before `end`. */
export function matchesFrom(automaton: Automaton, from: usize, ptr: usize, end: usize): bool {
  decided = ptr;
  if (from <= MATCHED) return from == MATCHED;
  let state = from;
  const classOf = automaton.classOf;
  for (let p = ptr; p < end; p++) {
    const column = (<usize>load<u8>(classOf + <usize>load<u8>(p))) << 2;
    let next = <usize>load<u32>(state + column, NEXT);
    if (next <= MATCHED) {
      if (next == UNKNOWN) next = step(automaton, state, <i32>load<u8>(p));
      if (next <= MATCHED) {
        decided = p + 1;
        return next == MATCHED;
      }
    }
    state = next;
  }
  decided = end;
  return endOf(automaton, state) == MATCHED;
}

/** The map that says of no member that it matches: there is one for all automata and states. */
export const NONE: usize = memory.data(MAX_MEMBERS >> 3, 8);

/** Of the steps that the last `sift` was allowed to build, those it did not need. */
export let patienceLeft: i32 = 0;

/**
 * Finds which members of an automaton with several match in the `len` bytes at `ptr`, building at most `patience`
 * steps. Gives the address of a map of bits that is valid until the next state is built, NONE for one without any,
 * or 0 if there was no patience left.
 */
export function sift(automaton: Automaton, ptr: usize, len: i32, patience: i32): usize {
  return siftFrom(automaton, startOf(automaton), ptr, ptr + <usize>len, patience);
}

/** The same from a state on: reads what is left, the bytes from `ptr` to before `end`. */
export function siftFrom(automaton: Automaton, from: usize, ptr: usize, end: usize, patience: i32): usize {
  let state = from;
  patienceLeft = patience;
  const classOf = automaton.classOf;
  for (let p = ptr; p < end; p++) {
    const column = (<usize>load<u8>(classOf + <usize>load<u8>(p))) << 2;
    let next = <usize>load<u32>(state + column, NEXT);
    if (next == UNKNOWN) {
      if (patienceLeft == 0) return 0;
      patienceLeft--;
      next = step(automaton, state, <i32>load<u8>(p));
    }
    state = next;
  }
  return endOf(automaton, state);
}

/** Gives the state that a text starts in. */
export function startOf(automaton: Automaton): usize {
  const state = automaton.startState;
  return state != 0 ? state : buildStart(automaton);
}

/** Gives the map of the members that match a text which ends in that state, as `sift` does. */
export function endOf(automaton: Automaton, state: usize): usize {
  const mask = <usize>load<u32>(state + ((<usize>automaton.classes) << 2), NEXT);
  return mask != UNKNOWN ? mask : step(automaton, state, END);
}

// A set of instructions, as a list and a map of bits, and a stack for following instructions that consume nothing.
// Sized for the largest automaton, and for the largest of its programs.
let capacity: i32 = 0;
let stackCapacity: i32 = 0;
let seen: usize = 0;
let dense: usize = 0;
let denseCount: i32 = 0;
let expanded: usize = 0;
let stack: usize = 0;
let asserts: bool = false;

function prepare(automaton: Automaton): void {
  if (changetype<usize>(cache) == 0) cache = Arena.create(0);
  if (automaton.totalSize > capacity) {
    if (capacity != 0) {
      heap.free(seen);
      heap.free(dense);
      heap.free(expanded);
    }
    capacity = automaton.totalSize;
    const bytes = (<usize>capacity >> 3) + 1;
    seen = heap.alloc(bytes);
    memory.fill(seen, 0, bytes);
    dense = heap.alloc((<usize>capacity) << 2);
    expanded = heap.alloc((<usize>capacity) << 2);
    denseCount = 0;
  }
  if (automaton.largest <= stackCapacity) return;
  if (stackCapacity != 0) heap.free(stack);
  stackCapacity = automaton.largest;
  // an instruction is put on the stack at most once for each of the two ways that lead to it
  stack = heap.alloc((<usize>stackCapacity) << 3);
}

// The member whose instructions are being followed: its number, shifted, and that of its first instruction.
let member: u32 = 0;
let memberBase: u32 = 0;

function enter(automaton: Automaton, number: u32): Regex {
  member = number << MEMBER_SHIFT;
  memberBase = automaton.base(number);
  return automaton.member(number);
}

function insert(index: u32): bool {
  const number = memberBase + index;
  const at = seen + (<usize>number >> 3);
  const bit: u8 = 1 << (<u8>number & 7);
  const bits = load<u8>(at);
  if ((bits & bit) != 0) return false;
  store<u8>(at, bits | bit);
  store<u32>(dense + ((<usize>denseCount) << 2), member | index);
  denseCount++;
  return true;
}

/** Takes an instruction out of the map, and its neighbours: only for when no more are inserted. */
function forget(automaton: Automaton, entry: u32): void {
  store<u8>(seen + (<usize>(<u32>automaton.base(entry >> MEMBER_SHIFT) + (entry & INDEX)) >> 3), 0);
}

/** Empties the set, which holds instructions of this automaton. */
function empty(automaton: Automaton): void {
  for (let i = 0; i < denseCount; i++) forget(automaton, load<u32>(dense + ((<usize>i) << 2)));
  denseCount = 0;
  asserts = false;
}

/**
 * Adds to the set what can be reached from `index` of the member entered without consuming a byte, given the assertions that
 * hold (`holds`). With `pending`, an assertion about what lies ahead stays in the set. True if the text
 * matches here.
 */
function follow(regex: Regex, index: u32, holds: i32, pending: bool): bool {
  let depth: usize = 0;
  store<u32>(stack, index);
  depth++;
  while (depth > 0) {
    depth--;
    const current = load<u32>(stack + (depth << 2));
    if (!insert(current)) continue;
    const inst = regex.inst(current);
    switch (inst.op) {
      case OP_MATCH:
        return true;
      case OP_SPLIT:
        store<u32>(stack + (depth << 2), inst.arg);
        store<u32>(stack + ((depth + 1) << 2), inst.out);
        depth += 2;
        break;
      case OP_SAVE:
        store<u32>(stack + (depth << 2), inst.out);
        depth++;
        break;
      case OP_ASSERT:
        if ((inst.arg & holds) != 0) {
          store<u32>(stack + (depth << 2), inst.out);
          depth++;
        } else if (pending && (inst.arg & (BEGIN_TEXT | BEGIN_LINE)) == 0) asserts = true;
        break;
    }
  }
  return false;
}

/** Members that matched, as far as the step being built knows: a bit each. */
const matched: usize = memory.data(MAX_MEMBERS >> 3, 8);

/** A member matched. True if that is all there is to know. */
function isDone(automaton: Automaton, number: u32): bool {
  if (automaton.maskBytes == 0) return true;
  setBit(matched, number);
  return false;
}

/** True if a member of several has matched: it need not be followed any more. */
function hasMatched(automaton: Automaton, number: u32): bool {
  return automaton.maskBytes != 0 && hasBit(matched, number);
}

/** Follows the starts of all members, or after the first byte of those that can start anywhere. */
function followStarts(automaton: Automaton, holds: i32, first: bool): bool {
  for (let i = 0; i < automaton.memberCount; i++) {
    const regex = enter(automaton, i);
    if ((first || !regex.anchored) && follow(regex, regex.start, holds, true) && isDone(automaton, i)) return true;
  }
  return false;
}

function buildStart(automaton: Automaton): usize {
  prepare(automaton);
  if (cache.held > cacheLimit) flushCache();
  enlist(automaton);
  prepareRestart(automaton, BEGIN_LINE);
  memory.fill(matched, 0, automaton.maskBytes);
  const holds = BEGIN_TEXT | BEGIN_LINE;
  const state = followStarts(automaton, holds, true) ? MATCHED : intern(automaton, <u32>holds);
  empty(automaton);
  automaton.startState = state;
  return state;
}

// What a match can begin with after the first byte is the same for all states, so states do not hold it: an u32 that
// says whether an assertion is open, then the number of instructions, then these.
const RESTART_ASSERTS: usize = 0;
const RESTART_COUNT: usize = 4;
const RESTART_CODE: usize = 8;

/** Builds what matches behind a byte begin with, if it is not: states ask whether assertions are open in it. */
function prepareRestart(automaton: Automaton, behind: i32): void {
  if (!automaton.anchored) restartOf(automaton, automaton.usesLines ? behind : 0);
}

/** Gives what a match that starts behind a byte begins with, building it if need be; the set must be empty. */
function restartOf(automaton: Automaton, behind: i32): usize {
  const known = behind == 0 ? automaton.restart : automaton.restartLine;
  if (known != 0) return known;
  memory.fill(matched, 0, automaton.maskBytes);
  // a pattern that matches nothing at all has matched at the start already
  followStarts(automaton, behind, false);
  const open = asserts;
  const kept = keepDeciding(automaton);
  const restart = cache.alloc(RESTART_CODE + ((<usize>kept) << 2));
  store<u32>(restart, open ? 1 : 0, RESTART_ASSERTS);
  store<u32>(restart, kept, RESTART_COUNT);
  memory.copy(restart + RESTART_CODE, dense, (<usize>kept) << 2);
  empty(automaton);
  if (behind == 0) automaton.restart = restart;
  else automaton.restartLine = restart;
  return restart;
}

/** Puts the automaton on the list of those that a flush has to reset. */
function enlist(automaton: Automaton): void {
  for (let a: Automaton | null = live; a; a = a!.nextLive) if (a == automaton) return;
  automaton.nextLive = live;
  live = automaton;
}

/** Computes the state that follows `state` on a byte or on END, and enters it in the table. */
export function step(automaton: Automaton, state: usize, c: i32): usize {
  const column = c == END ? automaton.classes : <i32>load<u8>(automaton.classOf + c);
  const flushes = cacheFlushes;
  const next = computeStep(automaton, state, c);
  // after a flush the old state is gone, and the new one is entered when it is next needed
  if (flushes == cacheFlushes) store<u32>(state + ((<usize>column) << 2), <u32>next, NEXT);
  return next;
}

function computeStep(automaton: Automaton, state: usize, c: i32): usize {
  prepare(automaton);
  const flags = load<u32>(state, FLAGS);
  const from = <usize>load<u32>(state, CODE);
  const count = <i32>load<u32>(state, COUNT);
  const restart = automaton.anchored ? 0 : restartOf(automaton, automaton.usesLines ? <i32>flags & BEGIN_LINE : 0);
  const starts = restart == 0 ? 0 : <i32>load<u32>(restart, RESTART_COUNT);
  const behind = c == 0x0a ? BEGIN_LINE : 0;
  prepareRestart(automaton, behind);
  memory.copy(matched, from - automaton.maskBytes, automaton.maskBytes);
  let done = false;
  if ((flags & ASSERTS) != 0) {
    const holds = assertionsThatHold(flags, c);
    done = resolve(automaton, from, count, holds) || resolve(automaton, restart + RESTART_CODE, starts, holds);
    const resolved = denseCount;
    memory.copy(expanded, dense, (<usize>resolved) << 2);
    empty(automaton);
    if (!done && c != END) done = consume(automaton, expanded, resolved, <u8>c, behind);
  } else if (c != END) {
    done = consume(automaton, from, count, <u8>c, behind) || consume(automaton, restart + RESTART_CODE, starts, <u8>c, behind);
  }
  let next = done ? MATCHED : DEAD;
  const several = automaton.maskBytes != 0;
  if (several && c == END) next = memory.compare(matched, NONE, automaton.maskBytes) == 0 ? NONE : cache.copy(matched, <i32>automaton.maskBytes);
  else if (several || (!done && c != END && (denseCount > 0 || !automaton.anchored))) next = intern(automaton, keyOf(automaton, behind, <u8>c));
  empty(automaton);
  return next;
}

/** What lies behind, as far as the automaton asks. */
function keyOf(automaton: Automaton, behind: i32, c: u8): u32 {
  let key: u32 = automaton.usesLines ? <u32>behind : 0;
  if (automaton.usesWords && isWord(c)) key |= LAST_WORD;
  return key;
}

/** Moves instructions over a byte. True if the text matches. */
function consume(automaton: Automaton, from: usize, count: i32, c: u8, behind: i32): bool {
  for (let i = 0; i < count; i++) {
    const entry = load<u32>(from + ((<usize>i) << 2));
    const number = entry >> MEMBER_SHIFT;
    const inst = automaton.member(number).inst(entry & INDEX);
    if (inst.op != OP_BYTE || !setHas(inst.arg, c) || hasMatched(automaton, number)) continue;
    if (follow(enter(automaton, number), inst.out, behind, true) && isDone(automaton, number)) return true;
  }
  return false;
}

/** Gives the assertions that hold between what lies behind and the byte `c`, or END, ahead. */
function assertionsThatHold(flags: u32, c: i32): i32 {
  let holds = <i32>(flags & (BEGIN_TEXT | BEGIN_LINE));
  if (c == END) holds |= END_TEXT | END_LINE;
  if (c == 0x0a) holds |= END_LINE;
  const wordAhead = c != END && isWord(<u8>c);
  return holds | (((flags & LAST_WORD) != 0) != wordAhead ? WORD_BOUNDARY : NOT_WORD_BOUNDARY);
}

/** Follows instructions now that it is known what lies ahead. True if the text matches. */
function resolve(automaton: Automaton, from: usize, count: i32, holds: i32): bool {
  for (let i = 0; i < count; i++) {
    const entry = load<u32>(from + ((<usize>i) << 2));
    const number = entry >> MEMBER_SHIFT;
    if (hasMatched(automaton, number)) continue;
    if (follow(enter(automaton, number), entry & INDEX, holds, false) && isDone(automaton, number)) return true;
  }
  return false;
}

/** Gives the state for the set just built, a new one if there is none. */
function intern(automaton: Automaton, key: u32): usize {
  const kept = keepDeciding(automaton);
  if (asserts || restartAsserts(automaton, key)) key |= ASSERTS;
  let hash: u32 = key * 0x9e3779b1;
  for (let i = 0; i < kept; i++) hash = (hash ^ load<u32>(dense + ((<usize>i) << 2))) * 0x01000193;
  const maskBytes = automaton.maskBytes;
  for (let i: usize = 0; i < maskBytes; i += 4) hash = (hash ^ load<u32>(matched + i)) * 0x01000193;
  const bucket = (<usize>((hash ^ (hash >> 15)) & (bucketsOf(automaton) - 1))) << 2;
  if (automaton.states != 0) {
    let state = <usize>load<u32>(automaton.states + bucket);
    while (state != 0) {
      if (
        load<u32>(state, FLAGS) == key &&
        load<u32>(state, COUNT) == <u32>kept &&
        memory.compare(<usize>load<u32>(state, CODE), dense, (<usize>kept) << 2) == 0 &&
        memory.compare(<usize>load<u32>(state, CODE) - maskBytes, matched, maskBytes) == 0
      )
        return state;
      state = <usize>load<u32>(state, CHAIN);
    }
  }
  if (cache.held > cacheLimit) flushCache();
  return addState(automaton, key, kept, bucket);
}

function bucketsOf(automaton: Automaton): i32 {
  return automaton.memberCount > 1 ? MANY_BUCKETS : FEW_BUCKETS;
}

/** True if an assertion is open where a match can begin behind what `key` says. */
function restartAsserts(automaton: Automaton, key: u32): bool {
  const restart = automaton.usesLines && (key & BEGIN_LINE) != 0 ? automaton.restartLine : automaton.restart;
  return restart != 0 && load<u32>(restart, RESTART_ASSERTS) != 0;
}

function addState(automaton: Automaton, key: u32, kept: i32, bucket: usize): usize {
  if (automaton.states == 0) {
    automaton.states = cache.alloc((<usize>bucketsOf(automaton)) << 2);
    enlist(automaton);
  }
  const state = cache.alloc(NEXT + ((<usize>(automaton.classes + 1)) << 2));
  store<u32>(state, key, FLAGS);
  store<u32>(state, kept, COUNT);
  const code = cache.reserve(automaton.maskBytes + ((<usize>kept) << 2)) + automaton.maskBytes;
  memory.copy(code - automaton.maskBytes, matched, automaton.maskBytes);
  memory.copy(code, dense, (<usize>kept) << 2);
  store<u32>(state, <u32>code, CODE);
  store<u32>(state, load<u32>(automaton.states + bucket), CHAIN);
  store<u32>(automaton.states + bucket, <u32>state);
  automaton.stateCount++;
  return state;
}

/** Leaves in the set only what decides later steps: bytes to consume and assertions still open. */
function keepDeciding(automaton: Automaton): i32 {
  let kept = 0;
  for (let i = 0; i < denseCount; i++) {
    const entry = load<u32>(dense + ((<usize>i) << 2));
    const inst = automaton.member(entry >> MEMBER_SHIFT).inst(entry & INDEX);
    const open = inst.op == OP_ASSERT && (inst.arg & (BEGIN_TEXT | BEGIN_LINE)) == 0;
    if ((inst.op != OP_BYTE && !open) || hasMatched(automaton, entry >> MEMBER_SHIFT)) {
      forget(automaton, entry);
      continue;
    }
    store<u32>(dense + ((<usize>kept) << 2), entry);
    kept++;
  }
  denseCount = kept;
  return kept;
}
