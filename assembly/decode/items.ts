/**
 * What a message is made of: items with a name and a value, in lists. Names and values are addresses of
 * bytes that live as long as the stream, most of them in buffers that the host filled. An item carries
 * the caches of its transformed forms; they are filled by the engine.
 */
import { Arena, make } from "../bytes/arena";

@unmanaged
export class Item {
  /** The value. `ptr` and `len` come first: the address of an item is the address of a `Span`. */
  ptr: usize;
  len: i32;
  name: usize;
  nameLen: i32;
  /** Addresses of the transformed values by number of the sequence, 0 until one was asked for. */
  cache: usize;
  /** The same for the name. */
  nameCache: usize;
  next: Item | null;
  /** The variable it belongs to, for events. */
  variable: i32;

  /** Replaces the value. */
  set(ptr: usize, len: i32): void {
    this.ptr = ptr;
    this.len = len;
    this.cache = 0;
  }
}

@unmanaged
export class ItemList {
  first: Item | null;
  last: Item | null;
  count: i32;

  add(arena: Arena, name: usize, nameLen: i32, ptr: usize, len: i32): Item {
    const item = make<Item>(arena);
    item.name = name;
    item.nameLen = nameLen;
    item.ptr = ptr;
    item.len = len;
    const last = this.last;
    if (last) last.next = item;
    else this.first = item;
    this.last = item;
    this.count++;
    return item;
  }

  clear(): void {
    this.first = null;
    this.last = null;
    this.count = 0;
  }
}
