/**
 * Groups of rules that look at the same variables after the same transformations. CRS has some hundred rules
 * over `ARGS|ARGS_NAMES|REQUEST_COOKIES|...` and a few dozen sequences of transformations, so what is known about
 * all values of a group, the union of their signatures and the length of the longest, is worked out once, and
 * then rules out most rules of the group in a few instructions each. Mostly no transformation changes any value: then
 * what is known about the values as they are holds for all groups with the same variables.
 */

import { Arena, make } from "../bytes/arena";
import { equal } from "../bytes/span";
import { Item, Value } from "../decode/items";
import { NONE } from "../match/sieve";
import { emptyChain } from "./chains";
import { Chain, Rule, SELECT_NAME, Target } from "./model";
import { canPrefilter } from "./operators";
import { Program } from "./program";
import { resolveScalar } from "./scalars";
import { firstSelected, nextSelected } from "./selected";
import { joinMaps, siftedValue } from "./sifted";
import { Transaction } from "./transaction";
import { longest, siftedList, unionOf } from "./unions";
import { valueOf } from "./values";
import { ARGS, ARGS_GET, ARGS_NAMES, ARGS_PATH, ARGS_POST, isChangedByRules, LAST_LIST, LAST_SCALAR, listOf } from "./variables";

/** Groups of a program; rules beyond are judged one by one. */
export const MAX_GROUPS: i32 = 1024;

/** What a target comes to: a scalar, or the values or names of a list; ARGS is several. */
@unmanaged
export class View {
  /** A scalar or a list. */
  variable: i32;
  names: bool;
  /** The target, if only the items that it names are looked at. */
  named: Target | null;
}

/** What the rules of a group look at. */
@unmanaged
export class Group {
  targets: Target;
  /** The same as views, one behind another. */
  views: usize;
  viewCount: i32;
  chain: Chain;
  multiMatch: bool;
  /** Number of the group with the same targets and no transformations: itself, if it has none. */
  raw: i32;

  view(i: i32): View {
    return changetype<View>(this.views + <usize>i * offsetof<View>());
  }
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
  setViews(program.arena, group);
  group.chain = chain;
  group.multiMatch = multiMatch;
  group.raw = program.groupCount;
  return program.groupCount++;
}

function setViews(arena: Arena, group: Group): void {
  let count = 0;
  for (let target: Target | null = group.targets; target; target = target!.next) count += isArgs(target!.variable) ? 3 : 1;
  group.views = arena.alloc(<usize>count * offsetof<View>());
  for (let target: Target | null = group.targets; target; target = target!.next) {
    const variable = target!.variable;
    const named = target!.select == SELECT_NAME ? target : null;
    if (variable <= LAST_SCALAR) addView(group, variable, false, null);
    else if (isArgs(variable)) {
      addView(group, ARGS_GET, variable == ARGS_NAMES, named);
      addView(group, ARGS_POST, variable == ARGS_NAMES, named);
      addView(group, ARGS_PATH, variable == ARGS_NAMES, named);
    } else addView(group, listOf(variable), variable > LAST_LIST, named);
  }
}

function isArgs(variable: i32): bool {
  return variable == ARGS || variable == ARGS_NAMES;
}

function addView(group: Group, variable: i32, names: bool, named: Target | null): void {
  const view = group.view(group.viewCount++);
  view.variable = variable;
  view.names = names;
  view.named = named;
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

/** What is known about all values of a group in one phase. */
@unmanaged
export class Summary {
  /** Union of the signatures of all values. */
  signature: u64;
  /** Length of the longest value in bytes. */
  longest: i32;
  /** What the sieve says of all values: the address of a map, 0 until it was asked. */
  sifted: usize;
  /** The group whose values these are: where no transformation changes any, that without transformations. */
  group: Group;

  add(value: Value): void {
    this.signature |= value.signature;
    this.longest = max(this.longest, value.len);
  }
}

/** Forgets what is known about groups: a phase begins. A transaction keeps the addresses of summaries by number of the group. */
export function beginGroups(tx: Transaction): void {
  const bytes = (<usize>tx.program.groupCount) << 2;
  if (tx.groups == 0) tx.groups = tx.arena.alloc(bytes);
  else memory.fill(tx.groups, 0, bytes);
}

/** Gives what is known about all values of a group in this phase, working it out if it is not; asked of nearly every rule. */
export function summaryOf(tx: Transaction, number: i32): Summary {
  const known = keptSummary(tx, number);
  return known ? known : workOut(tx, number);
}

function keptSummary(tx: Transaction, number: i32): Summary | null {
  return changetype<Summary | null>(<usize>load<u32>(tx.groups + ((<usize>number) << 2)));
}

function workOut(tx: Transaction, number: i32): Summary {
  const group = tx.program.group(number);
  // not by `summaryOf`, which the compiler inlines where rules are run as long as this is not inlined into it
  const raw = keptSummary(tx, group.raw);
  let summary = raw ? raw : group.raw == number ? sumUp(tx, group) : workOut(tx, group.raw);
  if (group.raw != number && (summary.signature & group.chain.triggers) != 0) summary = sumUp(tx, group);
  store<u32>(tx.groups + ((<usize>number) << 2), changetype<u32>(summary));
  return summary;
}

/** Gives the map of the patterns in the sieve that match a value of a group. */
export function siftedGroup(tx: Transaction, summary: Summary, side: i32): usize {
  if (summary.sifted == 0) summary.sifted = siftAll(tx, summary.group, side);
  return summary.sifted;
}

function siftAll(tx: Transaction, group: Group, side: i32): usize {
  let map = NONE;
  for (let i = 0; i < group.viewCount; i++) {
    for (let chain: Chain | null = group.chain; chain; chain = chain!.parent) {
      map = joinMaps(tx, side, map, siftView(tx, group.view(i), chain!, side));
      if (!group.multiMatch) break;
    }
  }
  return map;
}

function siftView(tx: Transaction, view: View, chain: Chain, side: i32): usize {
  const variable = view.variable;
  if (variable <= LAST_SCALAR) return siftedValue(tx, side, valueOf(tx.arena, resolveScalar(tx, variable), false, chain));
  const list = tx.list(variable);
  const target = view.named;
  if (!target) return siftedList(tx, side, list, view.names, chain);
  let map = NONE;
  for (let item: Item | null = firstSelected(tx.arena, list, target); item; item = nextSelected(list, item!, target)) {
    map = joinMaps(tx, side, map, siftedValue(tx, side, valueOf(tx.arena, item!, view.names, chain)));
  }
  return map;
}

function sumUp(tx: Transaction, group: Group): Summary {
  const summary = make<Summary>(tx.arena);
  summary.group = group;
  for (let i = 0; i < group.viewCount; i++) {
    const view = group.view(i);
    // multiMatch looks at the value after each transformation
    for (let chain: Chain | null = group.chain; chain; chain = chain!.parent) {
      sumUpView(tx, summary, view, chain!);
      if (!group.multiMatch) break;
    }
  }
  return summary;
}

function sumUpView(tx: Transaction, summary: Summary, view: View, chain: Chain): void {
  const variable = view.variable;
  if (variable <= LAST_SCALAR) {
    summary.add(valueOf(tx.arena, resolveScalar(tx, variable), false, chain));
    return;
  }
  const list = tx.list(variable);
  if (list.count == 0) return;
  const target = view.named;
  if (!target) {
    summary.signature |= unionOf(tx.arena, list, view.names, chain);
    summary.longest = max(summary.longest, longest);
    return;
  }
  for (let item: Item | null = firstSelected(tx.arena, list, target); item; item = nextSelected(list, item!, target)) {
    summary.add(valueOf(tx.arena, item!, view.names, chain));
  }
}
