/**
 * A growing byte buffer outside the managed heap: events, error messages, encoded maps. The content
 * belongs to the buffer and is valid until its next write.
 */
import { hexDigit } from "./ascii";
import { decode } from "./utf8";

@unmanaged
export class Buffer {
  ptr: usize;
  /** Bytes written. */
  len: i32;
  /** Bytes allocated at `ptr`. */
  capacity: i32;

  static create(capacity: i32): Buffer {
    const buffer = changetype<Buffer>(heap.alloc(offsetof<Buffer>()));
    buffer.ptr = heap.alloc(<usize>capacity);
    buffer.len = 0;
    buffer.capacity = capacity;
    return buffer;
  }

  clear(): void {
    this.len = 0;
  }

  /** Makes room for `extra` more bytes. */
  ensure(extra: i32): void {
    const need = this.len + extra;
    if (need <= this.capacity) return;
    let capacity = this.capacity;
    while (capacity < need) capacity <<= 1;
    this.ptr = heap.realloc(this.ptr, <usize>capacity);
    this.capacity = capacity;
  }

  byte(c: u8): Buffer {
    this.ensure(1);
    store<u8>(this.ptr + this.len, c);
    this.len++;
    return this;
  }

  bytes(ptr: usize, len: i32): Buffer {
    this.ensure(len);
    memory.copy(this.ptr + this.len, ptr, <usize>len);
    this.len += len;
    return this;
  }

  /** Appends ASCII text. */
  text(literal: string): Buffer {
    const n = literal.length;
    const from = changetype<usize>(literal);
    this.ensure(n);
    for (let i = 0; i < n; i++) store<u8>(this.ptr + this.len + i, <u8>load<u16>(from + ((<usize>i) << 1)));
    this.len += n;
    return this;
  }

  /** Appends a decimal number. */
  int(value: i64): Buffer {
    this.ensure(20);
    this.len += writeInt(this.ptr + this.len, value);
    return this;
  }

  /** Appends a decimal number, padded with zeros to `width`. */
  padded(value: i64, width: i32): Buffer {
    const start = this.len;
    this.int(value);
    const digits = this.len - start;
    if (digits >= width) return this;
    this.ensure(width);
    memory.copy(this.ptr + start + (width - digits), this.ptr + start, <usize>digits);
    memory.fill(this.ptr + start, 0x30, <usize>(width - digits));
    this.len = start + width;
    return this;
  }

  /**
   * Appends a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD: what a log
   * pipeline must be able to read comes before the exact byte, and the rule id says what to look for.
   */
  json(ptr: usize, len: i32): Buffer {
    this.byte(0x22);
    return this.jsonPart(ptr, len).byte(0x22);
  }

  /** Appends a part of a JSON string, without quotes. */
  jsonPart(ptr: usize, len: i32): Buffer {
    let i = 0;
    while (i < len) {
      const c = load<u8>(ptr + i);
      if (c == 0x22 || c == 0x5c) {
        this.byte(0x5c).byte(c);
        i++;
      } else if (c < 0x20 || c == 0x7f) {
        this.text("\\u00")
          .byte(hexDigit(c >> 4))
          .byte(hexDigit(c & 15));
        i++;
      } else if (c < 0x80) {
        this.byte(c);
        i++;
      } else {
        const n = decode(ptr + i, len - i);
        if (n == 0) this.text("\\ufffd");
        else this.bytes(ptr + i, n);
        i += max(n, 1);
      }
    }
    return this;
  }

  /** Appends a JSON string made of ASCII text. */
  jsonText(literal: string): Buffer {
    return this.byte(0x22).text(literal).byte(0x22);
  }
}

/** Writes a decimal number at `out`, which has room for 20 bytes. Gives the bytes written. */
export function writeInt(out: usize, value: i64): i32 {
  let n = 0;
  let rest: u64 = value < 0 ? <u64>-value : <u64>value;
  if (value < 0) store<u8>(out + n++, 0x2d);
  let digits = 1;
  for (let v = rest; v >= 10; v /= 10) digits++;
  for (let i = n + digits - 1; i >= n; i--) {
    store<u8>(out + i, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
  return n + digits;
}
