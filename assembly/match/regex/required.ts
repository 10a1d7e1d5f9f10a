/**
 * What every match of a pattern must have, as signatures (see ../signature.ts): a least length, buckets that
 * must all occur, and up to two sets of buckets of each of which one must occur. A value that lacks any of it
 * cannot match, and its DFA need not run.
 *
 * Of the sets that a concatenation offers, the two that ordinary text is least likely to have are kept; an
 * alternation needs the union of what its branches need.
 */

import { setHas } from "../byteset";
import { bucketOf, HIGH, marks } from "../signature";
import { ALTERNATE, CAPTURE, CONCAT, Node, REPEAT, SET } from "./ast";

/** No constraint. */
const NONE: u64 = 0;
/** Cost of a set that says nothing. */
const WORTHLESS: i32 = 1 << 20;
/** A set that ordinary text nearly always hits is not worth asking for. */
const USELESS: i32 = 260;

/** Result of `analyze` for the last node. */
export let needLen: i32 = 0;
export let needAll: u64 = 0;
export let needOne: u64 = 0;
export let needTwo: u64 = 0;

/** The most frequent letters of English, and marks that stand in many values. */
const FREQUENT: u64 = marks("etaoinsrhldcump");
const COMMON: u64 = marks("-./:=_,");

/** How likely ordinary text has a byte of the set: the sum over buckets, letters about 12 to 40, marks 1 to 12. */
function cost(set: u64): i32 {
  if (set == NONE) return WORTHLESS;
  const letters = set & 0x03ffffff;
  let sum = <i32>popcnt<u64>(letters & FREQUENT) * 40 + <i32>popcnt<u64>(letters & ~FREQUENT) * 12;
  if ((set & (1 << 27)) != 0) sum += 40;
  if ((set & (1 << 30)) != 0) sum += 40;
  if ((set & HIGH) != 0) sum += 6;
  return sum + <i32>popcnt<u64>(set & COMMON) * 12 + <i32>popcnt<u64>((set & ~COMMON) >> 31);
}

function give(len: i32, all: u64, one: u64, two: u64): void {
  needLen = len;
  needAll = all;
  needOne = one;
  needTwo = two;
}

/** Analyzes a tree; the result is in `needLen`, `needAll`, `needOne`, `needTwo`. */
export function analyze(node: Node): void {
  switch (node.kind) {
    case SET: {
      let set: u64 = 0;
      for (let c = 0; c < 256; c++) if (setHas(node.set, <u8>c)) set |= bucketOf(<u8>c);
      give(1, popcnt<u64>(set) == 1 ? set : 0, cost(set) >= USELESS ? NONE : set, NONE);
      break;
    }
    case CAPTURE:
      analyze(node.child!);
      break;
    case CONCAT:
      concatenation(node);
      break;
    case ALTERNATE:
      alternation(node);
      break;
    case REPEAT:
      if (node.min > 0) {
        analyze(node.child!);
        needLen = min(needLen * node.min, 100000);
      } else give(0, 0, NONE, NONE);
      break;
    default:
      give(0, 0, NONE, NONE);
  }
}

let bestOne: u64 = 0;
let bestTwo: u64 = 0;

/** Keeps the two cheapest of the sets offered. */
function offer(set: u64): void {
  if (set == NONE || set == bestOne || set == bestTwo) return;
  if (cost(set) < cost(bestOne)) {
    bestTwo = bestOne;
    bestOne = set;
  } else if (cost(set) < cost(bestTwo)) bestTwo = set;
}

function concatenation(node: Node): void {
  let len = 0;
  let all: u64 = 0;
  let one: u64 = NONE;
  let two: u64 = NONE;
  for (let child: Node | null = node.child; child; child = child!.next) {
    analyze(child);
    len = min(len + needLen, 100000);
    all |= needAll;
    bestOne = one;
    bestTwo = two;
    offer(needOne);
    offer(needTwo);
    one = bestOne;
    two = bestTwo;
  }
  give(len, all, one, two);
}

function alternation(node: Node): void {
  let len = i32.MAX_VALUE;
  let all: u64 = ~(<u64>0);
  let one: u64 = 0;
  let two: u64 = 0;
  let hasOne = true;
  let hasTwo = true;
  for (let child: Node | null = node.child; child; child = child!.next) {
    analyze(child);
    len = min(len, needLen);
    all &= needAll;
    if (needOne == NONE) hasOne = false;
    one |= needOne;
    if (needTwo == NONE && needOne == NONE) hasTwo = false;
    two |= needTwo == NONE ? needOne : needTwo;
  }
  if (!hasOne || cost(one) >= USELESS) one = NONE;
  if (!hasTwo || cost(two) >= USELESS || one == NONE) two = NONE;
  give(len, all, one, two == one ? NONE : two);
}
