/**
 * The operators of SecLang: by name, prepared when rules are compiled, and applied to a value.
 *
 * An operator takes a value and its argument, both as bytes, and says whether it matches. Where a match
 * has a place in the value, the place is left in `slots` of the regular expression engine.
 */
import { Arena } from "../bytes/arena";
import { isDigit, isHex, isWord } from "../bytes/ascii";
import { equal, find, indexOf, isUnsigned, parsedInt, toInt, wordIndex } from "../bytes/span";
import { decode } from "../bytes/utf8";
import { detectSqli, fingerprint, fingerprintLen } from "../detect/sqli";
import { detectXss } from "../detect/xss";
import { SET_BYTES, setAddRange, setHas } from "../match/byteset";
import { badNetwork, badNetworkLen, compileNetworks, inNetworks } from "../match/cidr";
import { compilePhraseFile, compilePhrases } from "../match/phrases";
import { matches } from "../match/regex/dfa";
import { compileRegex, regexError, regexErrorAt } from "../match/regex/index";
import { locate, slots } from "../match/regex/pike";
import { Regex } from "../match/regex/program";
import { findShortest, shortestFrom, shortestLen } from "../match/regex/shortest";
import { ALNUM, HIGH, marks, signatureOutside, UPPER } from "../match/signature";
import { dataLen, dataPtr, findDataFile } from "./datafiles";
import { failAt } from "./errors";
import { Rule } from "./model";
import { Entry } from "./program";

const NAMES: string =
  "beginswith contains containsword detectsqli detectxss endswith eq ge gt ipmatch ipmatchf ipmatchfromfile le lt " +
  "nomatch pm pmf pmfromfile rx rxglobal streq strmatch unconditionalmatch validatebyterange validateurlencoding " +
  "validateutf8encoding verifycc verifycpf verifyssn within ";

export const BEGINS_WITH: i32 = 0;
const CONTAINS: i32 = 1;
const CONTAINS_WORD: i32 = 2;
export const DETECT_SQLI: i32 = 3;
export const DETECT_XSS: i32 = 4;
const ENDS_WITH: i32 = 5;
const EQ: i32 = 6;
const GE: i32 = 7;
const GT: i32 = 8;
const IP_MATCH: i32 = 9;
const IP_MATCH_F: i32 = 10;
const IP_MATCH_FILE: i32 = 11;
const LE: i32 = 12;
const LT: i32 = 13;
const NO_MATCH: i32 = 14;
const PM: i32 = 15;
const PM_F: i32 = 16;
const PM_FILE: i32 = 17;
export const RX: i32 = 18;
const RX_GLOBAL: i32 = 19;
export const STREQ: i32 = 20;
const STRMATCH: i32 = 21;
export const UNCONDITIONAL: i32 = 22;
const BYTE_RANGE: i32 = 23;
const URL_ENCODING: i32 = 24;
const UTF8_ENCODING: i32 = 25;
const VERIFY_CC: i32 = 26;
const VERIFY_CPF: i32 = 27;
const VERIFY_SSN: i32 = 28;
export const WITHIN: i32 = 29;

/** Operators that SecLang has and a proxy cannot honour, each with the reason. */
const REFUSED: string =
  "fuzzyhash=needs a library of hashes geolookup=needs a geography database gsblookup=needs a database of a service that ended " +
  "inspectfile=needs to run a program rbl=needs DNS look-ups rsub=rewrites traffic, and Bailey only inspects " +
  "validatedtd=needs a DTD validator validatehash=needs hash tokens in links validateschema=needs a schema validator ";

/** Gives the number of the operator of that name, in any case; -1 after raising an error. */
export function operatorNamed(ptr: usize, len: i32): i32 {
  const number = wordIndex(NAMES, ptr, len);
  if (number >= 0) return number;
  const reason = refusal(ptr, len);
  failAt("operator", ptr, len, reason == "" ? " is unknown; see the list in docs/seclang.md" : " " + reason);
  return -1;
}

function foldsTo(ptr: usize, len: i32, text: string, start: i32): bool {
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (<i32>(c >= 0x41 && c <= 0x5a ? c | 0x20 : c) != text.charCodeAt(start + i)) return false;
  }
  return true;
}

function refusal(ptr: usize, len: i32): string {
  let start = 0;
  while (true) {
    const equals = REFUSED.indexOf("=", start);
    if (equals < 0) return "";
    const name = REFUSED.lastIndexOf(" ", equals) + 1;
    const following = REFUSED.indexOf("=", equals + 1);
    const end = following < 0 ? REFUSED.length - 1 : REFUSED.lastIndexOf(" ", following);
    if (equals - name == len && foldsTo(ptr, len, REFUSED, name)) return REFUSED.substring(equals + 1, end);
    start = equals + 1;
  }
}

/** True if the operator's argument is prepared when rules are compiled, so it cannot hold `%{...}`. */
export function isPrepared(operator: i32): bool {
  return (
    operator == RX ||
    operator == RX_GLOBAL ||
    (operator >= IP_MATCH && operator <= IP_MATCH_FILE) ||
    (operator >= PM && operator <= PM_FILE) ||
    operator == BYTE_RANGE ||
    (operator >= VERIFY_CC && operator <= VERIFY_SSN)
  );
}

/** Prepares the argument of a rule's operator. False after an error. */
export function prepare(arena: Arena, rule: Rule, ptr: usize, len: i32): bool {
  switch (rule.operator) {
    case RX:
    case RX_GLOBAL:
    case VERIFY_CC:
    case VERIFY_CPF:
    case VERIFY_SSN:
      rule.prepared = changetype<usize>(compileRegex(arena, ptr, len));
      if (rule.prepared != 0) return true;
      return failAt("@rx pattern at byte " + regexErrorAt.toString() + " of", ptr, len, ": " + regexError);
    case PM:
      rule.prepared = changetype<usize>(compilePhrases(arena, ptr, len));
      return rule.prepared != 0 || failAt("@pm", ptr, len, " has no phrase");
    case PM_F:
    case PM_FILE:
      if (!findDataFile(ptr, len)) return missingFile(ptr, len);
      rule.prepared = changetype<usize>(compilePhraseFile(arena, dataPtr, dataLen));
      return rule.prepared != 0 || failAt("file", ptr, len, " has no phrase");
    case IP_MATCH:
      rule.prepared = compileNetworks(arena, ptr, len);
      return rule.prepared != 0 || badAddress();
    case IP_MATCH_F:
    case IP_MATCH_FILE:
      if (!findDataFile(ptr, len)) return missingFile(ptr, len);
      rule.prepared = compileNetworks(arena, dataPtr, dataLen);
      return rule.prepared != 0 || badAddress();
    default:
      rule.prepared = compileByteRange(arena, ptr, len);
      return rule.prepared != 0 || failAt("@validateByteRange", ptr, len, ": expected numbers and ranges from 0 to 255, as in 9,10,13,32-126");
  }
}

function missingFile(ptr: usize, len: i32): bool {
  return failAt("file", ptr, len, " is not known; a filter reads no files, so compile it in with `bailey build --rules`, or use @pm or @ipMatch");
}

function badAddress(): bool {
  return failAt("network", badNetwork, badNetworkLen, ": expected an address or a CIDR block, as in 192.0.2.0/24 or 2001:db8::/32");
}

/** Reads `9,10,32-126` into a set of bytes; 0 if it is malformed. */
function compileByteRange(arena: Arena, ptr: usize, len: i32): usize {
  // behind the set, the buckets of what is not in it
  const set = arena.alloc(SET_BYTES + 8);
  let start = 0;
  for (let i = 0; i <= len; i++) {
    if (i < len && load<u8>(ptr + i) != 0x2c) continue;
    let from = start;
    while (from < i && load<u8>(ptr + from) == 0x20) from++;
    let to = i;
    while (to > from && load<u8>(ptr + to - 1) == 0x20) to--;
    const dash = indexOf(ptr, to, 0x2d, from);
    const lowEnd = dash < 0 ? to : dash;
    if (!isUnsigned(ptr + from, lowEnd - from)) return 0;
    const low = parsedInt;
    if (dash >= 0 && !isUnsigned(ptr + dash + 1, to - dash - 1)) return 0;
    if (low > 255 || parsedInt > 255 || parsedInt < low) return 0;
    setAddRange(set, <i32>low, <i32>parsedInt);
    start = i + 1;
  }
  store<u64>(set, signatureOutside(set), SET_BYTES);
  return set;
}

/** True if the operator compares numbers. */
export function isNumeric(operator: i32): bool {
  return operator == LT || operator == EQ || operator == GE || operator == GT || operator == LE;
}

/** Applies a numeric operator. */
export function compares(operator: i32, value: i64, argument: i64): bool {
  switch (operator) {
    case LT:
      return value < argument;
    case EQ:
      return value == argument;
    case GE:
      return value >= argument;
    case GT:
      return value > argument;
    default:
      return value <= argument;
  }
}

/** What a value must have for libinjection to see an attack: HTML needs `<` or `=`, SQL more than one word. */
const XSS_NEEDS: u64 = marks("<=");
const SQLI_NEEDS: u64 = ~(ALNUM | UPPER);
const PERCENT: u64 = marks("%");

/** Gives the buckets of which a value must have one for an operator without a pattern to match it; 0 for any value. */
function needsOf(rule: Rule): u64 {
  switch (rule.operator) {
    case DETECT_XSS:
      return XSS_NEEDS;
    case DETECT_SQLI:
      return SQLI_NEEDS;
    case BYTE_RANGE:
      return load<u64>(rule.prepared, SET_BYTES);
    case URL_ENCODING:
      return PERCENT;
    case UTF8_ENCODING:
      return HIGH;
    default:
      return 0;
  }
}

/** False if a rule's operator cannot match any value of that length with that signature; cheap, and asked first. */
export function canApply(rule: Rule, len: i32, signature: u64): bool {
  if (hasPattern(rule)) return changetype<Regex>(rule.prepared).canMatch(len, signature);
  const needs = needsOf(rule);
  return needs == 0 || (signature & needs) != 0;
}

/** Sets what an entry asks of values before its rule runs. */
export function setNeeds(entry: Entry, rule: Rule): void {
  if (hasPattern(rule)) {
    const regex = changetype<Regex>(rule.prepared);
    entry.needLen = regex.needLen;
    entry.needAll = regex.needAll;
    entry.needOne = regex.needOne;
    entry.needTwo = regex.needTwo;
  } else entry.needOne = needsOf(rule);
}

/** True if `canApply` can say no. */
export function canPrefilter(rule: Rule): bool {
  return hasPattern(rule) || needsOf(rule) != 0;
}

/** True if the rule's operator is a regular expression or a set of phrases. */
export function hasPattern(rule: Rule): bool {
  const operator = rule.operator;
  return operator == RX || operator == RX_GLOBAL || (operator >= PM && operator <= PM_FILE);
}

/** Where the last match is in the value: offset and length in bytes. */
export let matchFrom: i32 = 0;
export let matchLen: i32 = 0;

function at(from: i32, len: i32): bool {
  matchFrom = from;
  matchLen = len;
  return true;
}

/**
 * Applies a rule's operator to the value of `len` bytes at `ptr`, with the argument of `argLen` bytes at
 * `arg`. A match that has no smaller place has the whole value.
 */
export function applies(rule: Rule, ptr: usize, len: i32, arg: usize, argLen: i32): bool {
  matchFrom = 0;
  matchLen = len;
  switch (rule.operator) {
    case RX:
    case RX_GLOBAL:
    case PM:
    case PM_F:
    case PM_FILE:
      return matches(changetype<Regex>(rule.prepared), ptr, len);
    case LT:
    case EQ:
    case GE:
    case GT:
    case LE:
      return compares(rule.operator, toInt(ptr, len), toInt(arg, argLen));
    case STREQ:
      return equal(ptr, len, arg, argLen);
    case BEGINS_WITH:
      return len >= argLen && equal(ptr, argLen, arg, argLen) && at(0, argLen);
    case ENDS_WITH:
      return len >= argLen && equal(ptr + len - argLen, argLen, arg, argLen) && at(len - argLen, argLen);
    case CONTAINS:
    case STRMATCH:
      return contains(ptr, len, arg, argLen);
    case CONTAINS_WORD:
      return containsWord(ptr, len, arg, argLen);
    case WITHIN:
      return find(arg, argLen, ptr, len) >= 0;
    case UNCONDITIONAL:
      return true;
    case NO_MATCH:
      return false;
    case DETECT_SQLI:
      return detectSqli(ptr, len);
    case DETECT_XSS:
      return detectXss(ptr, len);
    case IP_MATCH:
    case IP_MATCH_F:
    case IP_MATCH_FILE:
      return inNetworks(rule.prepared, ptr, len);
    case BYTE_RANGE:
      return hasByteOutside(rule.prepared, ptr, len);
    case URL_ENCODING:
      return hasBadUrlEncoding(ptr, len);
    case UTF8_ENCODING:
      return hasBadUtf8(ptr, len);
    default:
      return verifyNumber(rule, ptr, len);
  }
}

/** Says that the last match was a whole value of `len` bytes: the sieve says that a pattern matches, and not where. */
export function matchWhole(len: i32): void {
  matchFrom = 0;
  matchLen = len;
}

/**
 * Finds where the value matched, for captures and for the event. True if the places of groups are in
 * `slots`; otherwise the whole match is at `matchFrom`, `matchLen`.
 */
export function locateMatch(rule: Rule, ptr: usize, len: i32): bool {
  if (!hasPattern(rule) || rule.negated || !locate(changetype<Regex>(rule.prepared), ptr, len)) return false;
  at(load<i32>(slots), load<i32>(slots, 4) - load<i32>(slots));
  return true;
}

/** Finds about where a pattern matched, for people: the place is then `matchFrom`, `matchLen`. False if that is not known. */
export function locateShortest(rule: Rule, ptr: usize, len: i32): bool {
  if (!hasPattern(rule) || rule.negated || !findShortest(changetype<Regex>(rule.prepared), ptr, len)) return false;
  return at(shortestFrom, shortestLen);
}

/** What `@detectSQLi` captures: the fingerprint. */
export function capturedFingerprint(rule: Rule): bool {
  if (rule.operator != DETECT_SQLI) return false;
  capturedPtr = fingerprint;
  capturedLen = fingerprintLen;
  return true;
}
export let capturedPtr: usize = 0;
export let capturedLen: i32 = 0;

function contains(ptr: usize, len: i32, arg: usize, argLen: i32): bool {
  const i = find(ptr, len, arg, argLen);
  return i >= 0 && at(i, argLen);
}

function containsWord(ptr: usize, len: i32, arg: usize, argLen: i32): bool {
  if (argLen == 0) return true;
  let from = 0;
  while (from <= len - argLen) {
    const i = find(ptr + from, len - from, arg, argLen);
    if (i < 0) return false;
    const start = from + i;
    const end = start + argLen;
    const before = start > 0 && isWord(load<u8>(ptr + start - 1));
    const after = end < len && isWord(load<u8>(ptr + end));
    if (!before && !after) return at(start, argLen);
    from = start + 1;
  }
  return false;
}

function hasByteOutside(set: usize, ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) if (!setHas(set, load<u8>(ptr + i))) return at(i, 1);
  return false;
}

function hasBadUrlEncoding(ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) {
    if (load<u8>(ptr + i) != 0x25) continue;
    if (i + 2 >= len || !isHex(load<u8>(ptr + i + 1)) || !isHex(load<u8>(ptr + i + 2))) return at(i, min(3, len - i));
    i += 2;
  }
  return false;
}

function hasBadUtf8(ptr: usize, len: i32): bool {
  let i = 0;
  while (i < len) {
    const n = decode(ptr + i, len - i);
    if (n == 0) return at(i, 1);
    i += n;
  }
  return false;
}

/** Candidates that one value may offer to a check of digits: keeps the work linear in the value. */
const MAX_CANDIDATES: i32 = 32;

/** `@verifyCC`, `@verifyCPF`, `@verifySSN`: what the pattern finds must also have the right check digits. */
function verifyNumber(rule: Rule, ptr: usize, len: i32): bool {
  let from = 0;
  for (let n = 0; n < MAX_CANDIDATES && from < len; n++) {
    if (!locate(changetype<Regex>(rule.prepared), ptr + from, len - from)) return false;
    const start = from + load<i32>(slots);
    const end = from + load<i32>(slots, 4);
    if (isValidNumber(rule.operator, ptr + start, end - start)) return at(start, end - start);
    from = max(end, start + 1);
  }
  return false;
}

const digitBuffer: usize = memory.data(32);

function isValidNumber(operator: i32, ptr: usize, len: i32): bool {
  let n = 0;
  for (let i = 0; i < len && n < 32; i++) {
    if (isDigit(load<u8>(ptr + i))) store<u8>(digitBuffer + n++, load<u8>(ptr + i) - 0x30);
  }
  if (operator == VERIFY_CC) return n >= 12 && hasLuhnDigit(n);
  if (operator == VERIFY_CPF) return n == 11 && hasCpfDigits();
  return n == 9 && isSsn();
}

/** ISO/IEC 7812-1, annex B. */
function hasLuhnDigit(n: i32): bool {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let digit = <i32>load<u8>(digitBuffer + n - 1 - i);
    if ((i & 1) == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

/** Brazil's taxpayer number: two check digits, each modulo 11; all digits equal is no number. */
function hasCpfDigits(): bool {
  let same = true;
  for (let i = 1; i < 11; i++) if (load<u8>(digitBuffer + i) != load<u8>(digitBuffer)) same = false;
  return !same && cpfDigit(9) == load<u8>(digitBuffer + 9) && cpfDigit(10) == load<u8>(digitBuffer + 10);
}

function cpfDigit(n: i32): u8 {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += <i32>load<u8>(digitBuffer + i) * (n + 1 - i);
  const rest = sum % 11;
  return rest < 2 ? 0 : <u8>(11 - rest);
}

/** United States social security numbers that are never given: area 000, 666, 9xx; group 00; serial 0000. */
function isSsn(): bool {
  const area = digitsValue(0, 3);
  return area != 0 && area != 666 && area < 900 && digitsValue(3, 2) != 0 && digitsValue(5, 4) != 0;
}

function digitsValue(from: i32, n: i32): i32 {
  let value = 0;
  for (let i = from; i < from + n; i++) value = value * 10 + load<u8>(digitBuffer + i);
  return value;
}
