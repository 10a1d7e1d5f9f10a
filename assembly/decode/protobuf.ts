/**
 * Protocol Buffers without a schema (https://protobuf.dev/programming-guides/encoding): the strings in a
 * message, each named by the numbers of its fields, as in `grpc.1.4`. A field of bytes may be a message, a
 * string, or neither; both readings are shown where both are possible, since only the receiver knows.
 */
import { Arena } from "../bytes/arena";
import { writeInt } from "../bytes/buffer";
import { decode } from "../bytes/utf8";
import { ItemList } from "./items";

/** Messages within messages. */
const MAX_DEPTH: i32 = 16;
/** The path: "grpc", and for each level a dot and a number of at most ten digits. */
const path: usize = memory.data(192);

let arena: Arena = changetype<Arena>(0);
let list: ItemList = changetype<ItemList>(0);
let limit: i32 = 0;

/** Adds the strings of the message of `len` bytes at `ptr` to the list, up to `most` in the list. */
export function addStrings(target: Arena, ptr: usize, len: i32, into: ItemList, most: i32): void {
  arena = target;
  list = into;
  limit = most;
  store<u32>(path, 0x63707267); // grpc
  walk(ptr, ptr + <usize>len, 4, 0);
}

let at: usize = 0;

/** Reads a varint at `at`. False if it is cut or longer than ten bytes. */
function varint(end: usize): bool {
  value = 0;
  for (let shift: u64 = 0; shift < 70 && at < end; shift += 7) {
    const byte = load<u8>(at++);
    if (shift < 64) value |= (<u64>byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}
let value: u64 = 0;

/** Goes over one field at `at`; sets its content if it has a length. False if it is malformed. */
function field(end: usize): bool {
  contentLen = -1;
  if (!varint(end) || value >> 3 == 0 || value >> 3 > 0x1fffffff) return false;
  number = <u32>(value >> 3);
  const wire = <u32>(value & 7);
  if (wire == 0) return varint(end);
  if (wire == 1) at += 8;
  else if (wire == 5) at += 4;
  else if (wire == 2) {
    if (!varint(end) || value > <u64>(end - at)) return false;
    content = at;
    contentLen = <i32>value;
    at += <usize>value;
  } else return false;
  return at <= end;
}
let number: u32 = 0;
let content: usize = 0;
let contentLen: i32 = 0;

function isMessage(ptr: usize, len: i32): bool {
  const saved = at;
  at = ptr;
  let ok = len > 0;
  while (ok && at < ptr + <usize>len) ok = field(ptr + <usize>len);
  at = saved;
  return ok;
}

function isText(ptr: usize, len: i32): bool {
  let i = 0;
  while (i < len) {
    const n = decode(ptr + i, len - i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

function walk(ptr: usize, end: usize, pathLen: i32, depth: i32): void {
  at = ptr;
  while (at < end && list.count < limit && field(end)) {
    if (contentLen <= 0) continue;
    store<u8>(path + pathLen, 0x2e);
    const nameLen = pathLen + 1 + writeInt(path + pathLen + 1, number);
    const inner = content;
    const innerLen = contentLen;
    const following = at;
    if (isText(inner, innerLen)) list.add(arena, arena.copy(path, nameLen), nameLen, inner, innerLen);
    if (depth + 1 < MAX_DEPTH && isMessage(inner, innerLen)) walk(inner, inner + <usize>innerLen, nameLen, depth + 1);
    at = following;
  }
}
