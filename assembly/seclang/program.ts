/**
 * Rules in the order in which they run: for each phase an array of rules, with the place to go on after
 * `skipAfter` worked out. Markers are gone.
 */
import { Arena, make } from "../bytes/arena";
import { groupOf, MAX_GROUPS } from "./groups";
import { Ctl, Rule } from "./model";
import { nameCount } from "./names";
import { RuleList } from "./rulelist";

/** Entry of a phase: address of the rule, index of the entry to go on at after its `skipAfter`, its group or -1. */
const ENTRY: usize = 12;

/** The rules of a program that one `ctl` names, as a set. */
@unmanaged
export class CtlRules {
  ctl: Ctl;
  rules: usize;
  next: CtlRules | null;
}

@unmanaged
export class Program {
  private p1: usize;
  private p2: usize;
  private p3: usize;
  private p4: usize;
  private p5: usize;
  private n1: i32;
  private n2: i32;
  private n3: i32;
  private n4: i32;
  private n5: i32;
  /** Positions that rules of this program have, at most. */
  ordinals: i32;
  /** Where the program lives. */
  arena: Arena;
  /** Rules that each `ctl:ruleRemove...` that ran so far names; as many as there are such actions. */
  ctlRules: CtlRules | null;
  /** Rules that look at the same values after the same transformations are a group: see groups.ts. */
  groupCount: i32;
  /** Addresses of one rule of each group. */
  groups: usize;

  groupRule(group: i32): Rule {
    return changetype<Rule>(load<u32>(this.groups + ((<usize>group) << 2)));
  }

  group(phase: i32, i: i32): i32 {
    return load<i32>(this.entries(phase) + <usize>i * ENTRY, 8);
  }

  count(phase: i32): i32 {
    return load<i32>(changetype<usize>(this) + offsetof<Program>("n1") + ((<usize>(phase - 1)) << 2));
  }

  rule(phase: i32, i: i32): Rule {
    return changetype<Rule>(load<u32>(this.entries(phase) + <usize>i * ENTRY));
  }

  jump(phase: i32, i: i32): i32 {
    return load<i32>(this.entries(phase) + <usize>i * ENTRY, 4);
  }

  private entries(phase: i32): usize {
    return load<usize>(changetype<usize>(this) + offsetof<Program>("p1") + ((<usize>(phase - 1)) << 2));
  }

  setPhase(phase: i32, entries: usize, count: i32): void {
    store<usize>(changetype<usize>(this) + offsetof<Program>("p1") + ((<usize>(phase - 1)) << 2), entries);
    store<i32>(changetype<usize>(this) + offsetof<Program>("n1") + ((<usize>(phase - 1)) << 2), count);
  }
}

/** Gives the bytes of a set of the program's rules: a bit for each position. */
export function ruleSetBytes(program: Program): usize {
  return (<usize>program.ordinals >> 3) + 1;
}

/** Puts a list of rules in the order in which they run. */
export function link(arena: Arena, list: RuleList, ordinals: i32): Program {
  const program = make<Program>(arena);
  program.ordinals = ordinals;
  program.arena = arena;
  const labels = heap.alloc((<usize>nameCount() + 1) << 2);
  program.groups = arena.alloc((<usize>MAX_GROUPS) << 2);
  for (let phase = 1; phase <= 5; phase++) linkPhase(arena, program, list, phase, labels);
  heap.free(labels);
  return program;
}

function linkPhase(arena: Arena, program: Program, list: RuleList, phase: i32, labels: usize): void {
  let count = 0;
  for (let i = 0; i < list.count; i++) if (runsIn(list.at(i), phase)) count++;
  const entries = arena.alloc(<usize>count * ENTRY);
  memory.fill(labels, 0xff, (<usize>nameCount()) << 2);
  // from the end, so that each label is known where it is needed: the nearest one behind the rule counts
  let index = count;
  for (let i = list.count - 1; i >= 0; i--) {
    const rule = list.at(i);
    if (rule.marker >= 0) store<i32>(labels + ((<usize>rule.marker) << 2), index);
    if (!runsIn(rule, phase)) continue;
    index--;
    const target = rule.skipAfter >= 0 ? load<i32>(labels + ((<usize>rule.skipAfter) << 2)) : count;
    store<u32>(entries + <usize>index * ENTRY, changetype<u32>(rule));
    store<i32>(entries + <usize>index * ENTRY, target < 0 ? count : target, 4);
    store<i32>(entries + <usize>index * ENTRY, groupOf(program, rule), 8);
  }
  program.setPhase(phase, entries, count);
}

function runsIn(rule: Rule, phase: i32): bool {
  return rule.marker < 0 && rule.phase == phase;
}
