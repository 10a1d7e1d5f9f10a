/**
 * Groups of rules that look at the same variables after the same transformations. CRS has some hundred rules
 * over `ARGS|ARGS_NAMES|REQUEST_COOKIES|...` and a few dozen sequences of transformations, so what is known about
 * all values of a group, the union of their signatures and the length of the longest, is worked out once, and
 * then rules out most rules of the group in a few instructions each. Mostly no transformation changes any value: then
 * what is known about the values as they are holds for all groups with the same variables.
 */

import { equal } from "../bytes/span";
import { Item, Value } from "../decode/items";
import { NONE } from "../match/sieve";
import { emptyChain } from "./chains";
import { Chain, Rule, SELECT_NAME, Target } from "./model";
import { canPrefilter } from "./operators";
import { Entry, Program } from "./program";
import { resolveScalar } from "./scalars";
import { firstSelected, nextSelected } from "./selected";
import { Transaction } from "./transaction";
import { longest, siftedList, unionOf } from "./unions";
import { joinMaps, siftedValue, valueOf } from "./values";
import { ARGS, ARGS_GET, ARGS_NAMES, ARGS_PATH, ARGS_POST, isChangedByRules, LAST_LIST, LAST_SCALAR, listOf } from "./variables";

/** Groups of a program; rules beyond are judged one by one. */
export const MAX_GROUPS: i32 = 1024;

/** What the rules of a group look at. */
@unmanaged
export class Group {
  targets: Target;
  chain: Chain;
  multiMatch: bool;
  /** Number of the group with the same targets and no transformations: itself, if it has none. */
  raw: i32;
}

/** Gives the group of a rule in a program, a new one if there is none; -1 if the rule cannot be in one. */
export function groupOf(program: Program, rule: Rule): i32 {
  if (rule.negated || !canPrefilter(rule) || !isStable(rule)) return -1;
  const raw = findGroup(program, rule.targets!, emptyChain(), false);
  if (raw < 0 || rule.chain == emptyChain()) return raw;
  const group = findGroup(program, rule.targets!, rule.chain, rule.multiMatch);
  if (group >= 0) program.group(group).raw = raw;
  return group;
}

function findGroup(program: Program, targets: Target, chain: Chain, multiMatch: bool): i32 {
  for (let i = 0; i < program.groupCount; i++) {
    const group = program.group(i);
    if (group.chain == chain && group.multiMatch == multiMatch && selectSame(group.targets, targets)) return i;
  }
  if (program.groupCount == MAX_GROUPS) return -1;
  const group = program.group(program.groupCount);
  group.targets = targets;
  group.chain = chain;
  group.multiMatch = multiMatch;
  group.raw = program.groupCount;
  return program.groupCount++;
}

/** True if what the rule looks at does not change while a phase runs. */
export function isStable(rule: Rule): bool {
  if (!rule.targets) return false;
  for (let target: Target | null = rule.targets; target; target = target!.next) {
    if (target.count || isChangedByRules(target.variable)) return false;
  }
  return true;
}

function selectSame(a: Target, b: Target): bool {
  let x: Target | null = a;
  let y: Target | null = b;
  while (x && y) {
    if (x.variable != y.variable || x.select != y.select || !equal(x.selPtr, x.selLen, y.selPtr, y.selLen)) return false;
    x = x.next;
    y = y.next;
  }
  return !x && !y;
}

/** What a transaction keeps for a group. */
@unmanaged
class Summary {
  /** Union of the signatures of all values. */
  signature: u64;
  /** Length of the longest value in bytes. */
  longest: i32;
  /** Phase that it holds for; 0 until it was worked out. */
  phase: i32;
  /** What the sieve says of all values: the address of a map, 0 until it was asked. */
  sifted: usize;
}

let signature: u64 = 0;
let length: i32 = 0;

/**
 * Finds what is known about all values of a group in a phase, working it out if it is not. Gives the number of the
 * group that it is kept with: where no transformation changes any value, that is the one without transformations.
 */
export function lookUpGroup(tx: Transaction, group: i32, phase: i32): i32 {
  const program = tx.program;
  if (tx.groups == 0) tx.groups = tx.arena.alloc(<usize>program.groupCount * offsetof<Summary>());
  const own = program.group(group);
  const raw = summaryOf(tx, own.raw, phase);
  if (own.raw == group || (raw.signature & own.chain.triggers) == 0) return own.raw;
  summaryOf(tx, group, phase);
  return group;
}

function summaryOf(tx: Transaction, group: i32, phase: i32): Summary {
  const summary = changetype<Summary>(tx.groups + <usize>group * offsetof<Summary>());
  if (summary.phase == phase) return summary;
  workOut(tx, tx.program.group(group));
  summary.signature = signature;
  summary.longest = length;
  summary.phase = phase;
  summary.sifted = 0;
  return summary;
}

/** False if no value of a group that `lookUpGroup` gave can match the rule of an entry. */
export function groupCanMatch(tx: Transaction, group: i32, entry: Entry): bool {
  const summary = changetype<Summary>(tx.groups + <usize>group * offsetof<Summary>());
  return entry.canMatch(summary.longest, summary.signature);
}

/** Gives the map of the patterns in the sieve that match a value of a group that `lookUpGroup` gave. */
export function siftedGroup(tx: Transaction, group: i32, side: i32): usize {
  const summary = changetype<Summary>(tx.groups + <usize>group * offsetof<Summary>());
  if (summary.sifted == 0) summary.sifted = siftAll(tx, tx.program.group(group), side);
  return summary.sifted;
}

function siftAll(tx: Transaction, group: Group, side: i32): usize {
  let map = NONE;
  for (let target: Target | null = group.targets; target; target = target!.next) {
    for (let chain: Chain | null = group.chain; chain; chain = chain!.parent) {
      map = joinMaps(tx, side, map, siftTarget(tx, target!, chain!, side));
      if (!group.multiMatch) break;
    }
  }
  return map;
}

function siftTarget(tx: Transaction, target: Target, chain: Chain, side: i32): usize {
  const variable = target.variable;
  if (variable <= LAST_SCALAR) return siftedValue(tx, side, valueOf(tx.arena, resolveScalar(tx, variable), false, chain));
  const names = variable > LAST_LIST;
  if (variable == ARGS || variable == ARGS_NAMES) {
    const sent = joinMaps(
      tx,
      side,
      siftedList(tx, side, tx.list(ARGS_GET), variable == ARGS_NAMES, chain),
      siftedList(tx, side, tx.list(ARGS_POST), variable == ARGS_NAMES, chain),
    );
    return joinMaps(tx, side, sent, siftedList(tx, side, tx.list(ARGS_PATH), variable == ARGS_NAMES, chain));
  }
  const list = tx.list(listOf(variable));
  if (target.select != SELECT_NAME) return siftedList(tx, side, list, names, chain);
  let map = NONE;
  for (let item: Item | null = firstSelected(tx.arena, list, target); item; item = nextSelected(list, item!, target)) {
    map = joinMaps(tx, side, map, siftedValue(tx, side, valueOf(tx.arena, item!, names, chain)));
  }
  return map;
}

function workOut(tx: Transaction, group: Group): void {
  signature = 0;
  length = 0;
  for (let target: Target | null = group.targets; target; target = target!.next) {
    // multiMatch looks at the value after each transformation
    for (let chain: Chain | null = group.chain; chain; chain = chain!.parent) {
      addTarget(tx, target!, chain!);
      if (!group.multiMatch) break;
    }
  }
}

function addTarget(tx: Transaction, target: Target, chain: Chain): void {
  const variable = target.variable;
  if (variable <= LAST_SCALAR) {
    add(valueOf(tx.arena, resolveScalar(tx, variable), false, chain));
    return;
  }
  if (variable == ARGS || variable == ARGS_NAMES) {
    addList(tx, ARGS_GET, variable == ARGS_NAMES, chain);
    addList(tx, ARGS_POST, variable == ARGS_NAMES, chain);
    addList(tx, ARGS_PATH, variable == ARGS_NAMES, chain);
    return;
  }
  if (target.select == SELECT_NAME) {
    addNamed(tx, target, chain);
    return;
  }
  addList(tx, listOf(variable), variable > LAST_LIST, chain);
}

function addNamed(tx: Transaction, target: Target, chain: Chain): void {
  const list = tx.list(listOf(target.variable));
  for (let item: Item | null = firstSelected(tx.arena, list, target); item; item = nextSelected(list, item!, target)) {
    add(valueOf(tx.arena, item, target.variable > LAST_LIST, chain));
  }
}

function add(value: Value): void {
  signature |= value.signature;
  length = max(length, value.len);
}

function addList(tx: Transaction, list: i32, names: bool, chain: Chain): void {
  const items = tx.list(list);
  if (items.count == 0) return;
  signature |= unionOf(tx.arena, items, names, chain);
  length = max(length, longest);
}
