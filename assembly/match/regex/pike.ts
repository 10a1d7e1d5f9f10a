/**
 * Where does the pattern match, and what do its groups hold? Runs all threads of the automaton side by
 * side in order of preference (Pike's simulation), so it gives what a backtracking engine would give,
 * in time linear in the text. It is slow next to the DFA, and runs only for a rule that already matched.
 *
 * To keep even that bounded, a text longer than WINDOW is looked at around the place where the DFA
 * decided, WINDOW / 2 bytes to each side.
 */
import { isWord } from "../../bytes/ascii";
import { setHas } from "../byteset";
import { BEGIN_LINE, BEGIN_TEXT, END_LINE, END_TEXT, NOT_WORD_BOUNDARY, WORD_BOUNDARY } from "./ast";
import { decidedAt, matches } from "./dfa";
import { OP_ASSERT, OP_BYTE, OP_MATCH, OP_SAVE, OP_SPLIT, Regex } from "./program";

/** Bytes of text that a search for positions looks at: each costs up to the size of the pattern. */
const WINDOW: i32 = 4096;
/** Groups whose positions are kept: TX:0 to TX:9. */
export const MAX_GROUPS: i32 = 10;
/** Bytes of the slots of all groups: start and end, i32 each. */
const SLOT_BYTES: usize = <usize>MAX_GROUPS * 8;
/** Bytes of slots that each thread of the pattern being run has: as many as it has groups. */
let stride: usize = SLOT_BYTES;

/** Positions of the last successful `locate`: start and end of each group in bytes, -1 if it took no part. */
export const slots: usize = memory.data(80);

/** A list of threads: instruction indices in order of preference, and slots for each. */
@unmanaged
class Threads {
  count: i32;
  sparse: usize;
  index: usize;
  slots: usize;

  /** Makes a list for programs of up to `size` instructions and `slotBytes` bytes of slots, all threads together. */
  static create(size: i32, slotBytes: usize): Threads {
    const list = changetype<Threads>(heap.alloc(offsetof<Threads>()));
    list.count = 0;
    list.sparse = heap.alloc((<usize>size) << 2);
    memory.fill(list.sparse, 0, (<usize>size) << 2);
    list.index = heap.alloc((<usize>size) << 2);
    list.slots = heap.alloc(slotBytes);
    return list;
  }

  free(): void {
    heap.free(this.sparse);
    heap.free(this.index);
    heap.free(this.slots);
    heap.free(changetype<usize>(this));
  }

  at(i: i32): u32 {
    return load<u32>(this.index + ((<usize>i) << 2));
  }

  insert(index: u32): bool {
    const slot = <i32>load<u32>(this.sparse + ((<usize>index) << 2));
    if (slot < this.count && this.at(slot) == index) return false;
    store<u32>(this.sparse + ((<usize>index) << 2), this.count);
    store<u32>(this.index + ((<usize>this.count) << 2), index);
    this.count++;
    return true;
  }
}

let capacity: i32 = 0;
let slotCapacity: usize = 0;
let current: Threads = changetype<Threads>(0);
let following: Threads = changetype<Threads>(0);
/** Work list of `add`: pairs (instruction or ~slot, value to restore). */
let work: usize = 0;
const saved: usize = memory.data(80);

let text: usize = 0;
let textLength: i32 = 0;

function prepare(size: i32): void {
  const slotBytes = <usize>size * stride;
  if (size <= capacity && slotBytes <= slotCapacity) return;
  if (capacity != 0) {
    current.free();
    following.free();
    heap.free(work);
  }
  capacity = max(capacity, size);
  slotCapacity = max(slotCapacity, slotBytes);
  current = Threads.create(capacity, slotCapacity);
  following = Threads.create(capacity, slotCapacity);
  work = heap.alloc(<usize>capacity * 24 + 64);
}

/** Finds the match a backtracking engine would; positions are then in `slots`. False if there is none. */
export function locate(regex: Regex, ptr: usize, len: i32): bool {
  if (!matches(regex, ptr, len)) return false;
  if (regex.wholeText) {
    memory.fill(slots, 0xff, SLOT_BYTES);
    store<i32>(slots, 0);
    store<i32>(slots, len, 4);
    return true;
  }
  const from = len <= WINDOW ? 0 : max(0, decidedAt - WINDOW / 2);
  const to = min(len, from + WINDOW);
  stride = <usize>min(regex.captures, MAX_GROUPS) * 8;
  prepare(regex.size);
  memory.fill(slots, 0xff, SLOT_BYTES);
  text = ptr;
  textLength = len;
  if (search(regex, from, to)) return true;
  // the match starts before the window: report the bytes that decided
  memory.fill(slots, 0xff, SLOT_BYTES);
  store<i32>(slots, from);
  store<i32>(slots, min(decidedAt, len), 4);
  return true;
}

function search(regex: Regex, from: i32, to: i32): bool {
  let found = false;
  current.count = 0;
  for (let at = from; at <= to; at++) {
    if (!found && (at == 0 || !regex.anchored)) {
      memory.fill(saved, 0xff, stride);
      add(regex, current, regex.start, at);
    }
    if (current.count == 0) break;
    following.count = 0;
    if (advance(regex, at, at < to)) found = true;
    const swap = current;
    current = following;
    following = swap;
  }
  return found;
}

/** Moves all threads over the byte at `at`. True if one of them matched, which ends those of lower preference. */
function advance(regex: Regex, at: i32, hasByte: bool): bool {
  const c = hasByte ? load<u8>(text + at) : 0;
  for (let i = 0; i < current.count; i++) {
    const inst = regex.inst(current.at(i));
    if (inst.op == OP_MATCH) {
      memory.copy(slots, current.slots + <usize>i * stride, stride);
      return true;
    }
    if (inst.op == OP_BYTE && hasByte && setHas(inst.arg, c)) {
      memory.copy(saved, current.slots + <usize>i * stride, stride);
      add(regex, following, inst.out, at + 1);
    }
  }
  return false;
}

/** Adds the thread `start`, and all it leads to without consuming a byte, with the slots in `saved`. */
function add(regex: Regex, list: Threads, start: u32, at: i32): void {
  const holds = assertionsAt(at);
  let depth: usize = 0;
  store<i32>(work, <i32>start);
  depth++;
  while (depth > 0) {
    depth--;
    const entry = load<i32>(work + (depth << 3));
    if (entry < 0) {
      store<i32>(saved + ((<usize>~entry) << 2), load<i32>(work + (depth << 3), 4));
      continue;
    }
    if (!list.insert(entry)) continue;
    const inst = regex.inst(entry);
    switch (inst.op) {
      case OP_SPLIT:
        store<i32>(work + (depth << 3), <i32>inst.arg);
        store<i32>(work + ((depth + 1) << 3), <i32>inst.out);
        depth += 2;
        break;
      case OP_SAVE:
        if ((<usize>inst.arg) << 2 < stride) {
          store<i32>(work + (depth << 3), ~(<i32>inst.arg));
          store<i32>(work + (depth << 3), load<i32>(saved + ((<usize>inst.arg) << 2)), 4);
          depth++;
          store<i32>(saved + ((<usize>inst.arg) << 2), at);
        }
        store<i32>(work + (depth << 3), <i32>inst.out);
        depth++;
        break;
      case OP_ASSERT:
        if ((inst.arg & holds) != 0) store<i32>(work + (depth++ << 3), <i32>inst.out);
        break;
      default:
        memory.copy(list.slots + <usize>(list.count - 1) * stride, saved, stride);
    }
  }
}

function assertionsAt(at: i32): u32 {
  const before = at > 0 ? load<u8>(text + at - 1) : 0x0a;
  const after = at < textLength ? load<u8>(text + at) : 0x0a;
  let holds = 0;
  if (at == 0) holds |= BEGIN_TEXT;
  if (before == 0x0a) holds |= BEGIN_LINE;
  if (at == textLength) holds |= END_TEXT;
  if (after == 0x0a) holds |= END_LINE;
  return holds | (isWord(before) != isWord(after) ? WORD_BOUNDARY : NOT_WORD_BOUNDARY);
}
