/**
 * Which rules of a phase have anything to look at. Users write many rules about one argument, header or cookie by name, and
 * most requests have none of these: such a rule is passed over, without a look at it, until its name comes.
 */
import { Arena, make } from "../bytes/arena";
import { mapBytes, setBit } from "../bytes/bits";
import { Item } from "../decode/items";
import { Group } from "./groups";
import { Program } from "./program";
import { firstNumbered, numberItems, selectorCount } from "./selected";
import { Transaction } from "./transaction";
import { FIRST_LIST, LAST_SCALAR, LIST_COUNT } from "./variables";

/** A rule that a name makes worth a look: position in its phase. */
@unmanaged
class Waiting {
  phase: i32;
  index: i32;
  next: Waiting | null;
}

/** Notes which rules of a program, whose phases are complete, wait for a name. */
export function indexNames(arena: Arena, program: Program): void {
  program.nameCount = selectorCount();
  for (let phase = 1; phase <= 5; phase++) {
    const count = program.count(phase);
    const always = arena.alloc(mapBytes(count));
    for (let i = 0; i < count; i++) {
      const number = program.entry(phase, i).group;
      if (number < 0 || !isByName(program.group(number))) setBit(always, i);
      else wait(arena, program, program.group(number), phase, i);
    }
    program.setAlways(phase, always);
  }
}

/** True if all that a group looks at is selected by name. */
function isByName(group: Group): bool {
  for (let i = 0; i < group.viewCount; i++) {
    const view = group.view(i);
    const target = view.named;
    if (view.variable <= LAST_SCALAR || !target || target.slot < 0) return false;
  }
  return true;
}

function wait(arena: Arena, program: Program, group: Group, phase: i32, index: i32): void {
  if (program.waiting == 0) program.waiting = arena.alloc((<usize>LIST_COUNT) << 2);
  for (let i = 0; i < group.viewCount; i++) {
    const view = group.view(i);
    const list = program.waiting + ((<usize>(view.variable - FIRST_LIST)) << 2);
    if (load<u32>(list) == 0) store<u32>(list, <u32>arena.alloc((<usize>program.nameCount) << 2));
    const at = <usize>load<u32>(list) + ((<usize>view.named!.slot) << 2);
    const waiting = make<Waiting>(arena);
    waiting.phase = phase;
    waiting.index = index;
    waiting.next = changetype<Waiting | null>(<usize>load<u32>(at));
    store<u32>(at, changetype<u32>(waiting));
  }
}

/** Gives a map of the rules of a phase that a request needs: it lives as long as the transaction. */
export function wantedRules(tx: Transaction, phase: i32): usize {
  const program = tx.program;
  const always = program.always(phase);
  if (program.waiting == 0) return always;
  const map = tx.arena.copy(always, <i32>mapBytes(program.count(phase)));
  for (let i = 0; i < LIST_COUNT; i++) {
    const table = <usize>load<u32>(program.waiting + ((<usize>i) << 2));
    if (table != 0) want(tx, FIRST_LIST + i, table, phase, map);
  }
  return map;
}

/** Adds the rules that wait for the names in a list. */
function want(tx: Transaction, variable: i32, table: usize, phase: i32, map: usize): void {
  const list = tx.list(variable);
  if (list.count == 0) return;
  numberItems(tx.arena, list);
  for (let item: Item | null = list.first; item; item = item!.next) {
    const number = item!.number;
    // names that a later configuration selects have no rule here; of several items of one name the first will do
    if (number < 0 || number >= tx.program.nameCount || firstNumbered(list, number) != item) continue;
    let waiting = changetype<Waiting | null>(<usize>load<u32>(table + ((<usize>number) << 2)));
    for (; waiting; waiting = waiting!.next) if (waiting!.phase == phase) setBit(map, waiting!.index);
  }
}
