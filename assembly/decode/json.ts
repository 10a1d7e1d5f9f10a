/**
 * A pull parser for JSON (RFC 8259): one call gives one token. It neither recurses nor allocates, but for
 * strings with escapes, which are decoded into the arena. The nesting it stands in is kept as one bit a
 * level.
 */
import { Arena } from "../bytes/arena";
import { hexValue, isDigit, isHex } from "../bytes/ascii";
import { BLOCK } from "../bytes/simd";
import { encode } from "../bytes/utf8";

export const J_END: i32 = 0;
export const J_ERROR: i32 = 1;
export const J_OBJECT: i32 = 2;
export const J_OBJECT_END: i32 = 3;
export const J_ARRAY: i32 = 4;
export const J_ARRAY_END: i32 = 5;
export const J_KEY: i32 = 6;
export const J_STRING: i32 = 7;
export const J_NUMBER: i32 = 8;
export const J_TRUE: i32 = 9;
export const J_FALSE: i32 = 10;
export const J_NULL: i32 = 11;

/** Levels that can be told apart; deeper is an error whatever the limit. */
export const MAX_DEPTH: i32 = 8192;

/** Text of the last key, string or number. */
export let jsonPtr: usize = 0;
export let jsonLen: i32 = 0;
/** Offset of the last token or error in bytes. */
export let jsonAt: i32 = 0;
/** What was wrong. */
export let jsonError: string = "";
/** Levels around the next token. */
export let jsonDepth: i32 = 0;

const WANT_VALUE: i32 = 0;
const WANT_VALUE_OR_END: i32 = 1;
const WANT_KEY: i32 = 2;
const WANT_KEY_OR_END: i32 = 3;
const WANT_COMMA: i32 = 4;
const WANT_NOTHING: i32 = 5;

let arena: Arena = changetype<Arena>(0);
let text: usize = 0;
let length: i32 = 0;
let at: i32 = 0;
let want: i32 = 0;
let depthLimit: i32 = 0;
/** One bit a level: 1 for an object. */
const levels: usize = memory.data(1024);

/** Starts reading `len` bytes at `ptr`, at most `limit` levels deep. */
export function startJson(target: Arena, ptr: usize, len: i32, limit: i32): void {
  arena = target;
  text = ptr;
  length = len;
  at = 0;
  want = WANT_VALUE;
  jsonDepth = 0;
  jsonError = "";
  depthLimit = min(limit, MAX_DEPTH);
}

function error(message: string): i32 {
  jsonError = message;
  jsonAt = at;
  return J_ERROR;
}

function inObject(): bool {
  const level = jsonDepth - 1;
  return ((load<u8>(levels + (level >> 3)) >> (<u8>level & 7)) & 1) != 0;
}

function skipSpace(): void {
  while (at < length) {
    const c = load<u8>(text + at);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return;
    at++;
  }
}

/** Reads the next token. */
export function nextJson(): i32 {
  skipSpace();
  jsonAt = at;
  if (at >= length) return want == WANT_NOTHING ? J_END : error("unexpected end");
  const c = load<u8>(text + at);
  if (want == WANT_NOTHING) return error("text after the end of the value");
  if (want == WANT_COMMA) {
    if (c == 0x7d || c == 0x5d) return close(c);
    if (c != 0x2c) return error("expected a comma or the end");
    at++;
    want = inObject() ? WANT_KEY : WANT_VALUE;
    return nextJson();
  }
  if (want == WANT_KEY_OR_END && c == 0x7d) return close(c);
  if (want == WANT_VALUE_OR_END && c == 0x5d) return close(c);
  return want == WANT_KEY || want == WANT_KEY_OR_END ? key(c) : value(c);
}

function close(c: u8): i32 {
  if (inObject() != (c == 0x7d)) return error("bracket that closes another kind");
  at++;
  jsonDepth--;
  want = jsonDepth == 0 ? WANT_NOTHING : WANT_COMMA;
  return c == 0x7d ? J_OBJECT_END : J_ARRAY_END;
}

function key(c: u8): i32 {
  if (c != 0x22) return error("expected a key in double quotes");
  if (!readString()) return J_ERROR;
  skipSpace();
  if (at >= length || load<u8>(text + at) != 0x3a) return error("expected a colon");
  at++;
  want = WANT_VALUE;
  return J_KEY;
}

function open(object: bool): i32 {
  if (jsonDepth >= depthLimit) return error("nested too deep");
  const bits = levels + (jsonDepth >> 3);
  const mask: u8 = 1 << (<u8>jsonDepth & 7);
  store<u8>(bits, object ? load<u8>(bits) | mask : load<u8>(bits) & ~mask);
  jsonDepth++;
  at++;
  want = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
  return object ? J_OBJECT : J_ARRAY;
}

function value(c: u8): i32 {
  if (c == 0x7b) return open(true);
  if (c == 0x5b) return open(false);
  want = jsonDepth == 0 ? WANT_NOTHING : WANT_COMMA;
  if (c == 0x22) return readString() ? J_STRING : J_ERROR;
  if (c == 0x2d || isDigit(c)) return readNumber() ? J_NUMBER : J_ERROR;
  if (word("true")) return J_TRUE;
  if (word("false")) return J_FALSE;
  return word("null") ? J_NULL : error("expected a value");
}

function word(text16: string): bool {
  const n = text16.length;
  if (at + n > length) return false;
  for (let i = 0; i < n; i++) if (<i32>load<u8>(text + at + i) != text16.charCodeAt(i)) return false;
  jsonPtr = text + at;
  jsonLen = n;
  at += n;
  return true;
}

function digits(): bool {
  const start = at;
  while (at < length && isDigit(load<u8>(text + at))) at++;
  return at > start;
}

function readNumber(): bool {
  const start = at;
  if (load<u8>(text + at) == 0x2d) at++;
  const zero = at < length && load<u8>(text + at) == 0x30;
  const first = at;
  let ok = digits() && !(zero && at - first > 1);
  if (ok && at < length && load<u8>(text + at) == 0x2e) {
    at++;
    ok = digits();
  }
  if (ok && at < length && (load<u8>(text + at) | 0x20) == 0x65) {
    at++;
    if (at < length && (load<u8>(text + at) == 0x2b || load<u8>(text + at) == 0x2d)) at++;
    ok = digits();
  }
  jsonPtr = text + start;
  jsonLen = at - start;
  if (!ok) error("malformed number");
  return ok;
}

/** True if a block has neither a quote nor a backslash nor a control character. */
function isPlain(ptr: usize): bool {
  const block = v128.load(ptr);
  const quote = i8x16.eq(block, i8x16.splat(0x22));
  const backslash = i8x16.eq(block, i8x16.splat(0x5c));
  return !v128.any_true(v128.or(v128.or(quote, backslash), i8x16.lt_u(block, i8x16.splat(0x20))));
}

/** Reads a string. Without escapes it stays where it is. */
function readString(): bool {
  const start = ++at;
  while (at < length) {
    while (at + BLOCK <= length && isPlain(text + at)) at += BLOCK;
    if (at == length) break;
    const c = load<u8>(text + at);
    if (c == 0x22) {
      jsonPtr = text + start;
      jsonLen = at - start;
      at++;
      return true;
    }
    if (c == 0x5c) return escapedString(start);
    if (c < 0x20) {
      error("control character in a string");
      return false;
    }
    at++;
  }
  error("unterminated string");
  return false;
}

function escapedString(start: i32): bool {
  let end = at;
  // room for the longest result: decoding never makes a string longer
  while (end < length && load<u8>(text + end) != 0x22) end += load<u8>(text + end) == 0x5c ? 2 : 1;
  const out = arena.reserve(<usize>(min(end, length) - start + 4));
  memory.copy(out, text + start, <usize>(at - start));
  let to = out + (at - start);
  while (at < length) {
    const c = load<u8>(text + at);
    if (c == 0x22) {
      at++;
      arena.trim(to);
      jsonPtr = out;
      jsonLen = <i32>(to - out);
      return true;
    }
    if (c < 0x20) break;
    if (c != 0x5c) {
      store<u8>(to++, c);
      at++;
      continue;
    }
    const n = escape(to);
    if (n == 0) break;
    to += n;
  }
  error(at >= length ? "unterminated string" : "malformed escape or control character in a string");
  return false;
}

/** Decodes the escape at the position into `out`. Gives the bytes written, 0 if it is malformed. */
function escape(out: usize): i32 {
  if (at + 1 >= length) {
    at = length;
    return 0;
  }
  const c = load<u8>(text + at + 1);
  if (c == 0x75) return unicodeEscape(out);
  at += 2;
  switch (c) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      store<u8>(out, c);
      return 1;
    case 0x62:
      store<u8>(out, 0x08);
      return 1;
    case 0x66:
      store<u8>(out, 0x0c);
      return 1;
    case 0x6e:
      store<u8>(out, 0x0a);
      return 1;
    case 0x72:
      store<u8>(out, 0x0d);
      return 1;
    case 0x74:
      store<u8>(out, 0x09);
      return 1;
  }
  at -= 2;
  return 0;
}

function unit(i: i32): i32 {
  if (i + 6 > length || load<u8>(text + i) != 0x5c || load<u8>(text + i + 1) != 0x75) return -1;
  let value = 0;
  for (let k = i + 2; k < i + 6; k++) {
    if (!isHex(load<u8>(text + k))) return -1;
    value = (value << 4) | hexValue(load<u8>(text + k));
  }
  return value;
}

/** A lone surrogate becomes U+FFFD, as in every lenient parser. */
function unicodeEscape(out: usize): i32 {
  const high = unit(at);
  if (high < 0) return 0;
  at += 6;
  if (high < 0xd800 || high > 0xdfff) return encode(out, <u32>high);
  const low = high < 0xdc00 ? unit(at) : -1;
  if (low < 0xdc00 || low > 0xdfff) return encode(out, 0xfffd);
  at += 6;
  return encode(out, <u32>(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
}
