/**
 * Names given in rules, each with a small number: the keys of TX (their slots in a transaction) and the
 * labels of markers. Keys are compared without case, as SecLang compares them.
 *
 * The registry lives as long as the VM, so rules compiled into the wasm and rules compiled at configure
 * time share it. It only grows when rules are compiled, never from traffic.
 */
import { Arena } from "../bytes/arena";
import { lower } from "../bytes/ascii";
import { equalFold } from "../bytes/span";

const SLOTS: u32 = 4096;
/** Names that can be registered: half of the table, so that look-ups stay short. */
const MAX_NAMES: i32 = 2048;

let arena: Arena = changetype<Arena>(0);
/** SLOTS addresses of entries: u32 number, u32 length, bytes. */
let table: usize = 0;
/** Addresses of entries by number. */
let byNumber: usize = 0;
let count: i32 = 0;

/** Gives the number of names registered. */
export function nameCount(): i32 {
  return count;
}

function hashFold(ptr: usize, len: i32): u32 {
  let h: u32 = 0x811c9dc5;
  for (let i = 0; i < len; i++) h = (h ^ <u32>lower(load<u8>(ptr + i))) * 0x01000193;
  return h ^ (h >> 15);
}

function slotOf(ptr: usize, len: i32): usize {
  let slot = hashFold(ptr, len) & (SLOTS - 1);
  while (true) {
    const at = table + ((<usize>slot) << 2);
    const entry = <usize>load<u32>(at);
    if (entry == 0 || equalFold(entry + 8, <i32>load<u32>(entry, 4), ptr, len)) return at;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

/** Gives the number of a name, registering it. -1 if there are too many. */
export function nameNumber(ptr: usize, len: i32): i32 {
  if (table == 0) {
    arena = Arena.create(0);
    table = arena.alloc((<usize>SLOTS) << 2);
    byNumber = arena.alloc((<usize>MAX_NAMES) << 2);
  }
  const at = slotOf(ptr, len);
  const entry = <usize>load<u32>(at);
  if (entry != 0) return load<u32>(entry);
  if (count >= MAX_NAMES) return -1;
  const created = arena.alloc(<usize>len + 8);
  store<u32>(created, count);
  store<u32>(created, len, 4);
  memory.copy(created + 8, ptr, <usize>len);
  store<u32>(at, <u32>created);
  store<u32>(byNumber + ((<usize>count) << 2), <u32>created);
  return count++;
}

/** Gives the number of a registered name, or -1. */
export function findName(ptr: usize, len: i32): i32 {
  if (table == 0) return -1;
  const entry = <usize>load<u32>(slotOf(ptr, len));
  return entry == 0 ? -1 : <i32>load<u32>(entry);
}

/** Gives the address of a registered name's bytes. */
export function namePtr(number: i32): usize {
  return <usize>load<u32>(byNumber + ((<usize>number) << 2)) + 8;
}

/** Gives the length of a registered name in bytes. */
export function nameLen(number: i32): i32 {
  return <i32>load<u32>(<usize>load<u32>(byNumber + ((<usize>number) << 2)), 4);
}
