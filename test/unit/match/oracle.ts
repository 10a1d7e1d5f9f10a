/**
 * A regular expression matcher that is too simple to be wrong: for a node of the tree and a set of positions
 * it gives the set of positions where a match can end. Sets are 64-bit maps, so texts have up to 62 bytes.
 */

import { isWord } from "../../../assembly/bytes/ascii";
import { setHas } from "../../../assembly/match/byteset";
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
  Node,
  REPEAT,
  SET,
  UNBOUNDED,
  WORD_BOUNDARY,
} from "../../../assembly/match/regex/ast";

let text: usize = 0;
let length: i32 = 0;

/** True if the tree matches somewhere in the text. */
export function oracle(root: Node, ptr: usize, len: i32): bool {
  text = ptr;
  length = len;
  const everywhere: u64 = ((<u64>2) << len) - 1;
  return ends(root, everywhere) != 0;
}

function ends(node: Node, from: u64): u64 {
  if (node.kind == EMPTY) return from;
  if (node.kind == CAPTURE) return ends(node.child!, from);
  if (node.kind == SET) return overByte(node.set, from);
  if (node.kind == ASSERT) return where(node.index, from);
  if (node.kind == REPEAT) return repeat(node, from);
  let result: u64 = node.kind == CONCAT ? from : 0;
  let child = node.child;
  while (child) {
    if (node.kind == ALTERNATE) result |= ends(child, from);
    else result = ends(child, result);
    child = child.next;
  }
  return result;
}

function overByte(set: usize, from: u64): u64 {
  let result: u64 = 0;
  for (let i = 0; i < length; i++) {
    if (((from >> i) & 1) != 0 && setHas(set, load<u8>(text + i))) result |= (<u64>1) << (i + 1);
  }
  return result;
}

function repeat(node: Node, from: u64): u64 {
  let current = from;
  for (let i = 0; i < node.min; i++) current = ends(node.child!, current);
  let result = current;
  for (let i = node.min; node.max == UNBOUNDED || i < node.max; i++) {
    current = ends(node.child!, current);
    if ((result | current) == result) break;
    result |= current;
  }
  return result;
}

function where(kind: i32, from: u64): u64 {
  let result: u64 = 0;
  for (let i = 0; i <= length; i++) if (((from >> i) & 1) != 0 && holds(kind, i)) result |= (<u64>1) << i;
  return result;
}

function holds(kind: i32, i: i32): bool {
  const before = i > 0 && isWord(load<u8>(text + i - 1));
  const after = i < length && isWord(load<u8>(text + i));
  if (kind == BEGIN_TEXT) return i == 0;
  if (kind == END_TEXT) return i == length;
  if (kind == BEGIN_LINE) return i == 0 || load<u8>(text + i - 1) == 0x0a;
  if (kind == END_LINE) return i == length || load<u8>(text + i) == 0x0a;
  return (before != after) == (kind == WORD_BOUNDARY);
}
