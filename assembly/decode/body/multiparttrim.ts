/**
 * Multipart bodies as they arrive. Rules look at the fields of a form, and at the names and sizes of its files, but
 * seldom at what is in the files; so files need not be held, however large. This takes a body in pieces and keeps of it
 * what multipart.ts, which reads the rest in the end, can tell a difference by:
 *
 * - all of the headers and of the fields;
 * - of what follows the last boundary, one byte that is not white space;
 * - of a file, and of what stands before the first boundary, only lines that begin like the boundary, and the two bytes
 *   before such a line, which say how the line before it ended.
 *
 * A delimiter can only stand at the beginning of a line, and a line ends with a line feed and nothing else: that is all
 * that multipart.ts goes by, too, and where a part's headers end and whether it is a file is asked of its own code. How
 * many bytes were left out is noted for each file, so its size is known.
 */
import { Arena, make } from "../../bytes/arena";
import { isSpace } from "../../bytes/ascii";
import { indexOf } from "../../bytes/span";
import { boundaryLen, boundaryPtr, delimiterIsLast, describesFile, findBoundary, isDelimiter, resetMultipart } from "./multipart";

/** Bytes left out behind an offset of what was kept. */
@unmanaged
export class Gap {
  /** Offset, in what was kept, of the content that bytes are missing from. */
  at: i32;
  /** How many. */
  missing: i32;
  next: Gap | null;
}

/** What the line being read belongs to. */
const PREAMBLE: i32 = 0;
const HEADERS: i32 = 1;
const FIELD: i32 = 2;
const FILE: i32 = 3;
const EPILOGUE: i32 = 4;

@unmanaged
export class MultipartTrim {
  private arena: Arena;
  /** What was kept. */
  ptr: usize;
  len: i32;
  private capacity: i32;
  /** Bytes left out, in order. */
  gaps: Gap | null;
  private lastGap: Gap | null;
  private mode: i32;
  /** Where the headers of the part being read begin, in what was kept. */
  private partStart: i32;
  /** True while in a line of which it is known that it does not begin like a delimiter, or that is kept anyway. */
  private inLine: bool;
  /** True if that line begins like a delimiter, and where it begins in what was kept. */
  private isMarked: bool;
  private lineStart: i32;
  /** The last bytes left out, up to two: the older one in the higher byte. */
  private tail: u32;
  private tailLen: i32;
  /** Beginning of a line that could still become a delimiter. */
  private carry: usize;
  private carryLen: i32;

  /** Makes one for a body with that content type; null if it has no boundary, which is for multipart.ts to judge. */
  static create(arena: Arena, type: usize, typeLen: i32): MultipartTrim | null {
    resetMultipart();
    if (!findBoundary(type, typeLen)) return null;
    const trim = make<MultipartTrim>(arena);
    trim.arena = arena;
    trim.carry = arena.alloc(<usize>boundaryLen + 2);
    return trim;
  }

  /** Takes the next `len` bytes of the body; `type` is its content type, as given to `create`. */
  feed(ptr: usize, len: i32, type: usize, typeLen: i32): void {
    resetMultipart();
    findBoundary(type, typeLen);
    let i = 0;
    while (i < len) i = this.inLine ? this.restOfLine(ptr, len, i) : this.startOfLine(ptr, len, i);
  }

  /** Ends the body: what could still have become a delimiter did not. */
  finish(): void {
    if (this.carryLen > 0) this.decide(false);
    // a body without any boundary is not an empty one
    if (this.mode == PREAMBLE) this.keepTail();
  }

  /** Reads on at a line's beginning until it is known whether it begins like a delimiter. */
  private startOfLine(ptr: usize, len: i32, from: i32): i32 {
    let i = from;
    while (i < len && this.carryLen < boundaryLen + 2) {
      const c = load<u8>(ptr + i);
      const wanted: u8 = this.carryLen < 2 ? 0x2d : load<u8>(boundaryPtr + this.carryLen - 2);
      if (c != wanted) {
        this.decide(false);
        return i;
      }
      store<u8>(this.carry + this.carryLen++, c);
      i++;
    }
    if (this.carryLen == boundaryLen + 2) this.decide(true);
    return i;
  }

  /** The line that is in `carry` so far begins like a delimiter, or does not. */
  private decide(delimiter: bool): void {
    this.inLine = true;
    this.isMarked = delimiter;
    if (delimiter) this.keepTail();
    this.lineStart = this.len;
    const carried = this.carryLen;
    this.carryLen = 0;
    this.take(this.carry, carried);
  }

  /** Takes the rest of a line, or what there is of it; gives the offset behind it. */
  private restOfLine(ptr: usize, len: i32, from: i32): i32 {
    const feed = indexOf(ptr, len, 0x0a, from);
    const end = feed < 0 ? len : feed + 1;
    this.take(ptr + from, end - from);
    if (feed >= 0) this.endLine();
    return end;
  }

  /** Keeps bytes of the line being read, or leaves them out. */
  private take(ptr: usize, len: i32): void {
    if (this.isMarked || this.mode == HEADERS || this.mode == FIELD) this.keep(ptr, len);
    else if (this.mode == EPILOGUE) this.keepVisible(ptr, len);
    else this.leaveOut(ptr, len);
  }

  private endLine(): void {
    this.inLine = false;
    if (this.mode == EPILOGUE) return;
    if (this.isMarked) {
      // the line may only begin like one: then what it stands in goes on
      if (!isDelimiter(this.ptr, this.len, this.lineStart)) return;
      this.mode = delimiterIsLast ? EPILOGUE : HEADERS;
      this.partStart = this.len;
      return;
    }
    if (this.mode != HEADERS || !this.isBlank()) return;
    this.mode = describesFile(this.arena, this.ptr, this.len, this.partStart) ? FILE : FIELD;
    if (this.mode == FILE) this.openGap();
  }

  private isBlank(): bool {
    const n = this.len - this.lineStart;
    return n == 1 || (n == 2 && load<u8>(this.ptr + this.lineStart) == 0x0d);
  }

  private openGap(): void {
    this.tailLen = 0;
    const gap = make<Gap>(this.arena);
    gap.at = this.len;
    const last = this.lastGap;
    if (last) last.next = gap;
    else this.gaps = gap;
    this.lastGap = gap;
  }

  private leaveOut(ptr: usize, len: i32): void {
    if (len == 0) return;
    const gap = this.mode == FILE ? this.lastGap : null;
    if (gap) gap.missing += len;
    if (len >= 2) {
      this.tail = ((<u32>load<u8>(ptr + len - 2)) << 8) | load<u8>(ptr + len - 1);
      this.tailLen = 2;
    } else {
      this.tail = ((this.tail & 0xff) << 8) | load<u8>(ptr);
      this.tailLen = min(2, this.tailLen + 1);
    }
  }

  /** Keeps the last bytes that were left out after all, since a line that is kept follows them. */
  private keepTail(): void {
    const gap = this.mode == FILE ? this.lastGap : null;
    for (let n = this.tailLen; n > 0; n--) {
      this.room(1);
      store<u8>(this.ptr + this.len++, <u8>(this.tail >> (<u32>(n - 1) * 8)));
      if (gap) gap.missing--;
    }
    this.tailLen = 0;
  }

  private keep(ptr: usize, len: i32): void {
    this.room(len);
    memory.copy(this.ptr + this.len, ptr, <usize>len);
    this.len += len;
  }

  private keepVisible(ptr: usize, len: i32): void {
    if (this.len > this.partStart) return;
    let i = 0;
    while (i < len && isSpace(load<u8>(ptr + i))) i++;
    if (i < len) this.keep(ptr + i, 1);
  }

  private room(more: i32): void {
    if (this.len + more <= this.capacity) return;
    this.capacity = max(this.capacity * 2, this.len + more + 1024);
    const larger = this.arena.reserve(<usize>this.capacity);
    memory.copy(larger, this.ptr, <usize>this.len);
    this.ptr = larger;
  }
}
