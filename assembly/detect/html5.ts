/**
 * The HTML tokenizer behind `@detectXSS`: libinjection's reading of the HTML standard's, section 13.2.5.
 * It is lenient where browsers are: NULs inside names, backticks as quotes, comments that end oddly.
 */
import { isAlpha } from "../bytes/ascii";
import { indexOf, isText, isTextFold } from "../bytes/span";

export const DATA_TEXT: i32 = 0;
export const TAG_NAME_OPEN: i32 = 1;
export const TAG_NAME_CLOSE: i32 = 2;
export const TAG_NAME_SELFCLOSE: i32 = 3;
export const TAG_DATA: i32 = 4;
export const TAG_CLOSE: i32 = 5;
export const ATTR_NAME: i32 = 6;
export const ATTR_VALUE: i32 = 7;
export const TAG_COMMENT: i32 = 8;
export const DOCTYPE: i32 = 9;

/** Where reading starts: in text, or inside a tag, bare or within a quotation. */
export const START_DATA: i32 = 0;
export const START_UNQUOTED: i32 = 1;
export const START_SINGLE: i32 = 2;
export const START_DOUBLE: i32 = 3;
export const START_BACKTICK: i32 = 4;

const S_EOF: i32 = 0;
const S_DATA: i32 = 1;
const S_TAG_OPEN: i32 = 2;
const S_TAG_NAME_CLOSE: i32 = 3;
const S_SELF_CLOSING: i32 = 4;
const S_BEFORE_ATTR_NAME: i32 = 5;
const S_AFTER_ATTR_NAME: i32 = 6;
const S_BEFORE_ATTR_VALUE: i32 = 7;
const S_AFTER_QUOTED_VALUE: i32 = 8;
const S_SINGLE: i32 = 9;
const S_DOUBLE: i32 = 10;
const S_BACKTICK: i32 = 11;

/** The last token: kind, address, length in bytes. */
export let tokenKind: i32 = 0;
export let tokenPtr: usize = 0;
export let tokenLen: i32 = 0;

let text: usize = 0;
let length: i32 = 0;
let position: i32 = 0;
let state: i32 = 0;
let closing: bool = false;

/** Starts reading `len` bytes at `ptr`. */
export function startHtml(ptr: usize, len: i32, where: i32): void {
  text = ptr;
  length = len;
  position = 0;
  closing = false;
  if (where == START_DATA) state = S_DATA;
  else if (where == START_UNQUOTED) state = S_BEFORE_ATTR_NAME;
  else if (where == START_SINGLE) state = S_SINGLE;
  else state = where == START_DOUBLE ? S_DOUBLE : S_BACKTICK;
}

/** Reads the next token. False at the end. */
export function nextHtml(): bool {
  switch (state) {
    case S_DATA:
      return data();
    case S_TAG_OPEN:
      return tagOpen();
    case S_TAG_NAME_CLOSE:
      return tagNameClose();
    case S_SELF_CLOSING:
      return selfClosing();
    case S_BEFORE_ATTR_NAME:
      return beforeAttributeName();
    case S_AFTER_ATTR_NAME:
      return afterAttributeName();
    case S_BEFORE_ATTR_VALUE:
      return beforeAttributeValue();
    case S_AFTER_QUOTED_VALUE:
      return afterQuotedValue();
    case S_SINGLE:
      return quotedValue(0x27);
    case S_DOUBLE:
      return quotedValue(0x22);
    case S_BACKTICK:
      return quotedValue(0x60);
    default:
      return false;
  }
}

function at(i: i32): u8 {
  return load<u8>(text + i);
}

function isWhite(c: u8): bool {
  return c == 0x20 || (c >= 0x09 && c <= 0x0d);
}

/** Makes the bytes [from, to) the token and goes on at `next` in `then`. */
function emit(kind: i32, from: i32, to: i32, next: i32, then: i32): bool {
  tokenKind = kind;
  tokenPtr = text + from;
  tokenLen = to - from;
  position = next;
  state = then;
  return true;
}

/** Makes the rest of the input the token. */
function emitRest(kind: i32): bool {
  return emit(kind, position, length, length, S_EOF);
}

/** Skips white space and NULs; gives the byte there, or -1 at the end. */
function skipWhite(): i32 {
  while (position < length && (isWhite(at(position)) || at(position) == 0)) position++;
  return position < length ? <i32>at(position) : -1;
}

function data(): bool {
  const open = indexOf(text, length, 0x3c, position);
  if (open < 0) {
    if (position >= length) return false;
    return emitRest(DATA_TEXT);
  }
  if (open > position) return emit(DATA_TEXT, position, open, open + 1, S_TAG_OPEN);
  position = open + 1;
  return tagOpen();
}

function tagOpen(): bool {
  if (position >= length) return false;
  const c = at(position);
  if (isAlpha(c) || c == 0) return tagName();
  switch (c) {
    case 0x21: // !
      position++;
      return markupDeclaration();
    case 0x2f: // /
      position++;
      closing = true;
      return endTagOpen();
    case 0x3f: // ?
      position++;
      return bogusComment();
    case 0x25: // %: a comment for old Internet Explorers
      position++;
      return percentComment();
  }
  // a lone "<" is text
  return emit(DATA_TEXT, position - 1, position, position, S_DATA);
}

function endTagOpen(): bool {
  if (position >= length) return false;
  const c = at(position);
  if (c == 0x3e) return data();
  if (isAlpha(c)) return tagName();
  closing = false;
  return bogusComment();
}

function tagName(): bool {
  for (let i = position; i < length; i++) {
    const c = at(i);
    if (isWhite(c)) return emit(TAG_NAME_OPEN, position, i, i + 1, S_BEFORE_ATTR_NAME);
    if (c == 0x2f) return emit(TAG_NAME_OPEN, position, i, i + 1, S_SELF_CLOSING);
    if (c != 0x3e) continue;
    if (!closing) return emit(TAG_NAME_OPEN, position, i, i, S_TAG_NAME_CLOSE);
    closing = false;
    return emit(TAG_CLOSE, position, i, i + 1, S_DATA);
  }
  return emitRest(TAG_NAME_OPEN);
}

function tagNameClose(): bool {
  closing = false;
  const next = position + 1;
  return emit(TAG_NAME_CLOSE, position, next, next, next < length ? S_DATA : S_EOF);
}

function selfClosing(): bool {
  if (position >= length) return false;
  if (at(position) == 0x3e) return emit(TAG_NAME_SELFCLOSE, position - 1, position + 1, position + 1, S_DATA);
  return beforeAttributeName();
}

function beforeAttributeName(): bool {
  while (true) {
    const c = skipWhite();
    if (c < 0) return false;
    if (c == 0x3e) return emit(TAG_NAME_CLOSE, position, position + 1, position + 1, S_DATA);
    if (c != 0x2f) return attributeName();
    position++;
    if (position >= length) return false;
    if (at(position) == 0x3e) return selfClosing();
  }
}

function attributeName(): bool {
  for (let i = position + 1; i < length; i++) {
    const c = at(i);
    if (isWhite(c)) return emit(ATTR_NAME, position, i, i + 1, S_AFTER_ATTR_NAME);
    if (c == 0x2f) return emit(ATTR_NAME, position, i, i + 1, S_SELF_CLOSING);
    if (c == 0x3d) return emit(ATTR_NAME, position, i, i + 1, S_BEFORE_ATTR_VALUE);
    if (c == 0x3e) return emit(ATTR_NAME, position, i, i, S_TAG_NAME_CLOSE);
  }
  return emitRest(ATTR_NAME);
}

function afterAttributeName(): bool {
  const c = skipWhite();
  if (c < 0) return false;
  if (c == 0x2f) {
    position++;
    return selfClosing();
  }
  if (c == 0x3d) {
    position++;
    return beforeAttributeValue();
  }
  return c == 0x3e ? tagNameClose() : attributeName();
}

function beforeAttributeValue(): bool {
  const c = skipWhite();
  if (c < 0) {
    state = S_EOF;
    return false;
  }
  if (c == 0x22 || c == 0x27 || c == 0x60) return quotedValue(<u8>c);
  return unquotedValue();
}

/** Reads up to `quote`. At the very start of the input the opening quote is assumed. */
function quotedValue(quote: u8): bool {
  if (position > 0) position++;
  const end = indexOf(text, length, quote, position);
  if (end < 0) return emitRest(ATTR_VALUE);
  return emit(ATTR_VALUE, position, end, end + 1, S_AFTER_QUOTED_VALUE);
}

function unquotedValue(): bool {
  for (let i = position; i < length; i++) {
    const c = at(i);
    if (isWhite(c)) return emit(ATTR_VALUE, position, i, i + 1, S_BEFORE_ATTR_NAME);
    if (c == 0x3e) return emit(ATTR_VALUE, position, i, i, S_TAG_NAME_CLOSE);
  }
  return emitRest(ATTR_VALUE);
}

function afterQuotedValue(): bool {
  if (position >= length) return false;
  const c = at(position);
  if (c == 0x3e) return emit(TAG_NAME_CLOSE, position, position + 1, position + 1, S_DATA);
  if (c == 0x2f) {
    position++;
    return selfClosing();
  }
  if (isWhite(c)) position++;
  return beforeAttributeName();
}

function markupDeclaration(): bool {
  const rest = length - position;
  if (rest >= 7 && isTextFold(text + position, 7, "doctype")) return doctype();
  if (rest >= 7 && isText(text + position, 7, "[CDATA[")) {
    position += 7;
    return cdata();
  }
  if (rest >= 2 && at(position) == 0x2d && at(position + 1) == 0x2d) {
    position += 2;
    return comment();
  }
  return bogusComment();
}

function doctype(): bool {
  const end = indexOf(text, length, 0x3e, position);
  if (end < 0) return emitRest(DOCTYPE);
  return emit(DOCTYPE, position, end, end + 1, S_DATA);
}

function cdata(): bool {
  for (let i = position; i + 2 < length; i++) {
    if (at(i) == 0x5d && at(i + 1) == 0x5d && at(i + 2) == 0x3e) return emit(DATA_TEXT, position, i, i + 3, S_DATA);
  }
  return emitRest(DATA_TEXT);
}

/** Reads up to `-->`, where NULs may stand between, and `-!>` closes too. */
function comment(): bool {
  for (let i = position; i + 2 < length; i++) {
    if (at(i) != 0x2d) continue;
    let next = i + 1;
    while (next < length && at(next) == 0) next++;
    if (next + 1 >= length) break;
    if ((at(next) == 0x2d || at(next) == 0x21) && at(next + 1) == 0x3e) return emit(TAG_COMMENT, position, i, next + 2, S_DATA);
    // NULs need not be looked at again
    if (next > i + 1) i = next - 1;
  }
  return emitRest(TAG_COMMENT);
}

function bogusComment(): bool {
  const end = indexOf(text, length, 0x3e, position);
  if (end < 0) return emitRest(TAG_COMMENT);
  return emit(TAG_COMMENT, position, end, end + 1, S_DATA);
}

function percentComment(): bool {
  for (let i = position; i + 1 < length; i++) {
    if (at(i) == 0x25 && at(i + 1) == 0x3e) return emit(TAG_COMMENT, position, i, i + 2, S_DATA);
  }
  return emitRest(TAG_COMMENT);
}
