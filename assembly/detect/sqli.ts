/**
 * `@detectSQLi`: decides as libinjection does (https://github.com/libinjection/libinjection).
 *
 * The input is read as SQL in up to five ways. Each reading's tokens are folded, since `1+1` injects
 * like `1`, until at most five are left; their letters are the fingerprint. If it is one of the some
 * 9,000 known to be injections, and not one of a few exceptions that people write, the answer is yes.
 */
import { find, indexOf, isText } from "../bytes/span";
import {
  ANSI,
  BACKSLASH,
  BAREWORD,
  COLLATE,
  COMMA,
  COMMENT,
  DOT,
  dashComments,
  EVIL,
  EXPRESSION,
  FUNCTION,
  GROUP,
  hashes,
  KEYWORD,
  LEFT_BRACE,
  LEFT_PAREN,
  LOGIC,
  MYSQL,
  NUMBER,
  nextToken,
  OPERATOR,
  QUOTE_DOUBLE,
  QUOTE_NONE,
  QUOTE_SINGLE,
  RIGHT_BRACE,
  RIGHT_PAREN,
  SEMICOLON,
  SQLTYPE,
  STRING,
  startTokens,
  Token,
  TSQL,
  token,
  tokenCount,
  UNION,
  VARIABLE,
} from "./sqltoken";
import { lookUp, SQL } from "./words";

/** Tokens of a fingerprint. */
const MAX: i32 = 5;
/** Slot of the last comment. */
const LAST_COMMENT: i32 = 8;

/** Fingerprint of the last reading, `fingerprintLen` letters. */
export const fingerprint: usize = memory.data(8);
export let fingerprintLen: i32 = 0;
const key: usize = memory.data(8);

/** True if the `len` bytes at `ptr` are an SQL injection; `fingerprint` then says which. */
export function detectSqli(ptr: usize, len: i32): bool {
  if (len == 0) return false;
  if (isInjection(ptr, len, QUOTE_NONE | ANSI)) return true;
  if (readsOtherwise() && isInjection(ptr, len, QUOTE_NONE | MYSQL)) return true;
  if (indexOf(ptr, len, 0x27) >= 0) {
    if (isInjection(ptr, len, QUOTE_SINGLE | ANSI)) return true;
    if (readsOtherwise() && isInjection(ptr, len, QUOTE_SINGLE | MYSQL)) return true;
  }
  return indexOf(ptr, len, 0x22) >= 0 && isInjection(ptr, len, QUOTE_DOUBLE | MYSQL);
}

/** True if MySQL would read the comments differently. */
function readsOtherwise(): bool {
  return dashComments != 0 || hashes != 0;
}

function isInjection(ptr: usize, len: i32, how: i32): bool {
  startTokens(ptr, len, how);
  makeFingerprint(fold());
  return isKnown() && !isExcepted(ptr, len);
}

/** Folds the input into tokens 0 to n - 1 and gives n; for tests of the folding alone. */
export function foldTokens(ptr: usize, len: i32, how: i32): i32 {
  startTokens(ptr, len, how);
  return fold();
}

function makeFingerprint(count: i32): void {
  if (count > 2) {
    const last = token(count - 1);
    // an open backtick at the end comments out the rest in MySQL
    if (last.type == BAREWORD && last.open == 0x60 && last.len == 0 && last.close == 0) last.type = COMMENT;
  }
  fingerprintLen = count;
  for (let i = 0; i < count; i++) {
    const type = token(i).type;
    if (type == EVIL) {
      store<u8>(fingerprint, EVIL);
      fingerprintLen = 1;
      token(0).type = EVIL;
      return;
    }
    store<u8>(fingerprint + i, type);
  }
}

function isKnown(): bool {
  if (fingerprintLen < 1) return false;
  store<u8>(key, 0x30);
  memory.copy(key + 1, fingerprint, <usize>fingerprintLen);
  return lookUp(SQL, key, fingerprintLen + 1) == 0x46;
}

function isFingerprint(text: string): bool {
  return isText(fingerprint, fingerprintLen, text);
}

/** True for known fingerprints that ordinary input has too. */
function isExcepted(ptr: usize, len: i32): bool {
  if (fingerprintLen > 1 && load<u8>(fingerprint + fingerprintLen - 1) == COMMENT) {
    // hides a statement from SQL Server's log, so it is meant
    if (findText(ptr, len, "sp_password")) return false;
  }
  if (fingerprintLen == 2) return isPairExcepted(ptr, len);
  return fingerprintLen == 3 && isTripleExcepted();
}

function findText(ptr: usize, len: i32, text: string): bool {
  const n = text.length;
  for (let i = 0; i + n <= len; i++) if (load<u8>(ptr + i) == 0x73 && isText(ptr + i, n, text)) return true;
  return false;
}

function isPairExcepted(ptr: usize, len: i32): bool {
  const first = token(0);
  const second = token(1);
  if (load<u8>(fingerprint, 1) == UNION) return tokenCount == 2;
  if (second.at(0) == 0x23) return true;
  const slashed = second.at(0) == 0x2f;
  if (first.type == BAREWORD && second.type == COMMENT && !slashed) return true;
  if (first.type == NUMBER && second.type == COMMENT) {
    if (!slashed || tokenCount > 2) return false;
    // "1/*" directly is an injection, "1 ... " with something folded between is not
    const c = first.len < len ? load<u8>(ptr + first.len) : 0;
    const next = first.len + 1 < len ? load<u8>(ptr + first.len + 1) : 0;
    if (c <= 32) return false;
    return !((c == 0x2f && next == 0x2a) || (c == 0x2d && next == 0x2d));
  }
  return second.len > 2 && second.at(0) == 0x2d;
}

function isTripleExcepted(): bool {
  const first = token(0);
  const second = token(1);
  const third = token(2);
  if (isFingerprint("sos") || isFingerprint("s&s")) {
    return !(first.open == 0 && third.close == 0 && first.close == third.open);
  }
  const short = isFingerprint("s&n") || isFingerprint("n&1") || isFingerprint("1&1") || isFingerprint("1&v") || isFingerprint("1&s");
  if (short && tokenCount == 3) return true;
  if (second.type != KEYWORD) return false;
  return second.len < 5 || !startsWithInto(second);
}

function startsWithInto(word: Token): bool {
  return find(word.text, 4, changetype<usize>(INTO), 4) == 0 || find(word.text, 4, changetype<usize>(INTO) + 4, 4) == 0;
}
const INTO: usize = memory.data<u8>([0x49, 0x4e, 0x54, 0x4f, 0x69, 0x6e, 0x74, 0x6f]);

let position: i32 = 0;
let left: i32 = 0;
let more: bool = false;

/** Reads until `count` tokens stand from `left` on, comments set aside. */
function fill(count: i32): void {
  while (more && position <= MAX && position - left < count) {
    more = nextToken(position);
    if (!more) return;
    if (token(position).type == COMMENT) token(LAST_COMMENT).copyFrom(token(position));
    else {
      token(LAST_COMMENT).type = 0;
      position++;
    }
  }
}

/** Drops `count` tokens before the next one to read and looks from the start again. */
function drop(count: i32): void {
  position -= count;
  left = 0;
}

function isNameOrNumber(type: u8): bool {
  return type == BAREWORD || type == NUMBER;
}

function isValue(type: u8): bool {
  return isNameOrNumber(type) || type == VARIABLE || type == STRING;
}

/** Folds the tokens of the input; gives how many are left. */
function fold(): i32 {
  position = 0;
  left = 0;
  more = true;
  token(LAST_COMMENT).type = 0;
  // what opens an expression says nothing
  while (more) {
    more = nextToken(0);
    const first = token(0);
    if (first.type != COMMENT && first.type != LEFT_PAREN && first.type != SQLTYPE && !first.isUnary()) break;
  }
  if (!more) return 0;
  position = 1;
  while (true) {
    if (position >= MAX && isLongExpression()) shortenExpression();
    if (!more || left >= MAX) {
      left = position;
      break;
    }
    fill(2);
    if (position - left < 2) {
      left = position;
      continue;
    }
    const done = foldTwo(token(left), token(left + 1));
    if (done < 0) return left + 2;
    if (done > 0) continue;
    fill(3);
    if (position - left < 3) {
      left = position;
      continue;
    }
    if (!foldThree(token(left), token(left + 1), token(left + 2))) left++;
  }
  if (left < MAX && token(LAST_COMMENT).type == COMMENT) token(left++).copyFrom(token(LAST_COMMENT));
  return min(left, MAX);
}

/** True for five tokens that are an arithmetic or tuple expression and nothing more. */
function isLongExpression(): bool {
  const a = token(0).type;
  const b = token(1).type;
  const c = token(2).type;
  const d = token(3).type;
  const e = token(4).type;
  if (c == LEFT_PAREN && e == RIGHT_PAREN) {
    if (a == NUMBER && (b == OPERATOR || b == COMMA) && d == NUMBER) return true;
    if (a == BAREWORD && b == OPERATOR && isNameOrNumber(d)) return true;
  }
  if (b != RIGHT_PAREN || d != LEFT_PAREN) return false;
  return (a == NUMBER && c == COMMA && e == NUMBER) || (a == BAREWORD && c == OPERATOR && e == BAREWORD);
}

function shortenExpression(): void {
  if (position > MAX) {
    token(1).copyFrom(token(5));
    position = 2;
  } else position = 1;
  left = 0;
}

/** Folds two tokens. Gives 1 if that changed anything, 0 if a third must be looked at, -1 to stop. */
function foldTwo(a: Token, b: Token): i32 {
  if ((a.type == STRING && b.type == STRING) || (a.type == SEMICOLON && b.type == SEMICOLON)) {
    position--;
    return 1;
  }
  if ((a.type == OPERATOR || a.type == LOGIC) && (b.isUnary() || b.type == SQLTYPE)) {
    drop(1);
    return 1;
  }
  if ((a.type == LEFT_PAREN && b.isUnary()) || mergeWords(a, b)) {
    position--;
    if (left > 0) left--;
    return 1;
  }
  return foldByKind(a, b);
}

function foldByKind(a: Token, b: Token): i32 {
  if (a.type == SEMICOLON && b.type == FUNCTION && isIf(b)) {
    b.type = TSQL;
    return 1;
  }
  if ((a.type == BAREWORD || a.type == VARIABLE) && b.type == LEFT_PAREN && isColumnLikeFunction(a)) {
    a.type = FUNCTION;
    return 1;
  }
  if (a.type == KEYWORD && (a.is("in") || a.is("not in"))) {
    a.type = b.type == LEFT_PAREN ? OPERATOR : BAREWORD;
    return 1;
  }
  if (a.type == OPERATOR && (a.is("like") || a.is("not like"))) {
    if (b.type == LEFT_PAREN) a.type = FUNCTION;
    return 0;
  }
  if (a.type == SQLTYPE && (isValue(b.type) || b.type == SQLTYPE || b.type == LEFT_PAREN || b.type == FUNCTION)) {
    a.copyFrom(b);
    drop(1);
    return 1;
  }
  if (a.type == COLLATE && b.type == BAREWORD) {
    if (indexOf(b.text, b.len, 0x5f) >= 0) {
      b.type = SQLTYPE;
      left = 0;
    }
    return 0;
  }
  if (a.type == BACKSLASH) {
    if (b.isArithmetic()) a.type = NUMBER;
    else {
      a.copyFrom(b);
      position--;
    }
    left = 0;
    return 1;
  }
  return foldBrackets(a, b);
}

function foldBrackets(a: Token, b: Token): i32 {
  if ((a.type == LEFT_PAREN && b.type == LEFT_PAREN) || (a.type == RIGHT_PAREN && b.type == RIGHT_PAREN)) {
    drop(1);
    return 1;
  }
  if (a.type == LEFT_BRACE && b.type == BAREWORD) {
    // MySQL's {word expression}; with an empty word it is a known way around filters
    if (b.len == 0) {
      b.type = EVIL;
      return -1;
    }
    drop(2);
    return 1;
  }
  if (b.type == RIGHT_BRACE) {
    drop(1);
    return 1;
  }
  return 0;
}

function isIf(t: Token): bool {
  return t.len >= 2 && (t.at(0) | 0x20) == 0x69 && (t.at(1) | 0x20) == 0x66;
}

function isColumnLikeFunction(t: Token): bool {
  return (
    t.is("user_id") ||
    t.is("user_name") ||
    t.is("database") ||
    t.is("password") ||
    t.is("user") ||
    t.is("current_user") ||
    t.is("current_date") ||
    t.is("current_time") ||
    t.is("current_timestamp") ||
    t.is("localtime") ||
    t.is("localtimestamp")
  );
}

function canStartPhrase(type: u8): bool {
  return type == KEYWORD || type == BAREWORD || type == OPERATOR || type == UNION || type == FUNCTION || type == EXPRESSION || type == TSQL || type == SQLTYPE;
}

const phrase: usize = memory.data(80);

/** Makes `a` and `b` one token if they are a phrase, such as NOT IN or UNION ALL. */
function mergeWords(a: Token, b: Token): bool {
  if (!canStartPhrase(a.type) || !(canStartPhrase(b.type) || b.type == LOGIC)) return false;
  const len = a.len + b.len + 1;
  if (len > 32) return false;
  memory.copy(phrase, a.text, <usize>a.len);
  store<u8>(phrase + a.len, 0x20);
  memory.copy(phrase + a.len + 1, b.text, <usize>b.len);
  const type = lookUp(SQL, phrase, len);
  if (type == 0) return false;
  a.assign(type, a.pos, len, phrase);
  return true;
}

/** Folds three tokens. True if that changed what must be looked at next. */
function foldThree(a: Token, b: Token, c: Token): bool {
  if (isFoldable(a, b, c)) {
    drop(2);
    return true;
  }
  if (b.isUnary()) {
    const opens = a.type == EXPRESSION || a.type == GROUP;
    const called = c.type == LEFT_PAREN || c.type == FUNCTION;
    if ((opens && (called || isValue(c.type))) || (a.type == KEYWORD && (isValue(c.type) || c.type == FUNCTION)) || (a.type == COMMA && called)) {
      b.copyFrom(c);
      drop(1);
      return true;
    }
    if (a.type == COMMA && isValue(c.type)) {
      b.copyFrom(c);
      drop(3);
      return true;
    }
  }
  if (a.type == EXPRESSION && b.type == DOT && c.type == BAREWORD) {
    b.copyFrom(c);
    drop(1);
    return true;
  }
  if (a.type == FUNCTION && b.type == LEFT_PAREN && c.type != RIGHT_PAREN && a.is("user")) a.type = BAREWORD;
  return false;
}

/** True if the last two of three tokens add nothing to the first. */
function isFoldable(a: Token, b: Token, c: Token): bool {
  if (a.type == OPERATOR && b.type != LEFT_PAREN && c.type == OPERATOR) return true;
  if (a.type == LOGIC && c.type == LOGIC) return true;
  if (b.type == OPERATOR) {
    if (a.type == VARIABLE && (c.type == VARIABLE || isNameOrNumber(c.type))) return true;
    if (isNameOrNumber(a.type) && isNameOrNumber(c.type)) return true;
    if (isValue(a.type) && c.type == SQLTYPE && b.len == 2 && b.at(0) == 0x3a && b.at(1) == 0x3a) return true;
  }
  if (b.type == COMMA) return isValue(a.type) && isValue(c.type);
  return a.type == BAREWORD && b.type == DOT && c.type == BAREWORD;
}
