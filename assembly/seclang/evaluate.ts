/**
 * Runs the rules of a phase over a transaction.
 *
 * A rule looks at its targets one after another; each value that its operator matches has the rule's
 * `setvar` and `ctl` done at once, so later values and links of the chain see them. When all links of a
 * chain matched, the rule as a whole matched: it is reported, and it decides.
 */
import { make } from "../bytes/arena";
import { hasBit, nextBit, setBit } from "../bytes/bits";
import { equalFold, toInt } from "../bytes/span";
import { Item, ItemList, Value } from "../decode/items";
import { matches } from "../match/regex/dfa";
import { Regex } from "../match/regex/program";
import { noteCapture } from "./captures";
import { hasMessage } from "./compiler";
import { expand, expandedLen, expandedPtr } from "./expand";
import { beginGroups, Summary, siftedGroup, summaryOf } from "./groups";
import {
  Chain,
  CTL_BODY_ACCESS,
  CTL_BODY_PROCESSOR,
  CTL_FORCE_BODY,
  CTL_REMOVE_BY_ID,
  CTL_REMOVE_BY_MSG,
  CTL_REMOVE_BY_TAG,
  CTL_REMOVE_TARGET_BY_ID,
  CTL_REMOVE_TARGET_BY_MSG,
  CTL_REMOVE_TARGET_BY_TAG,
  CTL_RESPONSE_BODY_ACCESS,
  CTL_RULE_ENGINE,
  Ctl,
  DO_ALLOW,
  DO_ALLOW_PHASE,
  DO_ALLOW_REQUEST,
  DO_DENY,
  DO_DROP,
  DO_REDIRECT,
  ENGINE_OFF,
  ENGINE_ON,
  NO_SEVERITY,
  Rule,
  SELECT_ALL,
  SELECT_NAME,
  SET_ADD,
  SET_ASSIGN,
  SET_UNSET,
  SetVar,
  Target,
} from "./model";
import { nameLen, namePtr } from "./names";
import { applies, canApply, hasPattern, matchFrom, matchLen, matchWhole } from "./operators";
import { CtlRules, Entry, ruleSetBytes } from "./program";
import { isQuickNo } from "./quick";
import { keepValue, report } from "./report";
import { resolveScalar } from "./scalars";
import { firstSelected, nextSelected } from "./selected";
import { sideOf } from "./sieves";
import { NO, verdictOn, YES } from "./sifted";
import { fullName, fullNameLen, fullNamePtr, TargetRemoval, Transaction } from "./transaction";
import { nextKey } from "./txkeys";
import { listHasLiteral, longest, siftedList, unionOf } from "./unions";
import { hasLiteral, rawValue, valueOf } from "./values";
import {
  ARGS,
  ARGS_GET,
  ARGS_NAMES,
  ARGS_PATH,
  ARGS_POST,
  HIGHEST_SEVERITY,
  LAST_LIST,
  LAST_SCALAR,
  listOf,
  MATCHED_VAR,
  MATCHED_VAR_NAME,
  MATCHED_VARS,
  TX,
} from "./variables";
import { wantedRules } from "./wanted";

let tx: Transaction = changetype<Transaction>(0);
/** First link of the chain being evaluated. */
let starter: Rule = changetype<Rule>(0);
let allowPhase: bool = false;
/** Side of the phase that is run, and the bit of the rule being evaluated in its sieve. */
let side: i32 = 0;
let sieveBit: i32 = -1;
/** False while a rule is only asked whether it matches. */
let acting: bool = true;

/** Runs the rules of a phase. True if the request or response is to be stopped. */
export function runPhase(transaction: Transaction, phase: i32): bool {
  tx = transaction;
  if (tx.engine == ENGINE_OFF || (tx.ran & (1 << phase)) != 0) return false;
  tx.ran |= 1 << phase;
  if (phase != 5 && (tx.allowed || (tx.allowedRequest && phase <= 2))) return false;
  allowPhase = false;
  side = sideOf(phase);
  beginGroups(tx);
  const program = tx.program;
  const entries = program.entries(phase);
  const count = program.count(phase);
  const wanted = wantedRules(tx, phase);
  let next = 0;
  for (let i = nextBit(wanted, 0, count); i < count; i = nextBit(wanted, next, count)) {
    const entry = changetype<Entry>(entries + <usize>i * offsetof<Entry>());
    next = i + 1;
    if (entry.group >= 0 && !groupCanMatch(summaryOf(tx, entry.group), entry)) continue;
    const rule = entry.rule;
    sieveBit = entry.sieveBit;
    if (entry.quickSlot >= 0 && isQuickNo(tx, rule)) continue;
    if (tx.isRemoved(rule) || !matchesChain(rule)) continue;
    finish(rule, phase);
    if (tx.interrupted && phase != 5) return true;
    if (allowPhase || tx.arena.exceeded || tx.engine == ENGINE_OFF) break;
    next = entry.jump;
  }
  return false;
}

/** False if no value of a rule's group can match it. */
function groupCanMatch(summary: Summary, entry: Entry): bool {
  const bit = entry.sieveBit;
  // what the sieve says tells more, and costs nothing once it was asked
  if (bit >= 0 && summary.sifted != 0) return hasBit(summary.sifted, bit);
  return entry.canMatch(summary.longest, summary.signature) && (bit < 0 || hasBit(siftedGroup(tx, summary, side), bit));
}

/**
 * True if the first link of a rule matches, without anything that follows from it; with `acts`, its `setvar` and
 * `ctl` are done. For the linker, which asks rules that depend on no request.
 */
export function matchesAlone(transaction: Transaction, rule: Rule, acts: bool): bool {
  tx = transaction;
  starter = rule;
  acting = acts;
  sieveBit = -1;
  const matched = matchesLink(rule);
  acting = true;
  return matched;
}

function matchesChain(rule: Rule): bool {
  starter = rule;
  tx.values = null;
  tx.valueCount = 0;
  const matched = tx.list(MATCHED_VARS);
  if (matched.count > 0) matched.clear();
  for (let link: Rule | null = rule; link; link = link!.chained) if (!matchesLink(link)) return false;
  return true;
}

function matchesLink(rule: Rule): bool {
  let target = rule.targets;
  if (!target) {
    act(rule);
    return true;
  }
  let matched = false;
  for (; target; target = target.next) if (visit(rule, target)) matched = true;
  return matched;
}

// Targets: each `visit` function goes over the values of one kind of variable. True if one matched.

function visit(rule: Rule, target: Target): bool {
  if (target.count) return visitCount(rule, target);
  const variable = target.variable;
  if (variable <= LAST_SCALAR) return visitScalar(rule, variable);
  switch (variable) {
    case ARGS:
      return or3(visitList(rule, target, ARGS_GET, false), visitList(rule, target, ARGS_POST, false), visitList(rule, target, ARGS_PATH, false));
    case ARGS_NAMES:
      return or3(visitList(rule, target, ARGS_GET, true), visitList(rule, target, ARGS_POST, true), visitList(rule, target, ARGS_PATH, true));
    case TX:
      return visitTx(rule, target);
    default:
      return visitList(rule, target, listOf(variable), isNames(variable));
  }
}

function or3(a: bool, b: bool, c: bool): bool {
  return a || b || c;
}

function isNames(variable: i32): bool {
  return variable > LAST_LIST && variable != ARGS && variable != TX;
}

function visitScalar(rule: Rule, variable: i32): bool {
  const item = resolveScalar(tx, variable);
  if (isExcluded(rule, variable, 0, 0)) return false;
  return test(rule, item, false, variable);
}

/** True if a target selects an item of that name. */
function selects(target: Target, name: usize, len: i32): bool {
  if (target.select == SELECT_ALL) return true;
  if (target.select == SELECT_NAME) return equalFold(target.selPtr, target.selLen, name, len);
  return matches(target.regex!, name, len);
}

function visitList(rule: Rule, target: Target, list: i32, names: bool): bool {
  const items = tx.list(list);
  if (items.count == 0) return false;
  if (target.select == SELECT_NAME) return visitNamed(rule, target, items, names);
  if (!rule.negated && items.count > 2 && !canMatchAny(rule, items, names)) return false;
  let matched = false;
  let item = items.first;
  // a rule can add to MATCHED_VARS while it goes over them: it goes over those there were
  let left = items.count;
  for (; item && left > 0; left--) {
    const next = item.next;
    if (selects(target, item.name, item.nameLen) && !isExcluded(rule, target.variable, item.name, item.nameLen)) {
      if (test(rule, item, names, target.variable)) matched = true;
    }
    if (tx.arena.exceeded) return matched;
    item = next;
  }
  return matched;
}

function visitNamed(rule: Rule, target: Target, items: ItemList, names: bool): bool {
  let matched = false;
  for (let item: Item | null = firstSelected(tx.arena, items, target); item; item = nextSelected(items, item!, target)) {
    if (isExcluded(rule, target.variable, item.name, item.nameLen)) continue;
    if (test(rule, item, names, target.variable)) matched = true;
    if (tx.arena.exceeded) break;
  }
  return matched;
}

function listCanHave(rule: Rule, items: ItemList, names: bool, chain: Chain): bool {
  if (isSifted(rule)) return hasBit(siftedList(tx, side, items, names, chain), sieveBit);
  if (!hasPattern(rule)) return true;
  const regex = changetype<Regex>(rule.prepared);
  return regex.gramCount == 0 || listHasLiteral(tx.arena, items, names, chain, regex);
}

/** False if no value of a list can match: asked of all its values at once. */
function canMatchAny(rule: Rule, items: ItemList, names: bool): bool {
  for (let chain: Chain | null = rule.chain; chain; chain = chain!.parent) {
    const union = unionOf(tx.arena, items, names, chain);
    if (canApply(rule, longest, union) && listCanHave(rule, items, names, chain)) return true;
    if (!rule.multiMatch) return false;
  }
  return false;
}

function visitTx(rule: Rule, target: Target): bool {
  if (target.select == SELECT_NAME) {
    const span = target.slot < tx.txSlots ? tx.txSlot(target.slot) : tx.findTx(target.selPtr, target.selLen);
    return span != 0 && testTx(rule, span, target.selPtr, target.selLen);
  }
  let matched = false;
  for (let slot = nextSlot(target, 0); slot < tx.txSlots; slot = nextSlot(target, slot + 1)) {
    if (testTx(rule, tx.txSlot(slot), namePtr(slot), nameLen(slot))) matched = true;
  }
  for (let item: Item | null = tx.dynamic.first; item; item = item!.next) {
    if (!selects(target, item.name, item.nameLen)) continue;
    if (testTx(rule, changetype<usize>(item), item.name, item.nameLen)) matched = true;
  }
  return matched;
}

/** Gives the first slot of TX, from `from` on, whose key a target selects that does not select by name. */
function nextSlot(target: Target, from: i32): i32 {
  return target.select == SELECT_ALL ? from : nextKey(target, from, tx.txSlots);
}

/** TX changes all the time, so its values are tested through an item of their own. */
const txItem: Item = changetype<Item>(memory.data(64));

function testTx(rule: Rule, span: usize, name: usize, len: i32): bool {
  if (load<usize>(span) == 0 || isExcluded(rule, TX, name, len)) return false;
  txItem.set(load<usize>(span), load<i32>(span, 4));
  txItem.name = name;
  txItem.nameLen = len;
  return test(rule, txItem, false, TX);
}

function visitCount(rule: Rule, target: Target): bool {
  const item = make<Item>(tx.arena);
  const digits = tx.arena.reserve(20);
  item.set(digits, writeCount(digits, countOf(rule, target)));
  item.name = target.selPtr;
  item.nameLen = target.selLen;
  return test(rule, item, false, target.variable);
}

function writeCount(out: usize, count: i32): i32 {
  if (count < 10) {
    store<u8>(out, <u8>(0x30 + count));
    return 1;
  }
  const n = writeCount(out, count / 10);
  store<u8>(out + n, <u8>(0x30 + (count % 10)));
  return n + 1;
}

function countOf(rule: Rule, target: Target): i32 {
  const variable = target.variable;
  if (variable <= LAST_SCALAR) return resolveScalar(tx, variable).len > 0 ? 1 : 0;
  if (variable == TX) return countTx(target);
  if (variable == ARGS || variable == ARGS_NAMES) {
    return countList(rule, target, ARGS_GET) + countList(rule, target, ARGS_POST) + countList(rule, target, ARGS_PATH);
  }
  return countList(rule, target, listOf(variable));
}

function countList(rule: Rule, target: Target, list: i32): i32 {
  let count = 0;
  const items = tx.list(list);
  if (target.select == SELECT_NAME) {
    for (let item: Item | null = firstSelected(tx.arena, items, target); item; item = nextSelected(items, item!, target)) {
      if (!isExcluded(rule, target.variable, item.name, item.nameLen)) count++;
    }
    return count;
  }
  for (let item: Item | null = items.first; item; item = item!.next) {
    if (selects(target, item.name, item.nameLen) && !isExcluded(rule, target.variable, item.name, item.nameLen)) count++;
  }
  return count;
}

function countTx(target: Target): i32 {
  if (target.select == SELECT_NAME) {
    const span = target.slot < tx.txSlots ? tx.txSlot(target.slot) : tx.findTx(target.selPtr, target.selLen);
    return span != 0 && load<usize>(span) != 0 ? 1 : 0;
  }
  let count = 0;
  for (let slot = nextSlot(target, 0); slot < tx.txSlots; slot = nextSlot(target, slot + 1)) if (load<usize>(tx.txSlot(slot)) != 0) count++;
  for (let item: Item | null = tx.dynamic.first; item; item = item!.next) if (selects(target, item.name, item.nameLen)) count++;
  return count;
}

/** True if the rule, or a `ctl` that ran, leaves out this item of the variable. */
function isExcluded(rule: Rule, variable: i32, name: usize, len: i32): bool {
  for (let exclusion: Target | null = rule.exclusions; exclusion; exclusion = exclusion!.next) {
    if (exclusion.variable == variable && selects(exclusion, name, len)) return true;
  }
  for (let removal: TargetRemoval | null = tx.targetRemovals; removal; removal = removal!.next) {
    if (!hasBit(removal.rules, starter.ordinal)) continue;
    for (let target: Target | null = removal.ctl.target; target; target = target!.next) {
      if (target.variable == variable && selects(target, name, len)) return true;
    }
  }
  return false;
}

// Values.

function test(rule: Rule, item: Item, name: bool, variable: i32): bool {
  if (rule.multiMatch) return testSteps(rule, item, name, variable, rule.chain);
  return testValue(rule, item, variable, valueOf(tx.arena, item, name, rule.chain));
}

/** `multiMatch`: tests the value before all transformations and after each that changed it. */
function testSteps(rule: Rule, item: Item, name: bool, variable: i32, chain: Chain): bool {
  const value = valueOf(tx.arena, item, name, chain);
  const parent = chain.parent;
  // where nothing in the sequence would change a value there is only that
  if (!parent || (rawValue(item, name).signature & chain.triggers) == 0) return testValue(rule, item, variable, value);
  const before = testSteps(rule, item, name, variable, parent);
  if (valueOf(tx.arena, item, name, parent) == value) return before;
  return testValue(rule, item, variable, value) || before;
}

/** True if the sieve knows which values the rule matches: it is never negated, and no later link of a chain. */
function isSifted(rule: Rule): bool {
  return sieveBit >= 0 && rule == starter;
}

function testValue(rule: Rule, item: Item, variable: i32, value: Value): bool {
  const ptr = value.ptr;
  const len = value.len;
  if (isSifted(rule)) {
    const verdict = verdictOn(tx, side, value, sieveBit, tx.program.patterns(side, rule.chain));
    if (verdict == NO) return false;
    if (verdict == YES) {
      matchWhole(len);
      onMatch(rule, item, variable, ptr, len);
      return true;
    }
  }
  if (!canApply(rule, len, value.signature) || (hasPattern(rule) && !hasLiteral(tx.arena, value, changetype<Regex>(rule.prepared)))) {
    if (rule.negated) onMatch(rule, item, variable, ptr, len);
    return rule.negated;
  }
  let arg = rule.argument.ptr;
  let argLen = rule.argument.len;
  if (!rule.argument.isLiteral()) {
    expand(tx, starter, rule.argument);
    arg = expandedPtr;
    argLen = expandedLen;
  }
  if (applies(rule, ptr, len, arg, argLen) == rule.negated) return false;
  onMatch(rule, item, variable, ptr, len);
  return true;
}

function onMatch(rule: Rule, item: Item, variable: i32, ptr: usize, len: i32): void {
  const from = rule.negated ? 0 : matchFrom;
  const size = rule.negated ? len : matchLen;
  if (rule.capture) noteCapture(tx, rule, ptr, len, from, size);
  tx.set(MATCHED_VAR, ptr, len);
  // its name is put together when a rule asks for it
  tx.set(MATCHED_VAR_NAME, 0, 0);
  tx.matchedVariable = variable;
  tx.matchedName = item.name;
  tx.matchedNameLen = item.nameLen;
  if (starter.keepsMatched) {
    fullName(tx.arena, variable, item.name, item.nameLen);
    tx.list(MATCHED_VARS).add(tx.arena, fullNamePtr, fullNameLen, ptr, len);
  }
  if (starter.log) keepValue(tx, rule, variable, item, ptr, len, from, size);
  act(rule);
}

// Actions.

function act(rule: Rule): void {
  if (!acting) return;
  for (let entry: SetVar | null = rule.setvars; entry; entry = entry!.next) setVariable(entry);
  for (let entry: Ctl | null = rule.ctls; entry; entry = entry!.next) control(entry);
}

function setVariable(entry: SetVar): void {
  expand(tx, starter, entry.name);
  const name = expandedPtr;
  const nameLength = expandedLen;
  if (entry.kind == SET_UNSET) {
    assign(entry, name, nameLength, 0, 0);
    return;
  }
  expand(tx, starter, entry.value!);
  if (entry.kind == SET_ASSIGN) {
    assign(entry, name, nameLength, expandedPtr, expandedLen);
    return;
  }
  const amount = toInt(expandedPtr, expandedLen);
  const span = current(entry, name, nameLength);
  const before = span != 0 && load<usize>(span) != 0 ? toInt(load<usize>(span), load<i32>(span, 4)) : 0;
  const digits = tx.arena.reserve(20);
  const size = writeSigned(digits, entry.kind == SET_ADD ? before + amount : before - amount);
  tx.arena.trim(digits + size);
  assign(entry, name, nameLength, digits, size);
}

function writeSigned(out: usize, value: i64): i32 {
  if (value >= 0) return writeCount(out, <i32>min<i64>(value, i32.MAX_VALUE));
  store<u8>(out, 0x2d);
  return 1 + writeCount(out + 1, <i32>min<i64>(-value, i32.MAX_VALUE));
}

/** Gives the address of the span that a `setvar` changes, 0 if there is none yet. */
function current(entry: SetVar, name: usize, len: i32): usize {
  if (entry.variable == TX) return entry.slot >= 0 && entry.slot < tx.txSlots ? tx.txSlot(entry.slot) : tx.findTx(name, len);
  if (entry.variable > LAST_LIST) return 0;
  return changetype<usize>(itemNamed(tx.list(entry.variable), name, len));
}

function itemNamed(list: ItemList, name: usize, len: i32): Item | null {
  for (let item: Item | null = list.first; item; item = item!.next) if (equalFold(item.name, item.nameLen, name, len)) return item;
  return null;
}

/** Items that rules may put into a collection of one request. */
const MAX_COLLECTION: i32 = 256;

function assign(entry: SetVar, name: usize, len: i32, ptr: usize, size: i32): void {
  if (entry.variable == TX) {
    if (entry.slot >= 0 && entry.slot < tx.txSlots) {
      store<usize>(tx.txSlot(entry.slot), ptr);
      store<i32>(tx.txSlot(entry.slot), size, 4);
    } else tx.setTx(name, len, ptr, size);
    return;
  }
  if (entry.variable > LAST_LIST) return;
  const list = tx.list(entry.variable);
  const item = itemNamed(list, name, len);
  if (item) {
    item.set(ptr, size);
    list.forget();
  } else if (list.count < MAX_COLLECTION) list.add(tx.arena, name, len, ptr, size);
  else tx.capped = true;
}

function control(entry: Ctl): void {
  switch (entry.kind) {
    case CTL_RULE_ENGINE:
      tx.engine = entry.value;
      break;
    case CTL_BODY_PROCESSOR:
      tx.setProcessor(entry.value);
      break;
    case CTL_BODY_ACCESS:
      tx.requestBodyAccess = entry.value == 1;
      break;
    case CTL_FORCE_BODY:
      tx.forceRequestBody = entry.value == 1;
      break;
    case CTL_RESPONSE_BODY_ACCESS:
      tx.responseBodyAccess = entry.value == 1;
      break;
    case CTL_REMOVE_BY_ID:
    case CTL_REMOVE_BY_TAG:
    case CTL_REMOVE_BY_MSG:
      if (tx.removed == 0) tx.removed = tx.newRuleSet();
      collect(entry, tx.removed);
      break;
    case CTL_REMOVE_TARGET_BY_ID:
    case CTL_REMOVE_TARGET_BY_TAG:
    case CTL_REMOVE_TARGET_BY_MSG: {
      const removal = make<TargetRemoval>(tx.arena);
      removal.ctl = entry;
      removal.rules = tx.newRuleSet();
      collect(entry, removal.rules);
      removal.next = tx.targetRemovals;
      tx.targetRemovals = removal;
      break;
    }
  }
}

/** True if a `ctl` that removes rules, or targets of rules, names that rule: by id, tag or message. */
export function names(entry: Ctl, rule: Rule): bool {
  switch (entry.kind) {
    case CTL_REMOVE_BY_ID:
    case CTL_REMOVE_TARGET_BY_ID:
      return rule.id >= entry.low && rule.id <= entry.high;
    case CTL_REMOVE_BY_TAG:
    case CTL_REMOVE_TARGET_BY_TAG:
      return rule.hasTag(entry.ptr, entry.len);
    default:
      return hasMessage(rule, entry.ptr, entry.len);
  }
}

/** Puts the rules that a `ctl` names into a set. */
function collect(entry: Ctl, set: usize): void {
  const known = chosenBy(entry);
  const bytes = ruleSetBytes(tx.program);
  for (let i: usize = 0; i < bytes; i++) store<u8>(set + i, load<u8>(set + i) | load<u8>(known + i));
}

/** Gives the set of rules that a `ctl` names in this program: worked out once and kept with the program. */
function chosenBy(entry: Ctl): usize {
  const program = tx.program;
  for (let known: CtlRules | null = program.ctlRules; known; known = known!.next) if (known.ctl == entry) return known.rules;
  const kept = make<CtlRules>(program.arena);
  kept.ctl = entry;
  kept.rules = program.arena.alloc(ruleSetBytes(program));
  kept.next = program.ctlRules;
  program.ctlRules = kept;
  for (let phase = 1; phase <= 5; phase++) {
    for (let i = 0; i < program.count(phase); i++) {
      const rule = program.rule(phase, i);
      if (names(entry, rule)) setBit(kept.rules, rule.ordinal);
    }
  }
  return kept.rules;
}

// Decisions.

/** A chain matched as a whole: reports it and does what it decides. */
function finish(rule: Rule, phase: i32): void {
  if (rule.severity != NO_SEVERITY) {
    const highest = tx.scalar(HIGHEST_SEVERITY);
    if (rule.severity < <i32>toInt(highest.ptr, highest.len)) tx.setInt(HIGHEST_SEVERITY, rule.severity);
  }
  if (rule.log) report(tx, rule);
  switch (rule.disruptive) {
    case DO_DENY:
    case DO_DROP:
    case DO_REDIRECT:
      block(rule, phase);
      break;
    case DO_ALLOW:
      if (tx.engine == ENGINE_ON) {
        tx.allowed = true;
        allowPhase = true;
      }
      break;
    case DO_ALLOW_PHASE:
      if (tx.engine == ENGINE_ON) allowPhase = true;
      break;
    case DO_ALLOW_REQUEST:
      if (tx.engine == ENGINE_ON) {
        tx.allowedRequest = true;
        allowPhase = phase <= 2;
      }
      break;
  }
}

function block(rule: Rule, phase: i32): void {
  if (tx.blocker) return;
  tx.blocker = rule;
  tx.blockPhase = phase;
  if (rule.redirect) {
    expand(tx, rule, rule.redirect!);
    tx.redirect = expandedPtr;
    tx.redirectLen = expandedLen;
  }
  tx.interrupted = tx.engine == ENGINE_ON && phase != 5;
}
