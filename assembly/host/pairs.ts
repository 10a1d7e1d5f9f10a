/**
 * Header maps as the host encodes them: u32 number of pairs, then u32 lengths of name and value for each,
 * then name, NUL, value, NUL for each. Reading copies nothing: names and values are addresses into it.
 */
import { Buffer } from "../bytes/buffer";

let table: usize = 0;
let content: usize = 0;
let end: usize = 0;
let left: u32 = 0;

export let keyPtr: usize = 0;
export let keyLen: i32 = 0;
export let valuePtr: usize = 0;
export let valueLen: i32 = 0;

/** Starts reading the map of `len` bytes at `ptr`. */
export function startPairs(ptr: usize, len: i32): void {
  left = len < 4 ? 0 : load<u32>(ptr);
  end = ptr + <usize>len;
  table = ptr + 4;
  // a count that the bytes cannot hold is no map
  if (<u64>left * 8 + 4 > <u64>len) left = 0;
  content = table + ((<usize>left) << 3);
}

/** Reads the next pair. False at the end. */
export function nextPair(): bool {
  if (left == 0) return false;
  left--;
  keyLen = load<i32>(table);
  valueLen = load<i32>(table, 4);
  table += 8;
  keyPtr = content;
  valuePtr = content + <usize>keyLen + 1;
  content = valuePtr + <usize>valueLen + 1;
  return content <= end;
}

/** Collects pairs and writes them as an encoded map. */
@unmanaged
export class PairWriter {
  /** Lengths, then text; joined by `finish`. */
  lengths: Buffer;
  text: Buffer;
  count: i32;

  static create(): PairWriter {
    const writer = changetype<PairWriter>(heap.alloc(offsetof<PairWriter>()));
    writer.lengths = Buffer.create(64);
    writer.text = Buffer.create(128);
    writer.count = 0;
    return writer;
  }

  clear(): void {
    this.lengths.clear();
    this.text.clear();
    this.count = 0;
  }

  add(name: usize, nameLen: i32, value: usize, valueLen: i32): void {
    this.word(nameLen);
    this.word(valueLen);
    this.text.bytes(name, nameLen).byte(0).bytes(value, valueLen).byte(0);
    this.count++;
  }

  private word(value: i32): void {
    this.lengths.ensure(4);
    store<i32>(this.lengths.ptr + this.lengths.len, value);
    this.lengths.len += 4;
  }

  /** Writes the map to `out`, replacing its content. */
  finish(out: Buffer): void {
    out.clear();
    if (this.count == 0) return;
    out.ensure(4);
    store<i32>(out.ptr, this.count);
    out.len = 4;
    out.bytes(this.lengths.ptr, this.lengths.len).bytes(this.text.ptr, this.text.len);
  }
}
