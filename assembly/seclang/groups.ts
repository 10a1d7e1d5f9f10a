/**
 * Groups of rules that look at the same variables after the same transformations. CRS has some hundred rules
 * over `ARGS|ARGS_NAMES|REQUEST_COOKIES|...` and a few dozen sequences of transformations, so what is known about
 * all values of a group, the union of their signatures and the length of the longest, is worked out once, and
 * then rules out most rules of the group in a few instructions each.
 */

import { equal } from "../bytes/span";
import { Item, Value } from "../decode/items";
import { Chain, Rule, SELECT_NAME, Target } from "./model";
import { canPrefilter } from "./operators";
import { Program } from "./program";
import { resolveScalar } from "./scalars";
import { firstSelected, nextSelected } from "./selected";
import { Transaction } from "./transaction";
import { listPassesSieve, longest, passesSieve, unionOf, valueOf } from "./values";
import { ARGS, ARGS_GET, ARGS_NAMES, ARGS_PATH, ARGS_POST, isChangedByRules, LAST_LIST, LAST_SCALAR, listOf } from "./variables";

/** Groups of a program; rules beyond are judged one by one. */
export const MAX_GROUPS: i32 = 512;

/** Gives the group of a rule in a program, a new one if there is none; -1 if the rule cannot be in one. */
export function groupOf(program: Program, rule: Rule): i32 {
  if (rule.negated || !canPrefilter(rule) || !isStable(rule)) return -1;
  for (let group = 0; group < program.groupCount; group++) if (looksAtSame(program.groupRule(group), rule)) return group;
  if (program.groupCount == MAX_GROUPS) return -1;
  store<u32>(program.groups + ((<usize>program.groupCount) << 2), changetype<u32>(rule));
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

function looksAtSame(a: Rule, b: Rule): bool {
  if (a.chain != b.chain || a.multiMatch != b.multiMatch) return false;
  let x = a.targets;
  let y = b.targets;
  while (x && y) {
    if (x.variable != y.variable || x.select != y.select || !equal(x.selPtr, x.selLen, y.selPtr, y.selLen)) return false;
    x = x.next;
    y = y.next;
  }
  return !x && !y;
}

/** Bytes of what a transaction keeps for each group: signature, length of the longest value, phase it holds for, what the sieve said. */
const ENTRY: usize = 24;
const SIEVE_UNASKED: i32 = 0;
const SIEVE_MAYBE: i32 = 1;
const SIEVE_NONE: i32 = 2;

let signature: u64 = 0;
let length: i32 = 0;

/** Signature of the group that `lookUpGroup` found, and the length of its longest value. */
export let groupSignature: u64 = 0;
export let groupLongest: i32 = 0;

/** Finds what is known about all values of a group in a phase, working it out if it is not. */
export function lookUpGroup(tx: Transaction, group: i32, phase: i32): void {
  if (tx.groups == 0) tx.groups = tx.arena.alloc(<usize>tx.program.groupCount * ENTRY);
  const entry = tx.groups + <usize>group * ENTRY;
  if (load<i32>(entry, 12) != phase) {
    workOut(tx, tx.program.groupRule(group));
    store<u64>(entry, signature);
    store<i32>(entry, length, 8);
    store<i32>(entry, phase, 12);
    store<i32>(entry, SIEVE_UNASKED, 16);
  }
  groupSignature = load<u64>(entry);
  groupLongest = load<i32>(entry, 8);
}

/** False if no pattern in the sieve matches any value of the group, which `lookUpGroup` must have looked up. */
export function groupPassesSieve(tx: Transaction, group: i32, side: i32): bool {
  const entry = tx.groups + <usize>group * ENTRY;
  if (load<i32>(entry, 16) == SIEVE_UNASKED) {
    store<i32>(entry, anyPasses(tx, tx.program.groupRule(group), side) ? SIEVE_MAYBE : SIEVE_NONE, 16);
  }
  return load<i32>(entry, 16) == SIEVE_MAYBE;
}

function anyPasses(tx: Transaction, rule: Rule, side: i32): bool {
  for (let target: Target | null = rule.targets; target; target = target!.next) {
    for (let chain: Chain | null = rule.chain; chain; chain = chain!.parent) {
      if (targetPasses(tx, target, chain, side)) return true;
      if (!rule.multiMatch) break;
    }
  }
  return false;
}

function targetPasses(tx: Transaction, target: Target, chain: Chain, side: i32): bool {
  const variable = target.variable;
  if (variable <= LAST_SCALAR) return passesSieve(tx, side, valueOf(tx.arena, resolveScalar(tx, variable), false, chain));
  if (variable == ARGS || variable == ARGS_NAMES) {
    const names = variable == ARGS_NAMES;
    return (
      listPassesSieve(tx, side, tx.list(ARGS_GET), names, chain) ||
      listPassesSieve(tx, side, tx.list(ARGS_POST), names, chain) ||
      listPassesSieve(tx, side, tx.list(ARGS_PATH), names, chain)
    );
  }
  const list = tx.list(listOf(variable));
  if (target.select != SELECT_NAME) return listPassesSieve(tx, side, list, variable > LAST_LIST, chain);
  for (let item: Item | null = firstSelected(tx.arena, list, target); item; item = nextSelected(list, item!, target)) {
    if (passesSieve(tx, side, valueOf(tx.arena, item, variable > LAST_LIST, chain))) return true;
  }
  return false;
}

function workOut(tx: Transaction, rule: Rule): void {
  signature = 0;
  length = 0;
  for (let target: Target | null = rule.targets; target; target = target!.next) {
    // multiMatch looks at the value after each transformation
    for (let chain: Chain | null = rule.chain; chain; chain = chain!.parent) {
      addTarget(tx, target, chain);
      if (!rule.multiMatch) break;
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
