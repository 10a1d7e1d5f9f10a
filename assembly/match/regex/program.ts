/**
 * A compiled regular expression: instructions for a nondeterministic automaton, from which dfa.ts builds the
 * deterministic one on demand. All of it is flat memory; addresses stay valid as long as the arena that holds
 * the program.
 */
import { Arena, make } from "../../bytes/arena";
import { isWord } from "../../bytes/ascii";
import { SET_BYTES, setHas } from "../byteset";
import {
  ALTERNATE,
  ASSERT,
  BEGIN_LINE,
  BEGIN_TEXT,
  CAPTURE,
  CONCAT,
  EMPTY,
  END_LINE,
  END_TEXT,
  NOT_WORD_BOUNDARY,
  Node,
  REPEAT,
  SET,
  UNBOUNDED,
  WORD_BOUNDARY,
} from "./ast";
import { Automaton } from "./automaton";
import { findLiterals, literalCount } from "./literals";
import { analyze, needAll, needLen, needOne, needTwo } from "./required";

/** The text matches. */
export const OP_MATCH: u32 = 0;
/** One byte of the set at `arg`, then `out`. */
export const OP_BYTE: u32 = 1;
/** `out`, or with lower priority `arg`. */
export const OP_SPLIT: u32 = 2;
/** If assertion `arg` holds, `out`. */
export const OP_ASSERT: u32 = 3;
/** Record the position in slot `arg`, then `out`. */
export const OP_SAVE: u32 = 4;

/** Instructions a program may have: bounds the work for one byte of input. */
const MAX_INSTRUCTIONS: i32 = 60000;

/** An instruction, in 8 bytes: a filter with all of CRS holds some 200,000 of them. */
@unmanaged
export class Inst {
  /** The operation in the low 3 bits, the index of the next instruction above. */
  private packed: u32;
  arg: u32;

  get op(): u32 {
    return this.packed & 7;
  }

  /** Index of the next instruction. */
  get out(): u32 {
    return this.packed >> 3;
  }

  set(op: u32, out: u32): void {
    this.packed = op | (out << 3);
  }
}

@unmanaged
export class Regex extends Automaton {
  /** Address of the instructions. */
  code: usize;
  /** Number of instructions. */
  size: i32;
  /** Index of the first instruction. */
  start: u32;
  /** Capture groups, the whole match included. */
  captures: i32;
  /** True if a match is always the whole text: `^...$` without groups. */
  wholeText: bool;
  /** What every match must have, see required.ts: least length in bytes, and signatures. */
  needLen: i32;
  needAll: u64;
  needOne: u64;
  needTwo: u64;
  /** Trigrams of which every match contains one, u16 each, see literals.ts; 0 for none. */
  grams: usize;
  gramCount: i32;

  /** False if a value of that length and signature cannot match. */
  canMatch(len: i32, signature: u64): bool {
    if (len < this.needLen || (signature & this.needAll) != this.needAll) return false;
    return (this.needOne == 0 || (signature & this.needOne) != 0) && (this.needTwo == 0 || (signature & this.needTwo) != 0);
  }

  inst(index: u32): Inst {
    return changetype<Inst>(this.code + <usize>index * offsetof<Inst>());
  }
}

/** What was wrong with the last program, empty if nothing. */
export let compileError: string = "";

/** Where instructions are collected, and the different sets seen so far; one piece of memory for all programs. */
let scratch: usize = 0;
let sets: usize = 0;
let setCount: i32 = 0;
/** Different sets of bytes that one program may have. */
const MAX_SETS: i32 = 2000;
let count: i32 = 0;
let arena: Arena = changetype<Arena>(0);
let flagsSeen: i32 = 0;

/** Compiles a tree into `target`. Null: see `compileError`. */
export function compileTree(target: Arena, root: Node, captures: i32): Regex | null {
  arena = target;
  compileError = "";
  flagsSeen = 0;
  count = 0;
  setCount = 0;
  scratch = heap.alloc(<usize>MAX_INSTRUCTIONS * offsetof<Inst>());
  sets = heap.alloc((<usize>MAX_SETS) << 2);
  const match = push(OP_MATCH, 0, 0);
  const end = push(OP_SAVE, match, 1);
  const start = push(OP_SAVE, emit(root, end), 0);
  if (count >= MAX_INSTRUCTIONS) compileError = "pattern too large";
  const regex = make<Regex>(target);
  regex.start = start;
  regex.size = count;
  regex.code = target.copy(scratch, count * <i32>offsetof<Inst>());
  releaseScratch();
  regex.reserve(target, 1);
  regex.append(regex);
  regex.captures = captures + 1;
  regex.anchored = isAnchored(root, BEGIN_TEXT);
  regex.wholeText = captures == 0 && regex.anchored && isAnchored(root, END_TEXT);
  regex.usesWords = (flagsSeen & (WORD_BOUNDARY | NOT_WORD_BOUNDARY)) != 0;
  regex.usesLines = (flagsSeen & (BEGIN_LINE | END_LINE)) != 0;
  findClasses(regex);
  analyze(root);
  regex.needLen = needLen;
  regex.needAll = needAll;
  regex.needOne = needOne;
  regex.needTwo = needTwo;
  regex.grams = findLiterals(target, root);
  regex.gramCount = literalCount;
  return compileError == "" ? regex : null;
}

/** Frees the scratch memory, cleared, so that a frozen filter does not carry it. */
function releaseScratch(): void {
  memory.fill(scratch, 0, <usize>count * offsetof<Inst>());
  memory.fill(sets, 0, (<usize>setCount) << 2);
  heap.free(scratch);
  heap.free(sets);
}

/** Gives the address of a set with the same members in the program's arena. */
function internSet(set: usize): u32 {
  for (let i = 0; i < setCount; i++) {
    const known = <usize>load<u32>(sets + ((<usize>i) << 2));
    if (memory.compare(known, set, SET_BYTES) == 0) return <u32>known;
  }
  if (setCount == MAX_SETS) {
    compileError = "pattern with more than 2000 different character classes";
    return 0;
  }
  const copy = <u32>arena.copy(set, <i32>SET_BYTES);
  store<u32>(sets + ((<usize>setCount) << 2), copy);
  setCount++;
  return copy;
}

/**
 * Instructions pushed lately, by hash: u32 each. What is pushed again is the old one, so branches of an alternation
 * share their ends, and a list of phrases becomes a graph much smaller than its trie. An entry may be of an earlier
 * program or overwritten; it counts only if the instruction it names is the one that is wanted.
 */
let recent: usize = 0;
const RECENT: u32 = 1 << 14;

/** Gives the index of an instruction, an equal one if there is one. */
function push(op: u32, out: u32, arg: u32): u32 {
  if (recent == 0) {
    recent = heap.alloc((<usize>RECENT) << 2);
    memory.fill(recent, 0, (<usize>RECENT) << 2);
  }
  const hash = ((out * 0x9e3779b1) ^ (arg * 0x85ebca6b)) + op;
  const slot = recent + ((<usize>((hash ^ (hash >> 15)) & (RECENT - 1))) << 2);
  const known = load<u32>(slot);
  if (known < <u32>count) {
    const inst = changetype<Inst>(scratch + <usize>known * offsetof<Inst>());
    if (inst.op == op && inst.out == out && inst.arg == arg) return known;
  }
  store<u32>(slot, count);
  return pushNew(op, out, arg);
}

/** Appends an instruction of its own, which may be changed later. */
function pushNew(op: u32, out: u32, arg: u32): u32 {
  if (count >= MAX_INSTRUCTIONS) return 0;
  const inst = changetype<Inst>(scratch + <usize>count * offsetof<Inst>());
  inst.set(op, out);
  inst.arg = arg;
  return count++;
}

/** Writes the instructions of `node` in front of those at `next`; gives the index of the first. */
function emit(node: Node, next: u32): u32 {
  if (count >= MAX_INSTRUCTIONS) return 0;
  switch (node.kind) {
    case EMPTY:
      return next;
    case SET:
      return push(OP_BYTE, next, internSet(node.set));
    case ASSERT:
      flagsSeen |= node.index;
      return push(OP_ASSERT, next, node.index);
    case CAPTURE:
      return push(OP_SAVE, emit(node.child!, push(OP_SAVE, next, node.index * 2 + 1)), node.index * 2);
    case CONCAT: {
      let entry = next;
      for (let child: Node | null = node.last; child; child = child!.previous) entry = emit(child, entry);
      return entry;
    }
    case ALTERNATE: {
      let entry = emit(node.last!, next);
      for (let child: Node | null = node.last!.previous; child; child = child!.previous) entry = push(OP_SPLIT, emit(child, next), entry);
      return entry;
    }
    default:
      return emitRepeat(node, next);
  }
}

function emitRepeat(node: Node, next: u32): u32 {
  const child = node.child!;
  let entry = next;
  let required = node.min;
  if (node.max == UNBOUNDED) {
    const loop = pushNew(OP_SPLIT, 0, 0);
    const body = emit(child, loop);
    link(loop, body, next, node.greedy);
    // x+ enters through its body, x* through the choice
    entry = required > 0 ? body : loop;
    required--;
  } else {
    for (let i = node.min; i < node.max; i++) {
      const choice = pushNew(OP_SPLIT, 0, 0);
      link(choice, emit(child, entry), next, node.greedy);
      entry = choice;
    }
  }
  for (let i = 0; i < required; i++) entry = emit(child, entry);
  return entry;
}

function link(split: u32, body: u32, skip: u32, greedy: bool): void {
  const inst = changetype<Inst>(scratch + <usize>split * offsetof<Inst>());
  inst.set(OP_SPLIT, greedy ? body : skip);
  inst.arg = greedy ? skip : body;
}

/** True if every match of the tree starts at the start of the text (BEGIN_TEXT), or ends at its end (END_TEXT). */
function isAnchored(node: Node, side: i32): bool {
  switch (node.kind) {
    case ASSERT:
      return node.index == side;
    case CAPTURE:
      return isAnchored(node.child!, side);
    case CONCAT:
      return isAnchored(side == BEGIN_TEXT ? node.child! : node.last!, side);
    case REPEAT:
      return node.min > 0 && isAnchored(node.child!, side);
    case ALTERNATE:
      for (let child: Node | null = node.child; child; child = child!.next) if (!isAnchored(child!, side)) return false;
      return true;
    default:
      return false;
  }
}

/** Splits the bytes into the classes that the program tells apart, as runs of neighbours. */
function findClasses(regex: Regex): void {
  const cuts = arena.alloc(257);
  for (let i: u32 = 0; i < <u32>regex.size; i++) {
    const inst = regex.inst(i);
    if (inst.op != OP_BYTE) continue;
    for (let c = 1; c < 256; c++) {
      if (setHas(inst.arg, <u8>c) != setHas(inst.arg, <u8>(c - 1))) store<u8>(cuts + c, 1);
    }
  }
  for (let c = 1; c < 256; c++) {
    if (regex.usesWords && isWord(<u8>c) != isWord(<u8>(c - 1))) store<u8>(cuts + c, 1);
    if (regex.usesLines && (c == 0x0a || c == 0x0b)) store<u8>(cuts + c, 1);
  }
  regex.classOf = arena.alloc(256);
  let current = 0;
  for (let c = 0; c < 256; c++) {
    if (c > 0 && load<u8>(cuts + c) != 0) current++;
    store<u8>(regex.classOf + c, <u8>current);
  }
  regex.classes = current + 1;
}
