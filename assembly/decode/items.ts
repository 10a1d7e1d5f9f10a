/**
 * What a message is made of: items with a name and a value, in lists. Names and values are addresses of
 * bytes that live as long as the stream, most of them in buffers that the host filled. With each goes what the
 * engine made of it and found out about it.
 */
import { Arena, make } from "../bytes/arena";

@unmanaged
export class Item {
  /** The value. `ptr` to `derived` are laid out as in `Value`, and so are those of the name. */
  ptr: usize;
  len: i32;
  /** Signature of the value, see match/signature.ts; 0 until it was computed. */
  signature: u64;
  /** Address of the value's trigrams, see match/grams.ts; 0 until they were computed. */
  grams: usize;
  /** What the sieves said of the value, see seclang/sifted.ts; 0 until they were asked. */
  sifted: u32;
  /** What transformations made of the value, see `Value`; null for nothing yet. */
  derived: Derived | null;
  name: usize;
  nameLen: i32;
  nameSignature: u64;
  nameGrams: usize;
  nameSifted: u32;
  nameDerived: Derived | null;
  next: Item | null;
  /** Number of the name if rules select it, -1 if none does, and the next item of that name: see seclang/selected.ts. */
  number: i32;
  sameName: Item | null;

  /** Replaces the value. */
  set(ptr: usize, len: i32): void {
    this.ptr = ptr;
    this.len = len;
    this.signature = 0;
    this.forget();
  }

  /** Drops what was made of the value, and found out about it. */
  forget(): void {
    this.grams = 0;
    this.sifted = 0;
    this.derived = null;
  }
}

/** A value with what is known about it: part of an item, or what a transformation made. */
@unmanaged
export class Value {
  ptr: usize;
  len: i32;
  /** 0 until it was computed; an empty value has none. */
  signature: u64;
  /** 0 until they were computed. */
  grams: usize;
  /** What the sieves said, see seclang/sifted.ts; 0 until they were asked. */
  sifted: u32;
  /** What single transformations made of it. */
  derived: Derived | null;
}

/** What a transformation made of a value: the value itself if it changed nothing. */
@unmanaged
export class Derived {
  transformation: i32;
  value: Value;
  next: Derived | null;
}

@unmanaged
export class ItemList {
  first: Item | null;
  last: Item | null;
  count: i32;
  /** What is known about all values, and all names, as they came; see seclang/unions.ts. */
  union: usize;
  nameUnion: usize;
  /** Items by name, see seclang/selected.ts: the table, how many slots it has, and how many items were entered. */
  named: usize;
  namedSlots: i32;
  namedCount: i32;

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

  /** Drops what is known about all items together, since one of them changed. */
  forget(): void {
    this.union = 0;
    this.nameUnion = 0;
  }

  clear(): void {
    this.first = null;
    this.last = null;
    this.count = 0;
    this.namedCount = 0;
    this.forget();
  }
}
