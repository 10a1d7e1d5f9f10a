/**
 * Items by name: `REQUEST_HEADERS:User-Agent` and its like. Names that rules select are numbered when rules are
 * compiled. The first time a request's collection is asked for a name, all its items are entered by number, so
 * that every further rule about one name finds its items, or that there are none, at once.
 */
import { Arena } from "../bytes/arena";
import { equalFold } from "../bytes/span";
import { Item, ItemList } from "../decode/items";
import { Target } from "./model";
import { NameTable } from "./nametable";

/** Rules that select further names go over all items. */
const MAX_SELECTORS: i32 = 512;

const selectors: NameTable = NameTable.create(MAX_SELECTORS);

/** Gives the number of a selector, registering it; -1 if there are too many. */
export function selectorNumber(ptr: usize, len: i32): i32 {
  return selectors.register(ptr, len);
}

/** Gives the first item of a list that a target, which selects by name, selects. */
export function firstSelected(arena: Arena, list: ItemList, target: Target): Item | null {
  if (list.count == 0) return null;
  if (target.slot < 0) return named(list.first, target);
  numberItems(arena, list);
  // selectors that came with a later configuration are not in the table
  if (target.slot >= list.namedSlots) return named(list.first, target);
  return firstNumbered(list, target.slot);
}

/** Gives the first item of a list, whose items are numbered, whose name has that number. */
export function firstNumbered(list: ItemList, number: i32): Item | null {
  return changetype<Item | null>(<usize>load<u32>(list.named + ((<usize>number) << 2)));
}

/** Gives the next item that the target selects. */
export function nextSelected(list: ItemList, item: Item, target: Target): Item | null {
  if (target.slot < 0 || target.slot >= list.namedSlots) return named(item.next, target);
  return item.sameName;
}

function named(first: Item | null, target: Target): Item | null {
  for (let item: Item | null = first; item; item = item!.next) if (equalFold(item.name, item.nameLen, target.selPtr, target.selLen)) return item;
  return null;
}

/** Gives the number of selectors that are registered. */
export function selectorCount(): i32 {
  return selectors.count;
}

/** Makes sure that all items of a list are entered by number, and know theirs. */
export function numberItems(arena: Arena, list: ItemList): void {
  if (list.namedCount == list.count) return;
  list.namedSlots = selectors.count;
  list.namedCount = list.count;
  // first items, and behind them the last ones so far
  const bytes = (<usize>list.namedSlots) << 2;
  list.named = arena.alloc(bytes << 1);
  for (let item: Item | null = list.first; item; item = item!.next) {
    item.sameName = null;
    const number = selectors.find(item.name, item.nameLen);
    item.number = number;
    if (number < 0) continue;
    const at = list.named + ((<usize>number) << 2);
    const last = changetype<Item | null>(<usize>load<u32>(at + bytes));
    if (last) last.sameName = item;
    else store<u32>(at, changetype<u32>(item));
    store<u32>(at + bytes, changetype<u32>(item));
  }
}
