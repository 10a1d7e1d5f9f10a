/**
 * From the text of a regular expression to its tree.
 *
 * The syntax is RE2's (https://github.com/google/re2/wiki/Syntax) over bytes: `.`, classes and `\xHH`
 * mean bytes. A character of the pattern outside ASCII means its UTF-8 bytes, and in a class one of
 * several byte sequences; a negated class excludes its ASCII members only and takes any other byte.
 * Case folding is ASCII's. `\p{..}`, backreferences and look-around are errors: the first is not used
 * by the rules this engine exists for, the others cannot be matched in linear time.
 */
import { Arena } from "../../bytes/arena";
import { hexValue, isAlnum, isDigit, isHex, lower } from "../../bytes/ascii";
import { startsWithTextFold } from "../../bytes/span";
import { codePoint, decode, encode } from "../../bytes/utf8";
import { SET_BYTES, setAdd, setAddRange, setFold, setNegate, setUnion } from "../byteset";
import {
  ALTERNATE,
  ASSERT,
  BEGIN_LINE,
  BEGIN_TEXT,
  CAPTURE,
  CONCAT,
  EMPTY,
  END_LINE,
  END_TEXT,
  NOT_WORD_BOUNDARY,
  Node,
  REPEAT,
  SET,
  UNBOUNDED,
  WORD_BOUNDARY,
} from "./ast";

/** Groups within groups: keeps the recursion of parser and compiler far below the host's stack. */
const MAX_DEPTH: i32 = 200;
/** RE2's own limit for counted repetition. */
const MAX_REPEAT: i32 = 1000;
/** Code points outside ASCII that one class may name. */
const MAX_CLASS_RUNES: i32 = 256;

const FOLD: i32 = 1;
const DOT_ALL: i32 = 2;
const MULTI_LINE: i32 = 4;
const UNGREEDY: i32 = 8;

/** What was wrong with the last pattern, empty if nothing. */
export let parseError: string = "";
/** Offset in bytes into the pattern where that was found. */
export let parseErrorAt: i32 = 0;
/** Capture groups of the last pattern, the whole match not counted. */
export let captureCount: i32 = 0;

let arena: Arena = changetype<Arena>(0);
let text: usize = 0;
let length: i32 = 0;
let at: i32 = 0;
let flags: i32 = 0;
let depth: i32 = 0;
/** True between `\Q` and `\E`. */
let quoting: bool = false;

/** Parses `len` bytes at `ptr` with `.` matching newlines, as SecLang has it. Null: see `parseError`. */
export function parse(scratch: Arena, ptr: usize, len: i32): Node | null {
  arena = scratch;
  text = ptr;
  length = len;
  at = 0;
  depth = 0;
  flags = DOT_ALL;
  quoting = false;
  captureCount = 0;
  parseError = "";
  const node = parseAlternation();
  if (parseError == "" && at < length) fail("unexpected )");
  return parseError == "" ? node : null;
}

function fail(message: string): Node {
  if (parseError == "") {
    parseError = message;
    parseErrorAt = at;
  }
  at = length;
  return Node.of(arena, EMPTY);
}

function peek(ahead: i32 = 0): u8 {
  return at + ahead < length ? load<u8>(text + at + ahead) : 0;
}

function parseAlternation(): Node {
  const first = parseConcatenation();
  if (at >= length || peek() != 0x7c) return first;
  const node = Node.of(arena, ALTERNATE);
  node.append(first);
  while (at < length && peek() == 0x7c) {
    at++;
    node.append(parseConcatenation());
  }
  return node;
}

function parseConcatenation(): Node {
  const node = Node.of(arena, CONCAT);
  while (at < length) {
    const c = peek();
    if (!quoting && (c == 0x7c || c == 0x29)) break;
    const atom = parseAtom();
    if (parseError != "") return node;
    if (atom) node.append(quoting && !endsQuoting() ? atom : parseRepetition(atom));
  }
  if (!node.child) return Node.of(arena, EMPTY);
  if (node.child == node.last) return node.child!;
  return node;
}

/** True if the quotation ends here; an operator after it then belongs to its last character. */
function endsQuoting(): bool {
  if (peek() != 0x5c || peek(1) != 0x45) return false;
  at += 2;
  quoting = false;
  return true;
}

/** Reads the operators after an atom: `*`, `+`, `?`, `{n,m}`, each with an optional lazy `?`. */
function parseRepetition(atom: Node): Node {
  let node = atom;
  let operators = 0;
  while (at < length) {
    const c = peek();
    let low = 0;
    let high = UNBOUNDED;
    const start = at;
    if (c == 0x2a) at++;
    else if (c == 0x2b) {
      low = 1;
      at++;
    } else if (c == 0x3f) {
      high = 1;
      at++;
    } else if (c == 0x7b && parseBounds()) {
      low = boundLow;
      high = boundHigh;
      if (low > MAX_REPEAT || high > MAX_REPEAT) return fail("repetition of more than 1000");
      if (high != UNBOUNDED && high < low) return fail("repetition whose maximum is below its minimum");
    } else break;
    if (++operators > 1 && c != 0x7b) {
      at = start;
      return fail("repetition operator after a repetition operator");
    }
    const repeat = Node.of(arena, REPEAT);
    repeat.min = low;
    repeat.max = high;
    repeat.greedy = (flags & UNGREEDY) == 0;
    if (peek() == 0x3f && at < length) {
      repeat.greedy = !repeat.greedy;
      at++;
    }
    repeat.append(node);
    node = repeat;
  }
  return node;
}

let boundLow: i32 = 0;
let boundHigh: i32 = 0;

/** Reads `{n}`, `{n,}` or `{n,m}`; anything else is a literal brace and nothing is consumed. */
function parseBounds(): bool {
  let i = at + 1;
  const lowEnd = skipDigits(i);
  if (lowEnd == i) return false;
  boundLow = digits(i, lowEnd);
  boundHigh = boundLow;
  i = lowEnd;
  if (i < length && load<u8>(text + i) == 0x2c) {
    i++;
    const highEnd = skipDigits(i);
    boundHigh = highEnd == i ? UNBOUNDED : digits(i, highEnd);
    i = highEnd;
  }
  if (i >= length || load<u8>(text + i) != 0x7d) return false;
  at = i + 1;
  return true;
}

function skipDigits(i: i32): i32 {
  while (i < length && isDigit(load<u8>(text + i))) i++;
  return i;
}

function digits(from: i32, to: i32): i32 {
  let value = 0;
  for (let i = from; i < to && value <= MAX_REPEAT; i++) value = value * 10 + (load<u8>(text + i) - 0x30);
  return value;
}

/** Reads one atom. Null where it is none: a flag group, or a mark of a quotation. */
function parseAtom(): Node | null {
  const c = peek();
  if (quoting) return parseQuoted(c);
  switch (c) {
    case 0x28: // (
      return parseGroup();
    case 0x5b: // [
      return parseClass();
    case 0x2e: {
      // .
      at++;
      const node = byteSet();
      if ((flags & DOT_ALL) == 0) setAdd(node.set, 0x0a);
      setNegate(node.set);
      return node;
    }
    case 0x5e: // ^
      at++;
      return assertion((flags & MULTI_LINE) != 0 ? BEGIN_LINE : BEGIN_TEXT);
    case 0x24: // $
      at++;
      return assertion((flags & MULTI_LINE) != 0 ? END_LINE : END_TEXT);
    case 0x5c: // backslash
      return parseEscape();
    case 0x2a:
    case 0x2b:
    case 0x3f:
      return fail("repetition operator with nothing to repeat");
    default:
      return parseLiteral();
  }
}

/** Within `\Q...\E` every character stands for itself. */
function parseQuoted(c: u8): Node | null {
  if (c != 0x5c || peek(1) != 0x45) return parseLiteral();
  at += 2;
  quoting = false;
  return null;
}

function byteSet(): Node {
  const node = Node.of(arena, SET);
  node.set = arena.alloc(SET_BYTES);
  return node;
}

function assertion(kind: i32): Node {
  const node = Node.of(arena, ASSERT);
  node.index = kind;
  return node;
}

function byteNode(c: u8): Node {
  const node = byteSet();
  setAdd(node.set, c);
  if ((flags & FOLD) != 0) setFold(node.set);
  return node;
}

/** Reads a character that stands for itself: one byte, or the bytes of one UTF-8 character. */
function parseLiteral(): Node {
  const n = decode(text + at, length - at);
  if (n <= 1) {
    at++;
    return byteNode(load<u8>(text + at - 1));
  }
  at += n;
  return sequence(text + at - n, n);
}

/** Gives the bytes at `ptr`, one after another. */
function sequence(ptr: usize, n: i32): Node {
  const node = Node.of(arena, CONCAT);
  for (let i = 0; i < n; i++) {
    const byte = byteSet();
    setAdd(byte.set, load<u8>(ptr + i));
    node.append(byte);
  }
  return node;
}

function parseGroup(): Node | null {
  if (++depth > MAX_DEPTH) return fail("groups nested more than 200 deep");
  const outer = flags;
  at++;
  let capture = 0;
  if (peek() == 0x3f) {
    at++;
    const c = peek();
    if (c == 0x50 || c == 0x3c) {
      if (!skipGroupName()) return fail("look-behind or malformed group name: RE2 has (?P<name>...) and (?<name>...)");
      capture = ++captureCount;
    } else if (!parseFlags()) {
      return fail("unknown group: RE2 has (?:...), (?flags), (?flags:...) and (?P<name>...), and no look-around");
    } else if (peek() == 0x29) {
      at++;
      depth--;
      return null;
    } else at++;
  } else capture = ++captureCount;
  const inner = parseAlternation();
  if (parseError != "") return inner;
  if (at >= length) return fail("missing )");
  at++;
  depth--;
  flags = outer;
  if (capture == 0) return inner;
  const node = Node.of(arena, CAPTURE);
  node.index = capture;
  node.append(inner);
  return node;
}

function skipGroupName(): bool {
  if (peek() == 0x50) at++;
  if (peek() != 0x3c) return false;
  at++;
  const start = at;
  while (at < length && (isAlnum(peek()) || peek() == 0x5f)) at++;
  if (at == start || peek() != 0x3e) return false;
  at++;
  return true;
}

/** Reads the flags of `(?flags)` or `(?flags:`, up to the `)` or `:` and not past it. */
function parseFlags(): bool {
  let on = true;
  while (at < length) {
    const c = peek();
    let flag = 0;
    if (c == 0x29 || c == 0x3a) return true;
    if (c == 0x69) flag = FOLD;
    else if (c == 0x73) flag = DOT_ALL;
    else if (c == 0x6d) flag = MULTI_LINE;
    else if (c == 0x55) flag = UNGREEDY;
    else if (c == 0x2d && on) on = false;
    else return false;
    flags = on ? flags | flag : flags & ~flag;
    at++;
  }
  return false;
}

function parseEscape(): Node | null {
  const c = peek(1);
  if (at + 1 >= length) return fail("backslash at the end");
  switch (c) {
    case 0x62: // b
      at += 2;
      return assertion(WORD_BOUNDARY);
    case 0x42: // B
      at += 2;
      return assertion(NOT_WORD_BOUNDARY);
    case 0x41: // A
      at += 2;
      return assertion(BEGIN_TEXT);
    case 0x7a: // z
      at += 2;
      return assertion(END_TEXT);
    case 0x43: {
      // C
      at += 2;
      const any = byteSet();
      setNegate(any.set);
      return any;
    }
    case 0x51: // Q
      at += 2;
      quoting = true;
      return null;
  }
  const node = byteSet();
  if (addPerlClass(node.set, c)) {
    at += 2;
    return node;
  }
  const value = parseEscapedValue();
  if (value < 0) return fail("unknown escape: RE2 has \\d \\w \\s \\b \\A \\z \\x \\Q...\\E and escaped punctuation");
  if (value < 0x100) return byteNode(<u8>value);
  const encoded = arena.alloc(4);
  return sequence(encoded, encode(encoded, <u32>value));
}

/** Adds `\d`, `\D`, `\w`, `\W`, `\s` or `\S` to the set; false if the letter is none of them. */
function addPerlClass(set: usize, letter: u8): bool {
  const members = arena.alloc(SET_BYTES);
  switch (lower(letter)) {
    case 0x64: // d
      setAddRange(members, 0x30, 0x39);
      break;
    case 0x77: // w
      setAddRange(members, 0x30, 0x39);
      setAddRange(members, 0x41, 0x5a);
      setAddRange(members, 0x61, 0x7a);
      setAdd(members, 0x5f);
      break;
    case 0x73: // s: RE2 has no vertical tab here
      setAddRange(members, 0x09, 0x0a);
      setAddRange(members, 0x0c, 0x0d);
      setAdd(members, 0x20);
      break;
    default:
      return false;
  }
  if (letter < 0x61) setNegate(members);
  setUnion(set, members);
  return true;
}

/**
 * Reads an escape that names one character, from its backslash on. Gives a byte value, or a code point
 * above 0xff for `\x{...}`; -1 if there is no such escape.
 */
function parseEscapedValue(): i32 {
  const c = peek(1);
  at += 2;
  switch (c) {
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    case 0x66:
      return 0x0c;
    case 0x76:
      return 0x0b;
    case 0x61:
      return 0x07;
    case 0x78:
      return parseHexEscape();
  }
  if (c >= 0x30 && c <= 0x37) return parseOctalEscape(c);
  return isAlnum(c) ? -1 : <i32>c;
}

function parseHexEscape(): i32 {
  if (isHex(peek()) && isHex(peek(1))) {
    at += 2;
    return ((<i32>hexValue(peek(-2))) << 4) | hexValue(peek(-1));
  }
  if (peek() != 0x7b) return -1;
  at++;
  let value = 0;
  const start = at;
  while (at < length && isHex(peek()) && value <= 0x10ffff) value = (value << 4) | hexValue(load<u8>(text + at++));
  if (at == start || peek() != 0x7d || value > 0x10ffff) return -1;
  at++;
  return value;
}

/** Reads up to three octal digits; a single non-zero digit would be a backreference. */
function parseOctalEscape(first: u8): i32 {
  let value = <i32>first - 0x30;
  if (first != 0x30 && !(peek() >= 0x30 && peek() <= 0x37)) return -1;
  for (let n = 1; n < 3 && peek() >= 0x30 && peek() <= 0x37; n++) value = (value << 3) | (load<u8>(text + at++) - 0x30);
  return value & 0xff;
}

/** Code points outside ASCII of the class being read, as UTF-8 alternatives. */
let classRunes: Node | null = null;
let classRuneCount: i32 = 0;

function parseClass(): Node {
  const node = byteSet();
  at++;
  const negated = peek() == 0x5e;
  if (negated) at++;
  classRunes = null;
  classRuneCount = 0;
  let first = true;
  while (at < length && (first || peek() != 0x5d)) {
    first = false;
    if (!parseClassItem(node.set)) return fail("malformed character class");
  }
  if (at >= length) return fail("missing ]");
  at++;
  if ((flags & FOLD) != 0) setFold(node.set);
  if (negated) {
    setNegate(node.set);
    return node;
  }
  const runes = classRunes;
  if (!runes) return node;
  runes.append(node);
  return runes;
}

/** Reads one item of a class: `[:name:]`, `\w` and its kin, a character, or a range. */
function parseClassItem(set: usize): bool {
  if (peek() == 0x5b && peek(1) == 0x3a) return parseNamedClass(set);
  if (peek() == 0x5c && addPerlClass(set, peek(1))) {
    at += 2;
    return true;
  }
  const low = parseClassCharacter();
  if (low < 0) return false;
  let high = low;
  if (peek() == 0x2d && at + 1 < length && peek(1) != 0x5d) {
    at++;
    high = parseClassCharacter();
    if (high < low) return false;
  }
  const ascii = min(high, classByte ? 0xff : 0x7f);
  if (low <= ascii) setAddRange(set, low, ascii);
  return addRunes(max(low, ascii + 1), high);
}

/** Whether the last class character was written as a byte, `\xHH`, and not as a character. */
let classByte: bool = false;

function parseClassCharacter(): i32 {
  classByte = false;
  if (peek() == 0x5c) {
    if (at + 1 >= length) return -1;
    if (peek(1) == 0x62) {
      at += 2;
      return 0x08;
    }
    classByte = true;
    return parseEscapedValue();
  }
  const n = decode(text + at, length - at);
  if (n == 0) {
    classByte = true;
    at++;
    return load<u8>(text + at - 1);
  }
  at += n;
  return <i32>codePoint;
}

function addRunes(low: i32, high: i32): bool {
  if (low > high) return true;
  classRuneCount += high - low + 1;
  if (classRuneCount > MAX_CLASS_RUNES) return false;
  let runes = classRunes;
  if (!runes) {
    runes = Node.of(arena, ALTERNATE);
    classRunes = runes;
  }
  for (let rune = low; rune <= high; rune++) {
    const encoded = arena.alloc(4);
    runes.append(sequence(encoded, encode(encoded, <u32>rune)));
  }
  return true;
}

/** Reads `[:name:]` or `[:^name:]`. */
function parseNamedClass(set: usize): bool {
  at += 2;
  const negated = peek() == 0x5e;
  if (negated) at++;
  const members = arena.alloc(SET_BYTES);
  if (!addNamedClass(members)) return false;
  if (negated) setNegate(members);
  setUnion(set, members);
  return true;
}

function named(name: string): bool {
  if (!startsWithTextFold(text + at, length - at, name)) return false;
  at += name.length;
  return true;
}

function addNamedClass(set: usize): bool {
  if (named("alnum:]")) {
    setAddRange(set, 0x30, 0x39);
    setAddRange(set, 0x41, 0x5a);
    setAddRange(set, 0x61, 0x7a);
  } else if (named("alpha:]")) {
    setAddRange(set, 0x41, 0x5a);
    setAddRange(set, 0x61, 0x7a);
  } else if (named("ascii:]")) setAddRange(set, 0, 0x7f);
  else if (named("blank:]")) {
    setAdd(set, 0x09);
    setAdd(set, 0x20);
  } else if (named("cntrl:]")) {
    setAddRange(set, 0, 0x1f);
    setAdd(set, 0x7f);
  } else if (named("digit:]")) setAddRange(set, 0x30, 0x39);
  else if (named("graph:]")) setAddRange(set, 0x21, 0x7e);
  else if (named("lower:]")) setAddRange(set, 0x61, 0x7a);
  else if (named("print:]")) setAddRange(set, 0x20, 0x7e);
  else if (named("punct:]")) {
    setAddRange(set, 0x21, 0x2f);
    setAddRange(set, 0x3a, 0x40);
    setAddRange(set, 0x5b, 0x60);
    setAddRange(set, 0x7b, 0x7e);
  } else if (named("space:]")) {
    setAddRange(set, 0x09, 0x0d);
    setAdd(set, 0x20);
  } else if (named("upper:]")) setAddRange(set, 0x41, 0x5a);
  else if (named("word:]")) {
    setAddRange(set, 0x30, 0x39);
    setAddRange(set, 0x41, 0x5a);
    setAddRange(set, 0x61, 0x7a);
    setAdd(set, 0x5f);
  } else if (named("xdigit:]")) {
    setAddRange(set, 0x30, 0x39);
    setAddRange(set, 0x41, 0x46);
    setAddRange(set, 0x61, 0x66);
  } else return false;
  return true;
}
