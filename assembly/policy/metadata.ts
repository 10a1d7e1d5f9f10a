/**
 * Envoy's dynamic metadata: what other filters found out, among it the claims of a verified token. The host gives
 * all of it as one protobuf message, types and nesting included, which is read here without copying:
 *
 *   Metadata  { map<string, Struct> filter_metadata = 1; }
 *   Struct    { map<string, Value> fields = 1; }
 *   Value     { null = 1; double number = 2; string text = 3; bool = 4; Struct = 5; ListValue = 6; }
 *   ListValue { repeated Value values = 1; }
 *
 * (envoy.config.core.v3.Metadata, google.protobuf.Struct). A map is a repeated message of a key, 1, and a value, 2.
 */
import { equal } from "../bytes/span";
import { Name } from "./model";

/** The field that `next` read: its number, and its content if it has a length. */
let number: u32 = 0;
let content: usize = 0;
let contentLen: i32 = 0;
let at: usize = 0;

function varint(end: usize): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 64 && at < end; shift += 7) {
    const byte = load<u8>(at++);
    value |= (<u64>byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  at = end;
  return value;
}

/** Reads the next field. False at the end, or if it is malformed. */
function next(end: usize): bool {
  if (at >= end) return false;
  const tag = varint(end);
  number = <u32>(tag >> 3);
  contentLen = -1;
  switch (<u32>(tag & 7)) {
    case 0:
      varint(end);
      return true;
    case 1:
      at += 8;
      return at <= end;
    case 2: {
      const size = varint(end);
      if (size > <u64>(end - at)) return false;
      content = at;
      contentLen = <i32>size;
      at += <usize>size;
      return true;
    }
    case 5:
      at += 4;
      return at <= end;
  }
  return false;
}

// The message that `entry` found.
let foundPtr: usize = 0;
let foundLen: i32 = 0;

/** Finds the value of a key in a message whose field 1 is a map. */
function entry(ptr: usize, len: i32, name: Name): bool {
  const end = ptr + <usize>len;
  at = ptr;
  while (next(end)) {
    if (number != 1 || contentLen < 0) continue;
    const after = at;
    if (readEntry(content, contentLen, name)) return true;
    at = after;
  }
  return false;
}

function readEntry(ptr: usize, len: i32, name: Name): bool {
  const end = ptr + <usize>len;
  let matches = name.len == 0;
  foundPtr = ptr;
  foundLen = 0;
  at = ptr;
  while (next(end)) {
    if (contentLen < 0) continue;
    if (number == 1) matches = equal(content, contentLen, name.ptr, name.len);
    else if (number == 2) {
      foundPtr = content;
      foundLen = contentLen;
    }
  }
  return matches;
}

/** Finds a field of a kind in a Value: 3 for a text, 5 for a Struct, 6 for a list. */
function unwrap(kind: u32): bool {
  const end = foundPtr + <usize>foundLen;
  at = foundPtr;
  let found = false;
  while (next(end)) {
    // of a oneof, the last one counts
    found = number == kind && contentLen >= 0;
    if (!found) continue;
    foundPtr = content;
    foundLen = contentLen;
    // a scalar or message that is alone needs no further look
    if (at >= end) return true;
  }
  return found;
}

/** The text or list that `findMetadata` found. */
export let metadataPtr: usize = 0;
export let metadataLen: i32 = 0;
export let metadataIsList: bool = false;

/**
 * Finds the value at a path: first the filter, then keys. False if there is none, or if it is neither a text nor a
 * list. A list is read with `startList` and `nextText`.
 */
export function findMetadata(ptr: usize, len: i32, filter: Name, path: Name): bool {
  if (!entry(ptr, len, filter)) return false;
  for (let name: Name | null = path; name; name = name!.next) {
    if (!entry(foundPtr, foundLen, name)) return false;
    if (name.next && !unwrap(5)) return false;
  }
  const value = foundPtr;
  const valueLen = foundLen;
  metadataIsList = false;
  if (!unwrap(3)) {
    foundPtr = value;
    foundLen = valueLen;
    metadataIsList = unwrap(6);
    if (!metadataIsList) return false;
  }
  metadataPtr = foundPtr;
  metadataLen = foundLen;
  return true;
}

/** Reads the list of `len` bytes at `ptr` from its start. */
let listAt: usize = 0;
let listEnd: usize = 0;

export function startList(ptr: usize, len: i32): void {
  listAt = ptr;
  listEnd = ptr + <usize>len;
}

/** Finds the next text of the list; see `metadataPtr`. False at its end. */
export function nextText(): bool {
  while (listAt < listEnd) {
    at = listAt;
    if (!next(listEnd)) return false;
    listAt = at;
    if (number != 1 || contentLen < 0) continue;
    foundPtr = content;
    foundLen = contentLen;
    if (!unwrap(3)) continue;
    metadataPtr = foundPtr;
    metadataLen = foundLen;
    return true;
  }
  return false;
}
