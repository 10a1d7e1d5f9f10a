/** Reads what the gateway found from its header, see format.ts. All of it is well formed, or none of it counts. */
import { Arena } from "../bytes/arena";
import { hexByte, isDigit, isHex } from "../bytes/ascii";
import { isText, isUnsigned, parsedInt } from "../bytes/span";
import { MAX_FINDINGS } from "./format";

// What `readFindings` read; a length of 0, and -1 for the score, where it is not there.
export let inspectedPtr: usize = 0;
export let inspectedLen: i32 = 0;
export let score: i64 = -1;
/** The ids, separated by blanks. */
export let rulesPtr: usize = 0;
export let rulesLen: i32 = 0;
export let moreRules: bool = false;
export let clientPtr: usize = 0;
export let clientLen: i32 = 0;
export let userPtr: usize = 0;
export let userLen: i32 = 0;

let at: usize = 0;
let end: usize = 0;

// The value that `value` read: its kind, and its text without what encloses it.
let kind: i32 = 0;
let valuePtr: usize = 0;
let valueLen: i32 = 0;

const V_TRUE: i32 = 0;
const V_NUMBER: i32 = 1;
const V_TOKEN: i32 = 2;
const V_STRING: i32 = 3;
/** A display string, its bytes still encoded. */
const V_DISPLAY: i32 = 4;
const V_LIST: i32 = 5;

/** Reads the header's value. False if it is malformed. A user's name is decoded into `arena`. */
export function readFindings(arena: Arena, ptr: usize, len: i32): bool {
  reset();
  if (len > MAX_FINDINGS) return false;
  at = ptr;
  end = ptr + <usize>len;
  while (true) {
    const key = at;
    while (at < end && isKey(load<u8>(at))) at++;
    const keyLen = <i32>(at - key);
    if (keyLen == 0 || !valueOfKey() || !take(arena, key, keyLen)) return false;
    if (at == end) return true;
    if (load<u8>(at) != 0x2c) return false;
    at++;
    while (at < end && load<u8>(at) == 0x20) at++;
  }
}

function reset(): void {
  inspectedLen = 0;
  score = -1;
  rulesLen = 0;
  moreRules = false;
  clientLen = 0;
  userLen = 0;
}

/** Lower-case letters, digits, `_`, `-`, `.` and `*`. */
function isKey(c: u8): bool {
  return (c >= 0x61 && c <= 0x7a) || isDigit(c) || c == 0x5f || c == 0x2d || c == 0x2e || c == 0x2a;
}

/** A key without a value is true. */
function valueOfKey(): bool {
  kind = V_TRUE;
  if (at == end || load<u8>(at) != 0x3d) return true;
  at++;
  if (at == end) return false;
  return load<u8>(at) == 0x28 ? list() : value();
}

/** An inner list: values between parentheses, separated by blanks. */
function list(): bool {
  at++;
  const start = at;
  while (at < end && load<u8>(at) != 0x29) {
    if (load<u8>(at) == 0x20) at++;
    else if (!value()) return false;
  }
  if (at == end) return false;
  kind = V_LIST;
  valuePtr = start;
  valueLen = <i32>(at - start);
  at++;
  return true;
}

function value(): bool {
  const first = load<u8>(at);
  if (first == 0x22) {
    kind = V_STRING;
    return quoted();
  }
  if (first == 0x25) {
    at++;
    kind = V_DISPLAY;
    return at < end && load<u8>(at) == 0x22 && quoted();
  }
  kind = isDigit(first) || first == 0x2d ? V_NUMBER : V_TOKEN;
  valuePtr = at;
  // a token or number ends where a list, a dictionary or the value does
  while (at < end && load<u8>(at) > 0x20 && load<u8>(at) < 0x7f && !ends(load<u8>(at))) at++;
  valueLen = <i32>(at - valuePtr);
  return valueLen > 0;
}

function ends(c: u8): bool {
  return c == 0x2c || c == 0x28 || c == 0x29 || c == 0x22 || c == 0x3d || c == 0x3b;
}

/** Text between quotes, without the escapes of a string: what is written needs none. */
function quoted(): bool {
  at++;
  valuePtr = at;
  while (at < end && load<u8>(at) != 0x22) {
    const c = load<u8>(at);
    if (c < 0x20 || c >= 0x7f || (c == 0x5c && kind == V_STRING)) return false;
    at++;
  }
  if (at == end) return false;
  valueLen = <i32>(at - valuePtr);
  at++;
  return true;
}

/** Keeps the value of a key that is known. False if it is of another kind. */
function take(arena: Arena, key: usize, len: i32): bool {
  if (isText(key, len, "inspected")) {
    inspectedPtr = valuePtr;
    inspectedLen = valueLen;
    return kind == V_TOKEN;
  }
  if (isText(key, len, "score")) {
    if (kind != V_NUMBER || !isUnsigned(valuePtr, valueLen)) return false;
    score = parsedInt;
    return true;
  }
  if (isText(key, len, "rules")) {
    rulesPtr = valuePtr;
    rulesLen = valueLen;
    return kind == V_LIST;
  }
  if (isText(key, len, "more")) {
    moreRules = true;
    return kind == V_TRUE;
  }
  if (isText(key, len, "client")) {
    clientPtr = valuePtr;
    clientLen = valueLen;
    return kind == V_STRING;
  }
  return !isText(key, len, "user") || (kind == V_DISPLAY && decodeUser(arena));
}

/** Decodes a display string: `%` and two lower-case hex digits are a byte. */
function decodeUser(arena: Arena): bool {
  userPtr = arena.reserve(<usize>valueLen);
  userLen = 0;
  for (let i = 0; i < valueLen; i++) {
    let c = load<u8>(valuePtr + i);
    if (c == 0x25) {
      if (i + 2 >= valueLen || !isHex(load<u8>(valuePtr + i + 1)) || !isHex(load<u8>(valuePtr + i + 2))) return false;
      c = hexByte(valuePtr + i + 1);
      i += 2;
    }
    store<u8>(userPtr + userLen, c);
    userLen++;
  }
  return true;
}
