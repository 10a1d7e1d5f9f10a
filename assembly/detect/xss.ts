/**
 * `@detectXSS`: decides as libinjection does. The input is read as HTML from five starting points, in
 * text or inside a tag; it is an attack if any reading has a tag, attribute, comment or URL that can
 * run script.
 */
import { hexValue, isDigit, isHex } from "../bytes/ascii";
import { indexOf, isText, isTextFold } from "../bytes/span";
import {
  ATTR_NAME,
  ATTR_VALUE,
  DOCTYPE,
  nextHtml,
  START_BACKTICK,
  START_DATA,
  startHtml,
  TAG_COMMENT,
  TAG_NAME_OPEN,
  tokenKind,
  tokenLen,
  tokenPtr,
} from "./html5";
import { ATTRIBUTES, EVENTS, lookUp, TAGS } from "./words";

// Kinds of attributes, as digits in the word tables.
const HARMLESS: u8 = 0;
const DANGEROUS: u8 = 0x31;
const URL: u8 = 0x32;
const STYLE: u8 = 0x33;
const INDIRECT: u8 = 0x34;

/** Longest name that can be in a table. */
const NAME_MAX: i32 = 32;
const name: usize = memory.data(40);

/** True if the `len` bytes at `ptr` would run script in some HTML context. */
export function detectXss(ptr: usize, len: i32): bool {
  for (let where = START_DATA; where <= START_BACKTICK; where++) if (isAttack(ptr, len, where)) return true;
  return false;
}

function isAttack(ptr: usize, len: i32, where: i32): bool {
  let attribute = HARMLESS;
  startHtml(ptr, len, where);
  while (nextHtml()) {
    switch (tokenKind) {
      case DOCTYPE:
        return true;
      case TAG_NAME_OPEN:
        if (isDangerousTag()) return true;
        break;
      case TAG_COMMENT:
        if (isDangerousComment()) return true;
        break;
      case ATTR_VALUE:
        if (isDangerousValue(attribute)) return true;
        break;
    }
    attribute = tokenKind == ATTR_NAME ? attributeKind(tokenPtr, tokenLen) : HARMLESS;
  }
  return false;
}

/** Copies the token without NULs into `name`; gives its length, or -1 if it is longer than any known name. */
function nameWithoutNulls(ptr: usize, len: i32): i32 {
  let n = 0;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c == 0) continue;
    if (n == NAME_MAX) return -1;
    store<u8>(name + n++, c);
  }
  return n;
}

function isDangerousTag(): bool {
  if (tokenLen < 3) return false;
  const n = nameWithoutNulls(tokenPtr, tokenLen);
  if (n < 0) return false;
  return lookUp(TAGS, name, n) != 0 || isTextFold(name, n, "svt") || isTextFold(name, n, "xsl");
}

function attributeKind(ptr: usize, len: i32): u8 {
  const n = nameWithoutNulls(ptr, len);
  if (n < 2) return HARMLESS;
  if (isTextFold(name, n, "xmlns") || isTextFold(name, n, "xlink")) return DANGEROUS;
  if (n >= 5 && isTextFold(name, 2, "on")) {
    const kind = lookUp(EVENTS, name + 2, n - 2);
    if (kind != 0) return kind;
  }
  return lookUp(ATTRIBUTES, name, n);
}

function isDangerousValue(attribute: u8): bool {
  switch (attribute) {
    case DANGEROUS:
    case STYLE:
      return true;
    case URL:
      return isDangerousUrl(tokenPtr, tokenLen);
    case INDIRECT:
      return attributeKind(tokenPtr, tokenLen) == DANGEROUS;
    default:
      return false;
  }
}

/** Conditional comments, XML declarations and old Internet Explorer's imports. */
function isDangerousComment(): bool {
  if (indexOf(tokenPtr, tokenLen, 0x60) >= 0) return true;
  if (tokenLen > 3) {
    if (load<u8>(tokenPtr) == 0x5b && isTextFold(tokenPtr + 1, 2, "if")) return true;
    if (isTextFold(tokenPtr + 1, 3, "xml")) return true;
  }
  if (tokenLen <= 5) return false;
  const n = nameWithoutNulls(tokenPtr, 6);
  return isTextFold(name, n, "import") || isTextFold(name, n, "entity");
}

// A URL is dangerous if one of four words occurs in it once its character references are resolved, white
// space at the start skipped, and NULs and line feeds dropped. The words are matched side by side over
// the decoded characters, so the whole is one pass.
const WINDOW: i32 = 11;
const window: usize = memory.data(16);

function isDangerousUrl(ptr: usize, len: i32): bool {
  let i = 0;
  while (i < len && (load<u8>(ptr + i) <= 32 || load<u8>(ptr + i) >= 127)) i++;
  let first = true;
  let held = 0;
  while (i < len) {
    const code = decodeReference(ptr, len, i);
    i += consumed;
    if (first && code <= 32) continue;
    first = false;
    if (code == 0 || code == 10) continue;
    held = shift(<u8>code, held);
    if (endsWithWord(held)) return true;
  }
  return false;
}

/** Puts an upper-case byte at the end of the window. */
function shift(c: u8, held: i32): i32 {
  const byte: u8 = <u8>(c - 0x61) < 26 ? c ^ 0x20 : c;
  if (held < WINDOW) {
    store<u8>(window + held, byte);
    return held + 1;
  }
  memory.copy(window, window + 1, <usize>(WINDOW - 1));
  store<u8>(window + WINDOW - 1, byte);
  return held;
}

function endsWithWord(held: i32): bool {
  if (held < 4) return false;
  const end = window + held;
  if (isText(end - 4, 4, "DATA") || isText(end - 4, 4, "JAVA")) return true;
  if (held >= 8 && isText(end - 8, 8, "VBSCRIPT")) return true;
  return held >= 11 && isText(end - 11, 11, "VIEW-SOURCE");
}

/** Bytes that `decodeReference` read. */
let consumed: i32 = 0;

/** Reads one character at `i`, resolving `&#...;`. Numbers past U+1000FF are no reference. */
function decodeReference(ptr: usize, len: i32, i: i32): i32 {
  consumed = 1;
  const c = <i32>load<u8>(ptr + i);
  if (c != 0x26 || i + 2 >= len || load<u8>(ptr + i + 1) != 0x23) return c;
  const hex = (load<u8>(ptr + i + 2) | 0x20) == 0x78;
  const from = hex ? i + 3 : i + 2;
  let at = from;
  let value = 0;
  while (at < len) {
    const digit = load<u8>(ptr + at);
    if (hex ? !isHex(digit) : !isDigit(digit)) break;
    value = hex ? (value << 4) | hexValue(digit) : value * 10 + (digit - 0x30);
    if (value > 0x1000ff) return c;
    at++;
  }
  if (at == from) return c;
  if (at < len && load<u8>(ptr + at) == 0x3b) at++;
  consumed = at - i;
  return value;
}
