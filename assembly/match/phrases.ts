/**
 * Sets of literal phrases (`@pm`, `@pmFromFile`), compared without case.
 *
 * A set becomes a trie, and the trie a program for the regular expression engine: its lazy DFA is an
 * Aho-Corasick automaton that is built where traffic goes, in the memory that all programs share. A
 * phrase that another one is the beginning of is left out, since the shorter one always matches first.
 */
import { Arena } from "../bytes/arena";
import { hexByte, isHex, isSpace, lower } from "../bytes/ascii";
import { SET_BYTES, setAdd, setFold } from "./byteset";
import { ALTERNATE, CONCAT, EMPTY, Node, SET } from "./regex/ast";
import { compileTree, Regex } from "./regex/program";

/** Bytes of one phrase. */
const MAX_PHRASE: i32 = 250;
const MAX_PHRASES: i32 = 20000;

let scratch: Arena = changetype<Arena>(0);
/** Addresses of phrases (length as u32, then bytes in lower case), sorted once complete. */
let phrases: usize = 0;
let count: i32 = 0;

/** Compiles the phrases of `@pm`, separated by blanks; `|41 42|` stands for bytes. Null if there is none. */
export function compilePhrases(arena: Arena, ptr: usize, len: i32): Regex | null {
  begin();
  let i = 0;
  while (i < len) {
    while (i < len && isSpace(load<u8>(ptr + i))) i++;
    const start = i;
    while (i < len && !isSpace(load<u8>(ptr + i))) i = load<u8>(ptr + i) == 0x7c ? afterBytes(ptr, len, i) : i + 1;
    if (i > start) addPhrase(ptr + start, i - start);
  }
  return finish(arena);
}

/** Compiles the phrases of a file, one a line, `#` starting a comment. Null if there is none. */
export function compilePhraseFile(arena: Arena, ptr: usize, len: i32): Regex | null {
  begin();
  let start = 0;
  for (let i = 0; i <= len; i++) {
    if (i < len && load<u8>(ptr + i) != 0x0a) continue;
    let from = start;
    let to = i;
    while (from < to && isSpace(load<u8>(ptr + from))) from++;
    while (to > from && isSpace(load<u8>(ptr + to - 1))) to--;
    if (to > from && load<u8>(ptr + from) != 0x23) addPhrase(ptr + from, to - from);
    start = i + 1;
  }
  return finish(arena);
}

function begin(): void {
  scratch = Arena.create(0);
  scratch.scrubs = true;
  phrases = scratch.reserve((<usize>MAX_PHRASES) << 2);
  count = 0;
}

function finish(arena: Arena): Regex | null {
  let regex: Regex | null = null;
  if (count > 0) {
    sort(0, count);
    regex = compileTree(arena, trie(0, count, 0), 0);
  }
  scratch.destroy();
  return regex;
}

/** Gives the offset after `|hex bytes|` at `i`, or after the bar if it is only a bar. */
function afterBytes(ptr: usize, len: i32, i: i32): i32 {
  let k = i + 1;
  while (k < len && (isHex(load<u8>(ptr + k)) || load<u8>(ptr + k) == 0x20)) k++;
  return k < len && k > i + 1 && load<u8>(ptr + k) == 0x7c ? k + 1 : i + 1;
}

function addPhrase(ptr: usize, len: i32): void {
  if (count == MAX_PHRASES) return;
  const entry = scratch.alloc(<usize>len + 4);
  let n = 0;
  let i = 0;
  while (i < len && n < MAX_PHRASE) {
    const end = load<u8>(ptr + i) == 0x7c ? afterBytes(ptr, len, i) : i + 1;
    if (end == i + 1) store<u8>(entry + 4 + n++, lower(load<u8>(ptr + i)));
    else n = addBytes(entry, n, ptr + i + 1, end - i - 2);
    i = end;
  }
  store<i32>(entry, n);
  store<u32>(phrases + ((<usize>count) << 2), <u32>entry);
  count++;
}

function addBytes(entry: usize, n: i32, ptr: usize, len: i32): i32 {
  for (let i = 0; i + 1 < len; i++) {
    if (!isHex(load<u8>(ptr + i)) || !isHex(load<u8>(ptr + i + 1))) continue;
    store<u8>(entry + 4 + n++, lower(hexByte(ptr + i)));
    i++;
  }
  return n;
}

function phrase(i: i32): usize {
  return load<u32>(phrases + ((<usize>i) << 2));
}

function compare(a: usize, b: usize): i32 {
  const aLen = load<i32>(a);
  const bLen = load<i32>(b);
  const order = memory.compare(a + 4, b + 4, <usize>min(aLen, bLen));
  return order != 0 ? order : aLen - bLen;
}

/** Sorts phrases [from, to) by bytes: heap sort, so no input makes it slow or deep. */
function sort(from: i32, to: i32): void {
  const n = to - from;
  for (let i = n / 2 - 1; i >= 0; i--) sift(from, i, n);
  for (let end = n - 1; end > 0; end--) {
    swap(from, from + end);
    sift(from, 0, end);
  }
}

function swap(a: i32, b: i32): void {
  const x = phrase(a);
  store<u32>(phrases + ((<usize>a) << 2), <u32>phrase(b));
  store<u32>(phrases + ((<usize>b) << 2), <u32>x);
}

function sift(base: i32, root: i32, n: i32): void {
  while (true) {
    let child = root * 2 + 1;
    if (child >= n) return;
    if (child + 1 < n && compare(phrase(base + child), phrase(base + child + 1)) < 0) child++;
    if (compare(phrase(base + root), phrase(base + child)) >= 0) return;
    swap(base + root, base + child);
    root = child;
  }
}

/** Makes the tree of phrases [from, to), which agree in their first `depth` bytes. */
function trie(from: i32, to: i32, depth: i32): Node {
  if (load<i32>(phrase(from)) <= depth) return Node.of(scratch, EMPTY);
  const branches = Node.of(scratch, ALTERNATE);
  let start = from;
  while (start < to) {
    const c = load<u8>(phrase(start) + 4 + depth);
    let end = start + 1;
    while (end < to && load<u8>(phrase(end) + 4 + depth) == c) end++;
    branches.append(branch(c, start, end, depth));
    start = end;
  }
  return branches.child == branches.last ? branches.child! : branches;
}

function branch(c: u8, from: i32, to: i32, depth: i32): Node {
  const byte = Node.of(scratch, SET);
  byte.set = scratch.alloc(SET_BYTES);
  setAdd(byte.set, c);
  setFold(byte.set);
  const node = Node.of(scratch, CONCAT);
  node.append(byte);
  node.append(trie(from, to, depth + 1));
  return node;
}
