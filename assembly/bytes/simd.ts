/**
 * Sixteen bytes at a time (WebAssembly's fixed-width SIMD). A block is loaded from wherever the text is; callers see
 * to it that what they load lies within the text, so that nothing is read behind the end of memory.
 */

/** Bytes of a block. */
export const BLOCK: i32 = 16;

/** Gives a mask with a bit for each byte of a block that equals `byte`. */
export function blockMask(ptr: usize, byte: u8): i32 {
  return i8x16.bitmask(i8x16.eq(v128.load(ptr), i8x16.splat(byte)));
}

/** Gives a block with ASCII letters in lower case. */
export function lowerBlock(block: v128): v128 {
  const upper = i8x16.lt_u(i8x16.sub(block, i8x16.splat(0x41)), i8x16.splat(26));
  return v128.or(block, v128.and(upper, i8x16.splat(0x20)));
}

/**
 * A set of ASCII bytes that are looked for sixteen at a time: two tables of sixteen bytes, by low and by high half of a
 * byte; a byte is in the set if its two entries share a bit (the technique of simdjson's character classes, Langdale
 * and Lemire, "Parsing Gigabytes of JSON per Second"). Each high half that occurs takes a bit, so there are at most
 * eight of them: all of ASCII.
 */
@unmanaged
export class ByteClass {
  private low0: u64;
  private low1: u64;
  private high0: u64;
  private high1: u64;

  static of(text: string): ByteClass {
    const set = changetype<ByteClass>(heap.alloc(offsetof<ByteClass>()));
    memory.fill(changetype<usize>(set), 0, offsetof<ByteClass>());
    for (let i = 0; i < text.length; i++) set.add(<u8>text.charCodeAt(i));
    return set;
  }

  add(byte: u8): void {
    const bit: u8 = 1 << (byte >> 4);
    const low = changetype<usize>(this) + offsetof<ByteClass>("low0") + <usize>(byte & 15);
    store<u8>(low, load<u8>(low) | bit);
    store<u8>(changetype<usize>(this) + offsetof<ByteClass>("high0") + <usize>(byte >> 4), bit);
  }

  /** Gives a vector that is not zero where a byte of the block is in the set. */
  find(block: v128): v128 {
    const low = v128.load(changetype<usize>(this), offsetof<ByteClass>("low0"));
    const high = v128.load(changetype<usize>(this), offsetof<ByteClass>("high0"));
    return v128.and(i8x16.swizzle(low, v128.and(block, i8x16.splat(15))), i8x16.swizzle(high, i8x16.shr_u(block, 4)));
  }
}
