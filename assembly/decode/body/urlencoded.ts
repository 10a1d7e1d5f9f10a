/** `application/x-www-form-urlencoded` and query strings (URL Standard, section 5.1). */
import { Arena } from "../../bytes/arena";
import { hexByte, isHex } from "../../bytes/ascii";
import { indexOf } from "../../bytes/span";
import { ItemList } from "../items";

/** True if the last text held a `%` that starts no escape. */
export let invalidEncoding: bool = false;
/** True if the last text held more arguments than allowed; the rest was not read. */
export let tooMany: bool = false;

/** What was decoded last. */
export let decodedPtr: usize = 0;
export let decodedLen: i32 = 0;

/** Adds the arguments of `len` bytes at `ptr` to the list, up to `limit` in the list. */
export function parseUrlencoded(arena: Arena, ptr: usize, len: i32, separator: u8, list: ItemList, limit: i32): void {
  invalidEncoding = false;
  tooMany = false;
  let i = 0;
  while (i < len) {
    let end = indexOf(ptr, len, separator, i);
    if (end < 0) end = len;
    if (end > i) {
      if (list.count >= limit) {
        tooMany = true;
        return;
      }
      addArgument(arena, ptr + i, end - i, list);
    }
    i = end + 1;
  }
}

function addArgument(arena: Arena, ptr: usize, len: i32, list: ItemList): void {
  const equals = indexOf(ptr, len, 0x3d);
  decode(arena, ptr, equals < 0 ? len : equals);
  const name = decodedPtr;
  const nameLen = decodedLen;
  if (equals < 0) decode(arena, ptr + len, 0);
  else decode(arena, ptr + equals + 1, len - equals - 1);
  list.add(arena, name, nameLen, decodedPtr, decodedLen);
}

/** Decodes `+` and `%HH`; text without them is not copied. */
function decode(arena: Arena, ptr: usize, len: i32): void {
  decodeEscapes(arena, ptr, len, 0x2b);
}

/** Decodes `%HH` and leaves `+`, as in a path; text without escapes is not copied. */
export function decodePercent(arena: Arena, ptr: usize, len: i32): void {
  decodeEscapes(arena, ptr, len, 0x25);
}

/** Decodes `%HH`, and `blank` to a space. */
function decodeEscapes(arena: Arena, ptr: usize, len: i32, blank: u8): void {
  decodedPtr = ptr;
  decodedLen = len;
  let i = 0;
  while (i < len && load<u8>(ptr + i) != 0x25 && load<u8>(ptr + i) != blank) i++;
  if (i == len) return;
  const out = arena.reserve(<usize>len);
  memory.copy(out, ptr, <usize>i);
  let to = out + i;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (c == 0x25 && i + 2 < len && isHex(load<u8>(ptr + i + 1)) && isHex(load<u8>(ptr + i + 2))) {
      store<u8>(to++, hexByte(ptr + i + 1));
      i += 3;
      continue;
    }
    if (c == 0x25) invalidEncoding = true;
    store<u8>(to++, c == blank && c != 0x25 ? 0x20 : c);
    i++;
  }
  arena.trim(to);
  decodedPtr = out;
  decodedLen = <i32>(to - out);
}
