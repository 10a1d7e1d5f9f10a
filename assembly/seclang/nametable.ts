/**
 * A table of names that rules give, each with a small number; names are compared without case, as SecLang compares
 * them. It only grows when rules are compiled, never from traffic, and lives as long as the VM.
 */
import { Arena, make } from "../bytes/arena";
import { equalFold, hashFold } from "../bytes/span";

// An entry, in bytes from its address: u32 number, u32 length, then the name.
const LENGTH: usize = 4;
const BYTES: usize = 8;

@unmanaged
export class NameTable {
  private arena: Arena;
  /** Addresses of entries by hash; `slots` of them. */
  private table: usize;
  private slots: u32;
  /** Addresses of entries by number. */
  private byNumber: usize;
  count: i32;
  /** Names that can be registered: half of the slots, so that look-ups stay short. */
  private limit: i32;

  /** Makes a table for up to `limit` names, a power of two. */
  static create(limit: i32): NameTable {
    const arena = Arena.create(0);
    const table = make<NameTable>(arena);
    table.arena = arena;
    table.limit = limit;
    table.slots = (<u32>limit) << 1;
    table.table = arena.alloc((<usize>table.slots) << 2);
    table.byNumber = arena.alloc((<usize>limit) << 2);
    return table;
  }

  private slotOf(ptr: usize, len: i32): usize {
    let slot = hashFold(ptr, len) & (this.slots - 1);
    while (true) {
      const at = this.table + ((<usize>slot) << 2);
      const entry = <usize>load<u32>(at);
      if (entry == 0 || equalFold(entry + BYTES, <i32>load<u32>(entry, LENGTH), ptr, len)) return at;
      slot = (slot + 1) & (this.slots - 1);
    }
  }

  /** Gives the number of a name, registering it. -1 if there are too many. */
  register(ptr: usize, len: i32): i32 {
    const at = this.slotOf(ptr, len);
    const entry = <usize>load<u32>(at);
    if (entry != 0) return load<u32>(entry);
    if (this.count >= this.limit) return -1;
    const created = this.arena.alloc(<usize>len + BYTES);
    store<u32>(created, this.count);
    store<u32>(created, len, LENGTH);
    memory.copy(created + BYTES, ptr, <usize>len);
    store<u32>(at, <u32>created);
    store<u32>(this.byNumber + ((<usize>this.count) << 2), <u32>created);
    return this.count++;
  }

  /** Gives the number of a registered name, or -1. */
  find(ptr: usize, len: i32): i32 {
    const entry = <usize>load<u32>(this.slotOf(ptr, len));
    return entry == 0 ? -1 : <i32>load<u32>(entry);
  }

  /** Gives the address of a registered name's bytes. */
  ptr(number: i32): usize {
    return <usize>load<u32>(this.byNumber + ((<usize>number) << 2)) + BYTES;
  }

  /** Gives the length of a registered name in bytes. */
  len(number: i32): i32 {
    return <i32>load<u32>(<usize>load<u32>(this.byNumber + ((<usize>number) << 2)), LENGTH);
  }
}
