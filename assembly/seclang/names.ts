/** The keys of TX that rules name, which are their slots in a transaction, and the labels of markers. */
import { NameTable } from "./nametable";

/** Names that can be registered. */
export const MAX_NAMES: i32 = 2048;

const table: NameTable = NameTable.create(MAX_NAMES);

/** Gives the number of names registered. */
export function nameCount(): i32 {
  return table.count;
}

/** Gives the number of a name, registering it. -1 if there are too many. */
export function nameNumber(ptr: usize, len: i32): i32 {
  return table.register(ptr, len);
}

/** Gives the number of a registered name, or -1. */
export function findName(ptr: usize, len: i32): i32 {
  return table.find(ptr, len);
}

/** Gives the address of a registered name's bytes. */
export function namePtr(number: i32): usize {
  return table.ptr(number);
}

/** Gives the length of a registered name in bytes. */
export function nameLen(number: i32): i32 {
  return table.len(number);
}
