/**
 * What the configuration alone decides is decided once, when a program is linked, instead of for each request.
 *
 * CRS begins with some thirty rules that give TX variables their defaults, and guards each paranoia level of each
 * file with `SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2" "...,skipAfter:..."`. None of it depends on traffic. So the
 * linker walks over the rules as the evaluator would, and keeps apart what is known from what is not:
 *
 * - A TX variable is *known* until a rule that stays in the program may write it.
 * - A rule whose first link looks at nothing but known variables is asked now. If it does not match, it is dropped.
 *   If it does, and all it does is to set TX variables or to jump, that is done here: what it sets is in the
 *   values that transactions start with (`Program.initialTx`), and what it jumps over is dropped.
 * - Everything else stays, and what it may write, read, skip or remove limits what may be settled after it.
 *
 * The rules are asked by the evaluator itself (`matchesAlone`), so there is no second semantics. Variables are set
 * ahead of time only in phase 1, which runs first and once; in later phases, which may run in another order when a
 * response comes early, rules are only dropped and jumps taken.
 */
import { Arena, make } from "../bytes/arena";
import { lower } from "../bytes/ascii";
import { matchesAlone, names } from "./evaluate";
import {
  CTL_REMOVE_BY_ID,
  CTL_REMOVE_TARGET_BY_MSG,
  Ctl,
  DO_ALLOW_PHASE,
  DO_ALLOW_REQUEST,
  DO_PASS,
  Macro,
  NO_SEVERITY,
  Rule,
  SELECT_NAME,
  SetVar,
  Target,
} from "./model";
import { nameCount, nameLen, namePtr } from "./names";
import { Program } from "./program";
import { RuleList } from "./rulelist";
import { Settings } from "./settings";
import { Transaction } from "./transaction";
import { TX } from "./variables";

/** Bytes of a line's entry: address of the rule, where it jumps to, its place in the program, flags. */
const ENTRY: usize = 16;
const DROPPED: u32 = 1;
/** A rule before it, which stays, may jump here. */
const LANDING: u32 = 2;

/** The rules of a phase while they are linked. Positions are those before anything was dropped. */
@unmanaged
export class Line {
  private entries: usize;
  count: i32;

  static create(arena: Arena, count: i32): Line {
    const line = make<Line>(arena);
    line.count = count;
    line.entries = arena.alloc(<usize>(count + 1) * ENTRY);
    return line;
  }

  put(i: i32, rule: Rule, jump: i32): void {
    store<u32>(this.at(i), changetype<u32>(rule));
    store<i32>(this.at(i), jump, 4);
  }

  rule(i: i32): Rule {
    return changetype<Rule>(<usize>load<u32>(this.at(i)));
  }

  /** Where the rule goes on if it matches. */
  jump(i: i32): i32 {
    return load<i32>(this.at(i), 4);
  }

  /** Position after all that is dropped is gone. */
  place(i: i32): i32 {
    return load<i32>(this.at(i), 8);
  }

  setPlace(i: i32, place: i32): void {
    store<i32>(this.at(i), place, 8);
  }

  isDropped(i: i32): bool {
    return (load<u32>(this.at(i), 12) & DROPPED) != 0;
  }

  drop(from: i32, to: i32): void {
    for (let i = from; i < to; i++) store<u32>(this.at(i), load<u32>(this.at(i), 12) | DROPPED, 12);
  }

  addLanding(i: i32): void {
    store<u32>(this.at(i), load<u32>(this.at(i), 12) | LANDING, 12);
  }

  hasLanding(from: i32, to: i32): bool {
    for (let i = from; i < to; i++) if ((load<u32>(this.at(i), 12) & LANDING) != 0) return true;
    return false;
  }

  private at(i: i32): usize {
    return this.entries + <usize>i * ENTRY;
  }
}

/** A `ctl` of a rule that stays and may run before the rules that are still to be settled. */
@unmanaged
class Removal {
  ctl: Ctl;
  next: Removal | null;
}

let tx: Transaction = changetype<Transaction>(0);
let list: RuleList = changetype<RuleList>(0);
let scratch: Arena = changetype<Arena>(0);
let removals: Removal | null = null;
/** A byte for each slot: READ and WRITTEN, by rules that stay. */
let slots: usize = 0;
const READ: u8 = 1;
const WRITTEN: u8 = 2;
/** Whether variables may still be set ahead: false once a rule that stays may end the phase and let others go on. */
let mayAssign: bool = false;
/** Positions before this one may be jumped over by a rule that stays. */
let covered: i32 = 0;

/** Starts settling the rules of `rules` for `program`; what is only needed meanwhile goes to `temporary`. */
export function beginSettling(program: Program, settings: Settings, rules: RuleList, temporary: Arena): void {
  tx = Transaction.create(program.arena, program, settings);
  list = rules;
  scratch = temporary;
  removals = null;
  slots = scratch.alloc(<usize>nameCount() + 1);
  // captures are written by any rule that has them
  for (let slot = 0; slot < 10; slot++) mark(slot, READ | WRITTEN);
}

/** Leaves what transactions start with in the program. */
export function endSettling(arena: Arena, program: Program): void {
  program.initialSlots = tx.txSlots;
  program.initialTx = tx.txSlot(0);
}

/** Drops the rules of a phase that need not run. Phases come in their order. */
export function settlePhase(line: Line, phase: i32): void {
  covered = 0;
  mayAssign = phase == 1;
  // later phases can run before each other
  if (phase == 2) for (let i = 0; i < list.count; i++) if (list.at(i).phase > 1) note(list.at(i));
  let i = 0;
  while (i < line.count) i = settle(line, i);
}

/** Settles the rule at `i`; gives the position to go on at. */
function settle(line: Line, i: i32): i32 {
  const rule = line.rule(i);
  if (isKnown(rule)) {
    if (!matchesAlone(tx, rule, false)) {
      line.drop(i, i + 1);
      return i + 1;
    }
    const jump = line.jump(i);
    if (canSettle(line, i, jump)) {
      matchesAlone(tx, rule, true);
      line.drop(i, jump);
      return jump;
    }
  }
  stay(line, i);
  return i + 1;
}

/** True if what the matching rule at `i` does can be done now, once for all requests. */
function canSettle(line: Line, i: i32, jump: i32): bool {
  const rule = line.rule(i);
  if (!doesLittle(rule) || line.hasLanding(i + 1, jump) || !isRemovedWithAll(line, i, jump)) return false;
  return !rule.setvars || (mayAssign && i >= covered && canAssign(rule));
}

/** The rule stays: what it may do limits what comes after. */
function stay(line: Line, i: i32): void {
  const rule = line.rule(i);
  note(rule);
  // after a block or `allow` only phase 5 runs; after these, rules go on that could see what was set too early
  if (rule.disruptive == DO_ALLOW_PHASE || rule.disruptive == DO_ALLOW_REQUEST) mayAssign = false;
  const jump = line.jump(i);
  if (jump <= i + 1) return;
  line.addLanding(jump);
  covered = max(covered, jump);
}

/** Notes what a rule that stays may read, write and remove. */
function note(rule: Rule): void {
  for (let link: Rule | null = rule; link; link = link!.chained) {
    noteTargets(link.targets);
    noteTargets(link.exclusions);
    noteMacro(link.argument);
    noteMacro(link.msg);
    noteMacro(link.logdata);
    noteMacro(link.redirect);
    for (let entry: SetVar | null = link.setvars; entry; entry = entry!.next) noteAssignment(entry);
    for (let ctl: Ctl | null = link.ctls; ctl; ctl = ctl!.next) noteControl(ctl);
  }
}

function noteTargets(first: Target | null): void {
  for (let target: Target | null = first; target; target = target!.next) {
    if (target.variable != TX) continue;
    if (target.select == SELECT_NAME && target.slot >= 0) mark(target.slot, READ);
    else markAll(READ);
  }
}

function noteMacro(macro: Macro | null): void {
  for (let part: Macro | null = macro; part; part = part!.next) {
    if (part.ptr != 0 || part.variable != TX) continue;
    if (part.slot >= 0) mark(part.slot, READ);
    else markAll(READ);
  }
}

function noteAssignment(entry: SetVar): void {
  noteMacro(entry.name);
  noteMacro(entry.value);
  if (entry.variable != TX) return;
  if (entry.slot >= 0) mark(entry.slot, READ | WRITTEN);
  else if (entry.name.ptr == 0) markAll(READ | WRITTEN);
  else markBeginning(entry.name.ptr, entry.name.len);
}

/** A name that traffic completes can become that of any slot that begins like it. */
function markBeginning(ptr: usize, len: i32): void {
  for (let slot = 0; slot < nameCount(); slot++) {
    if (nameLen(slot) < len) continue;
    let i = 0;
    while (i < len && lower(load<u8>(namePtr(slot) + i)) == lower(load<u8>(ptr + i))) i++;
    if (i == len) mark(slot, READ | WRITTEN);
  }
}

function noteControl(ctl: Ctl): void {
  if (ctl.kind < CTL_REMOVE_BY_ID || ctl.kind > CTL_REMOVE_TARGET_BY_MSG) return;
  const removal = make<Removal>(scratch);
  removal.ctl = ctl;
  removal.next = removals;
  removals = removal;
}

function mark(slot: i32, bits: u8): void {
  if (slot < nameCount()) store<u8>(slots + slot, load<u8>(slots + slot) | bits);
}

function markAll(bits: u8): void {
  for (let slot = 0; slot < nameCount(); slot++) mark(slot, bits);
}

function has(slot: i32, bits: u8): bool {
  return (load<u8>(slots + slot) & bits) != 0;
}

/** True if the outcome of the rule's first link is known. */
function isKnown(rule: Rule): bool {
  if (rule.exclusions || rule.capture || !isKnownMacro(rule.argument)) return false;
  for (let target: Target | null = rule.targets; target; target = target!.next) {
    if (target.variable != TX || target.select != SELECT_NAME || target.slot < 0 || has(target.slot, WRITTEN)) return false;
  }
  return true;
}

function isKnownMacro(macro: Macro): bool {
  for (let part: Macro | null = macro; part; part = part!.next) {
    if (part.ptr == 0 && (part.variable != TX || part.slot < 0 || has(part.slot, WRITTEN))) return false;
  }
  return true;
}

/** True if a match has no effect but on TX and on where evaluation goes on. */
function doesLittle(rule: Rule): bool {
  return !rule.chained && !rule.log && !rule.ctls && rule.disruptive <= DO_PASS && rule.severity == NO_SEVERITY;
}

/** True if what the rule sets is known, and nothing before it can tell that it was set earlier. */
function canAssign(rule: Rule): bool {
  for (let entry: SetVar | null = rule.setvars; entry; entry = entry!.next) {
    if (entry.variable != TX || entry.slot < 0 || has(entry.slot, READ | WRITTEN)) return false;
    const value = entry.value;
    if (value && !isKnownMacro(value)) return false;
  }
  return true;
}

/** True if a `ctl` that takes out the rule at `i` takes out all that it jumps over too. */
function isRemovedWithAll(line: Line, i: i32, jump: i32): bool {
  for (let removal: Removal | null = removals; removal; removal = removal!.next) {
    if (!names(removal.ctl, line.rule(i))) continue;
    // a default that is not set, because its rule was taken out, is another value
    if (line.rule(i).setvars) return false;
    for (let k = i + 1; k < jump; k++) if (!names(removal.ctl, line.rule(k))) return false;
  }
  return true;
}
