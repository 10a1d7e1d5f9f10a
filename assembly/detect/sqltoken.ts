/**
 * libinjection's view of SQL, first half: from bytes to tokens.
 *
 * The tokenizer reads one token at a time, as some database would if the input stood where an attacker
 * wants it: bare, after an open single quote, or after an open double quote. What a token is, is a
 * letter, libinjection's own (the fingerprints are written in them).
 */
import { isAlpha, isDigit, isHex, lower } from "../bytes/ascii";
import { find, indexOf, isTextFold } from "../bytes/span";
import { lookUp, SQL } from "./words";

export const KEYWORD: u8 = 0x6b; // k
export const UNION: u8 = 0x55; // U
export const GROUP: u8 = 0x42; // B
export const EXPRESSION: u8 = 0x45; // E
export const SQLTYPE: u8 = 0x74; // t
export const FUNCTION: u8 = 0x66; // f
export const BAREWORD: u8 = 0x6e; // n
export const NUMBER: u8 = 0x31; // 1
export const VARIABLE: u8 = 0x76; // v
export const STRING: u8 = 0x73; // s
export const OPERATOR: u8 = 0x6f; // o
export const LOGIC: u8 = 0x26; // &
export const COMMENT: u8 = 0x63; // c
export const COLLATE: u8 = 0x41; // A
export const LEFT_PAREN: u8 = 0x28;
export const RIGHT_PAREN: u8 = 0x29;
export const LEFT_BRACE: u8 = 0x7b;
export const RIGHT_BRACE: u8 = 0x7d;
export const DOT: u8 = 0x2e;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
export const SEMICOLON: u8 = 0x3b;
export const TSQL: u8 = 0x54; // T
export const UNKNOWN: u8 = 0x3f; // ?
export const EVIL: u8 = 0x58; // X
export const BACKSLASH: u8 = 0x5c;

/** How the input is read. */
export const QUOTE_NONE: i32 = 1;
export const QUOTE_SINGLE: i32 = 2;
export const QUOTE_DOUBLE: i32 = 4;
export const ANSI: i32 = 8;
export const MYSQL: i32 = 16;

/** Bytes of its text that a token keeps. */
const TOKEN_MAX: i32 = 31;

@unmanaged
export class Token {
  /** One of the letters above, 0 for none. */
  type: u8;
  /** Quote that opened a string or quoted name, 0 for none or an assumed one. */
  open: u8;
  /** Quote that closed it, 0 if the input ended first. */
  close: u8;
  /** VARIABLE: number of leading `@`. */
  count: u8;
  /** Bytes kept in `text`. */
  len: i32;
  /** Offset in the input. */
  pos: i32;
  /** First 31 bytes of the token, inline. */
  private t0: u64;
  private t1: u64;
  private t2: u64;
  private t3: u64;
  private t4: u64;

  get text(): usize {
    return changetype<usize>(this) + offsetof<Token>("t0");
  }

  at(i: i32): u8 {
    return load<u8>(this.text + i);
  }

  clear(): void {
    const at = changetype<usize>(this);
    const zero = i64x2.splat(0);
    v128.store(at, zero);
    v128.store(at, zero, 16);
    v128.store(at, zero, 32);
  }

  copyFrom(other: Token): void {
    const to = changetype<usize>(this);
    const from = changetype<usize>(other);
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
  }

  assign(type: u8, pos: i32, len: i32, from: usize): void {
    const kept = min(len, TOKEN_MAX);
    this.type = type;
    this.pos = pos;
    this.len = kept;
    const to = this.text;
    let i = 0;
    for (; i + 8 <= kept; i += 8) store<u64>(to + i, load<u64>(from + i));
    for (; i < kept; i++) store<u8>(to + i, load<u8>(from + i));
  }

  /** True if the text is `word`, given in lower case. */
  is(word: string): bool {
    return isTextFold(this.text, this.len, word);
  }

  isUnary(): bool {
    if (this.type != OPERATOR) return false;
    const first = this.at(0);
    if (this.len == 1) return first == 0x2b || first == 0x2d || first == 0x21 || first == 0x7e;
    if (this.len == 2) return first == 0x21 && this.at(1) == 0x21;
    return this.is("not");
  }

  isArithmetic(): bool {
    if (this.type != OPERATOR || this.len != 1) return false;
    const c = this.at(0);
    return c == 0x2a || c == 0x2f || c == 0x2b || c == 0x2d || c == 0x25;
  }
}

/** Tokens held while folding: five of the fingerprint, what is being looked at, and the last comment. */
const TOKENS: i32 = 9;
const tokens: usize = memory.data(9 * 64);

/** Gives the i-th token. */
export function token(i: i32): Token {
  return changetype<Token>(tokens + <usize>i * offsetof<Token>());
}

let input: usize = 0;
let length: i32 = 0;
let position: i32 = 0;
let flags: i32 = 0;
let current: Token = changetype<Token>(0);

/** Comments of the form `--x`, which MySQL reads differently. */
export let dashComments: i32 = 0;
/** `#`, a comment in MySQL only. */
export let hashes: i32 = 0;
/** Tokens read. */
export let tokenCount: i32 = 0;

/** Starts reading `len` bytes at `ptr`. */
export function startTokens(ptr: usize, len: i32, how: i32): void {
  input = ptr;
  length = len;
  position = 0;
  flags = how;
  dashComments = 0;
  hashes = 0;
  tokenCount = 0;
  if (!ready) prepareWords();
  for (let i = 0; i < TOKENS; i++) token(i).clear();
}

/** Reads the next token into slot `slot`. False at the end. */
export function nextToken(slot: i32): bool {
  current = token(slot);
  current.clear();
  if (length == 0) return false;
  if (position == 0 && (flags & (QUOTE_SINGLE | QUOTE_DOUBLE)) != 0) {
    position = quoted(0, 0, (flags & QUOTE_SINGLE) != 0 ? 0x27 : 0x22);
    tokenCount++;
    return true;
  }
  while (position < length) {
    position = read(load<u8>(input + position));
    if (current.type != 0) {
      tokenCount++;
      return true;
    }
  }
  return false;
}

function at(i: i32): u8 {
  return i < length ? load<u8>(input + i) : 0;
}

function isWhite(c: u8): bool {
  return c == 0x20 || (c >= 0x09 && c <= 0x0d) || c == 0xa0 || c == 0;
}

/** Gives `length` bytes at the position the type, and the position after them. */
function take(type: u8, len: i32): i32 {
  current.assign(type, position, len, input + position);
  return position + len;
}

/** Reads what starts with `c`; gives the position after it. */
function read(c: u8): i32 {
  if (isDigit(c) || c == 0x2e) return readNumber();
  switch (c) {
    case 0x21: // !
    case 0x26: // &
    case 0x2a: // *
    case 0x3a: // :
    case 0x3c: // <
    case 0x3d: // =
    case 0x3e: // >
    case 0x7c: // |
      return operator();
    case 0x25: // %
    case 0x2b: // +
    case 0x5e: // ^
    case 0x7e: // ~
      return take(OPERATOR, 1);
    case 0x28:
    case 0x29:
    case 0x2c:
    case 0x3b:
    case 0x7b:
    case 0x7d:
      return take(c, 1);
    case 0x22:
    case 0x27:
      return quoted(position, 1, c);
    case 0x23:
      return hash();
    case 0x24:
      return money();
    case 0x2d:
      return dash();
    case 0x2f:
      return slash();
    case 0x3f:
    case 0x5d:
      return take(UNKNOWN, 1);
    case 0x40:
      return variable();
    case 0x5b:
      return bracketed();
    case 0x5c:
      return at(position + 1) == 0x4e ? take(NUMBER, 2) : take(BACKSLASH, 1);
    case 0x60:
      return ticked();
    case 0x7f:
    case 0xa0:
      return position + 1;
  }
  if (c <= 0x20) return position + 1;
  return prefixed(lower(c));
}

/** Reads a word, or one of the literals that start with a letter and a quote. */
function prefixed(letter: u8): i32 {
  const quote = at(position + 1) == 0x27 && position + 2 < length;
  switch (letter) {
    case 0x62: // b'0101'
      return quote ? quotedDigits(true) : word();
    case 0x78: // x'4141'
      return quote ? quotedDigits(false) : word();
    case 0x65: // e'...'
      return quote ? quoted(position, 2, 0x27) : word();
    case 0x6e: // n'...', nq'(...)'
      return quote ? quoted(position, 2, 0x27) : oracle(1);
    case 0x71: // q'(...)'
      return oracle(0);
    case 0x75: // u&'...'
      return unicodeString();
  }
  return word();
}

function quotedDigits(binary: bool): i32 {
  let i = position + 2;
  while (i < length && (binary ? at(i) == 0x30 || at(i) == 0x31 : isHex(at(i)))) i++;
  if (i >= length || at(i) != 0x27) return word();
  return take(NUMBER, i + 1 - position);
}

function unicodeString(): i32 {
  if (position + 2 >= length || at(position + 1) != 0x26 || at(position + 2) != 0x27) return word();
  position += 2;
  const end = quoted(position, 1, 0x27);
  current.open = 0x75;
  if (current.close == 0x27) current.close = 0x75;
  return end;
}

/** Reads Oracle's `q'<...>'`, whose delimiter is chosen by the writer. */
function oracle(offset: i32): i32 {
  const start = position + offset;
  if (start >= length || lower(at(start)) != 0x71 || start + 2 >= length || at(start + 1) != 0x27) return word();
  let delimiter = at(start + 2);
  if (delimiter < 33) return word();
  if (delimiter == 0x28) delimiter = 0x29;
  else if (delimiter == 0x5b) delimiter = 0x5d;
  else if (delimiter == 0x7b) delimiter = 0x7d;
  else if (delimiter == 0x3c) delimiter = 0x3e;
  let i = start + 3;
  while (i + 1 < length && !(at(i) == delimiter && at(i + 1) == 0x27)) i++;
  const closed = i + 1 < length;
  const end = closed ? i : length;
  current.assign(STRING, start + 3, max(0, end - (start + 3)), input + start + 3);
  current.open = 0x71;
  current.close = closed ? 0x71 : 0;
  return closed ? i + 2 : length;
}

/**
 * Reads a string from `start + offset` up to a `quote` that is neither doubled nor behind an odd number
 * of backslashes. An offset of 0 means that the opening quote is assumed.
 */
function quoted(start: i32, offset: i32, quote: u8): i32 {
  current.open = offset > 0 ? quote : 0;
  const from = start + offset;
  let i = from;
  while (true) {
    i = indexOf(input, length, quote, i);
    if (i < 0) {
      current.assign(STRING, from, length - from, input + from);
      current.close = 0;
      return length;
    }
    if (isEscaped(from, i)) i++;
    else if (i + 1 < length && at(i + 1) == quote) i += 2;
    else break;
  }
  current.assign(STRING, from, i - from, input + from);
  current.close = quote;
  return i + 1;
}

function isEscaped(from: i32, i: i32): bool {
  let count = 0;
  while (i - 1 - count >= from && at(i - 1 - count) == 0x5c) count++;
  return (count & 1) == 1;
}

function toEndOfLine(): i32 {
  const end = indexOf(input, length, 0x0a, position);
  if (end < 0) return take(COMMENT, length - position);
  return take(COMMENT, end - position) + 1;
}

function hash(): i32 {
  hashes++;
  if ((flags & MYSQL) == 0) return take(OPERATOR, 1);
  hashes++;
  return toEndOfLine();
}

function dash(): i32 {
  if (at(position + 1) == 0x2d && position + 1 < length) {
    if (position + 2 == length || isWhite(at(position + 2))) return toEndOfLine();
    if ((flags & ANSI) != 0) {
      dashComments++;
      return toEndOfLine();
    }
  }
  return take(OPERATOR, 1);
}

/** Reads `/` or a C comment; a nested or MySQL-conditional one has no honest use. */
function slash(): i32 {
  if (at(position + 1) != 0x2a) return take(OPERATOR, 1);
  let end = -1;
  let nested = false;
  for (let i = position + 2; i + 1 < length; i++) {
    if (at(i) == 0x2a && at(i + 1) == 0x2f) {
      end = i;
      break;
    }
    if (at(i) == 0x2f && at(i + 1) == 0x2a) nested = true;
  }
  const conditional = at(position + 2) == 0x21;
  const evil = conditional || (end >= 0 && nested);
  return take(evil ? EVIL : COMMENT, end < 0 ? length - position : end + 2 - position);
}

function operator(): i32 {
  if (position + 1 >= length) return take(OPERATOR, 1);
  if (at(position) == 0x3c && at(position + 1) == 0x3d && at(position + 2) == 0x3e) return take(OPERATOR, 3);
  const type = lookUp(SQL, input + position, 2);
  if (type != 0) return take(type, 2);
  return take(at(position) == 0x3a ? COLON : OPERATOR, 1);
}

function bracketed(): i32 {
  const end = indexOf(input, length, 0x5d, position);
  return take(BAREWORD, end < 0 ? length - position : end + 1 - position);
}

/** What each byte is to a word: ENDS, GLUES for those that may join a keyword to what follows it, or 0; filled when first needed. */
const inWord: usize = memory.data(256);
const ENDS: u8 = 1;
const GLUES: u8 = 2;
let ready: bool = false;

function prepareWords(): void {
  ready = true;
  for (let c = 0; c < 256; c++) if (endsWord(<u8>c)) store<u8>(inWord + <usize>c, ENDS);
  store<u8>(inWord + 0x2e, GLUES);
  store<u8>(inWord + 0x60, GLUES);
}

/** Bytes that end a word. */
function endsWord(c: u8): bool {
  if (isAlpha(c) || isDigit(c)) return false;
  if (c >= 0x80) return c == 0xa0;
  return !(c == 0x24 || c == 0x2e || c == 0x5f || c == 0x60 || (c < 0x20 && c != 0 && !(c >= 9 && c <= 13)) || c == 0x7f);
}

/** Bytes that end a variable's name. */
function endsVariable(c: u8): bool {
  if (c == 0x60) return true;
  if (c == 0x5b || c == 0x5d || c == 0x7b || c == 0x7d || c == 0 || c == 0xa0) return false;
  return endsWord(c);
}

function word(): i32 {
  const from = input + <usize>position;
  const most = length - position;
  let n = 0;
  let kinds: u8 = 0;
  for (; n < most; n++) {
    const kind = load<u8>(inWord + <usize>load<u8>(from + n));
    if (kind == ENDS) break;
    kinds |= kind;
  }
  take(BAREWORD, n);
  return kinds != 0 ? glued(n) : plainWord(n);
}

/** Reads a word of `n` bytes with a dot or a backtick in it, which may join a keyword to what follows. */
function glued(n: i32): i32 {
  for (let i = 0; i < current.len; i++) {
    if (load<u8>(inWord + <usize>current.at(i)) != GLUES) continue;
    const type = lookUp(SQL, current.text, i);
    if (type != 0 && type != BAREWORD) {
      current.clear();
      return take(type, i);
    }
  }
  return plainWord(n);
}

function plainWord(n: i32): i32 {
  if (n <= TOKEN_MAX) {
    const type = lookUp(SQL, current.text, n);
    current.type = type == 0 ? BAREWORD : type;
  }
  return position + n;
}

function variable(): i32 {
  let start = position + 1;
  let count: u8 = 1;
  if (start < length && at(start) == 0x40) {
    start++;
    count = 2;
  }
  let end: i32;
  const c = at(start);
  if (start < length && (c == 0x60 || c == 0x27 || c == 0x22)) {
    position = start;
    end = c == 0x60 ? ticked() : quoted(start, 1, c);
    current.type = VARIABLE;
  } else {
    end = start;
    while (end < length && !endsVariable(at(end))) end++;
    current.assign(VARIABLE, start, end - start, input + start);
  }
  current.count = count;
  return end;
}

function ticked(): i32 {
  const end = quoted(position, 1, 0x60);
  current.type = lookUp(SQL, current.text, current.len) == FUNCTION ? FUNCTION : BAREWORD;
  return end;
}

/** Reads `$`: a money literal, PostgreSQL's `$$...$$` and `$tag$...$tag$`, or a bare word. */
function money(): i32 {
  let n = 0;
  while (position + 1 + n < length && (isDigit(at(position + 1 + n)) || at(position + 1 + n) == 0x2e || at(position + 1 + n) == 0x2c)) n++;
  if (n == 1 && at(position + 1) == 0x2e) return word();
  if (n > 0) return take(NUMBER, n + 1);
  if (at(position + 1) == 0x24) return dollarString(2);
  while (position + 1 + n < length && isTagLetter(at(position + 1 + n))) n++;
  if (n == 0 || at(position + n + 1) != 0x24) return take(BAREWORD, 1);
  return dollarString(n + 2);
}

/** libinjection's alphabet of tags has no `i`: kept, since fingerprints are learned with it. */
function isTagLetter(c: u8): bool {
  return isAlpha(c) && c != 0x69;
}

/** Reads a string between two equal tags of `tagLen` bytes, the first at the position. */
function dollarString(tagLen: i32): i32 {
  const from = position + tagLen;
  const end = findTag(from, tagLen);
  current.assign(STRING, from, (end < 0 ? length : end) - from, input + from);
  current.open = 0x24;
  current.close = end < 0 ? 0 : 0x24;
  return end < 0 ? length : end + tagLen;
}

/** Gives where the tag occurs again, or -1. Its inside has no `$`, so the search is linear. */
function findTag(from: i32, tagLen: i32): i32 {
  const i = find(input + from, length - from, input + position, tagLen);
  return i < 0 ? -1 : from + i;
}

function digitsFrom(i: i32): i32 {
  while (i < length && isDigit(at(i))) i++;
  return i;
}

function readNumber(): i32 {
  const marker = lower(at(position + 1));
  if (at(position) == 0x30 && (marker == 0x78 || marker == 0x62)) {
    let i = position + 2;
    while (i < length && (marker == 0x78 ? isHex(at(i)) : at(i) == 0x30 || at(i) == 0x31)) i++;
    return take(i == position + 2 ? BAREWORD : NUMBER, i - position);
  }
  let end = digitsFrom(position);
  if (at(end) == 0x2e && end < length) {
    end = digitsFrom(end + 1);
    if (end - position == 1) return take(DOT, 1);
  }
  let exponent = true;
  if (end < length && lower(at(end)) == 0x65) {
    end++;
    if (at(end) == 0x2b || at(end) == 0x2d) end++;
    const first = end;
    end = digitsFrom(end);
    exponent = end > first;
  }
  return take(exponent ? NUMBER : BAREWORD, oracleSuffix(end) - position);
}

/** Takes Oracle's `d` or `f` after a number where it can be one. */
function oracleSuffix(end: i32): i32 {
  const c = lower(at(end));
  if (end >= length || (c != 0x64 && c != 0x66)) return end;
  const next = at(end + 1);
  if (end + 1 == length || isWhite(next) || next == 0x3b || lower(next) == 0x75) return end + 1;
  return end;
}
