/**
 * From a list of rules to a program: the rules of each phase in the order in which they run, with the place to
 * go on at after `skip` and `skipAfter` worked out, and without those that the configuration alone decides
 * (see settle.ts). Markers are gone.
 */
import { Arena } from "../bytes/arena";
import { Group, groupOf, MAX_GROUPS } from "./groups";
import { nameCount } from "./names";
import { setNeeds } from "./operators";
import { Entry, Program } from "./program";
import { findReads } from "./reads";
import { RuleList } from "./rulelist";
import { Settings } from "./settings";
import { beginSettling, endSettling, Line, settlePhase } from "./settle";
import { makeSieves } from "./sieves";
import { findKeys } from "./txkeys";
import { indexNames } from "./wanted";

/**
 * Puts a list of rules in the order in which they run. `settings` are those that transactions will start with.
 * Without `settles`, nothing is decided ahead: tests compare.
 */
export function link(arena: Arena, list: RuleList, ordinals: i32, settings: Settings, settles: bool = true): Program {
  const program = Program.create(arena);
  program.ordinals = ordinals;
  program.groups = arena.alloc(<usize>MAX_GROUPS * offsetof<Group>());
  const scratch = Arena.create(0);
  findKeys(list);
  beginSettling(program, settings, list, scratch);
  for (let phase = 1; phase <= 5; phase++) {
    const line = lineUp(scratch, list, phase);
    if (settles) settlePhase(line, phase);
    enter(arena, program, line, phase);
  }
  endSettling(arena, program);
  makeSieves(arena, program);
  indexNames(arena, program);
  findReads(program);
  scratch.destroy();
  return program;
}

/** Gives the rules of a phase, each with the place where it jumps to if it matches. */
function lineUp(scratch: Arena, list: RuleList, phase: i32): Line {
  let count = 0;
  for (let i = 0; i < list.count; i++) if (list.at(i).runsIn(phase)) count++;
  const line = Line.create(scratch, count);
  const labels = scratch.alloc((<usize>nameCount() + 1) << 2);
  memory.fill(labels, 0xff, (<usize>nameCount()) << 2);
  // from the end, so that each label is known where it is needed: the nearest one behind the rule counts
  let index = count;
  for (let i = list.count - 1; i >= 0; i--) {
    const rule = list.at(i);
    if (rule.marker >= 0) store<i32>(labels + ((<usize>rule.marker) << 2), index);
    if (!rule.runsIn(phase)) continue;
    index--;
    const label = rule.skipAfter >= 0 ? load<i32>(labels + ((<usize>rule.skipAfter) << 2)) : -1;
    const skipped = rule.skipAfter >= 0 ? (label < 0 ? count : label) : index + 1 + rule.skip;
    line.put(index, rule, min(skipped, count));
  }
  return line;
}

/** Writes what is left of a phase into the program. */
function enter(arena: Arena, program: Program, line: Line, phase: i32): void {
  let left = 0;
  for (let i = 0; i <= line.count; i++) {
    line.setPlace(i, left);
    if (i < line.count && !line.isDropped(i)) left++;
  }
  const entries = arena.alloc(<usize>left * offsetof<Entry>());
  let at = entries;
  for (let i = 0; i < line.count; i++) {
    if (line.isDropped(i)) continue;
    const rule = line.rule(i);
    const entry = changetype<Entry>(at);
    entry.rule = rule;
    entry.jump = line.place(line.jump(i));
    entry.group = groupOf(program, rule);
    entry.quickSlot = rule.quickSlot;
    entry.sieveBit = -1;
    setNeeds(entry, rule);
    at += offsetof<Entry>();
  }
  program.setPhase(phase, entries, left);
}
