/**
 * XML bodies: the text of all elements (`XML:/*`) and the values of all attributes (`XML://@*`).
 *
 * A tokenizer in the sense of XML 1.0 that checks that tags are balanced and knows the five predefined
 * entities and character references. It resolves nothing else: a body that declares or uses other
 * entities is malformed, which closes the door to entity expansion and external entities.
 */
import { Arena } from "../../bytes/arena";
import { hexValue, isDigit, isHex, isSpace } from "../../bytes/ascii";
import { equal, indexOf, isText } from "../../bytes/span";
import { encode } from "../../bytes/utf8";
import { ItemList } from "../items";

/** Elements within elements. */
const MAX_DEPTH: i32 = 1024;

/** Names of items: what selectors compare with. */
const TEXT_NAME: usize = memory.data<u8>([0x2f, 0x2a]); // /*
const ATTRIBUTE_NAME: usize = memory.data<u8>([0x2f, 0x2f, 0x40, 0x2a]); // //@*

/** What was wrong with the last body, empty if nothing. */
export let xmlError: string = "";

let arena: Arena = changetype<Arena>(0);
let text: usize = 0;
let length: i32 = 0;
let at: i32 = 0;
let list: ItemList = changetype<ItemList>(0);
/** Open elements: address and length of each name. */
let open: usize = 0;
let depth: i32 = 0;
let elements: i32 = 0;
let limit: i32 = 0;

/** Adds text and attributes of `len` bytes at `ptr` to the list, up to `most` in the list. */
export function parseXmlBody(target: Arena, ptr: usize, len: i32, into: ItemList, most: i32): bool {
  arena = target;
  text = ptr;
  length = len;
  list = into;
  limit = most;
  at = 0;
  depth = 0;
  elements = 0;
  xmlError = "";
  open = arena.reserve((<usize>MAX_DEPTH) << 3);
  if (len >= 3 && load<u8>(ptr) == 0xef && load<u8>(ptr + 1) == 0xbb && load<u8>(ptr + 2) == 0xbf) at = 3;
  while (at < length && xmlError == "") {
    if (load<u8>(text + at) == 0x3c) markup();
    else characters();
  }
  if (xmlError == "" && depth > 0) xmlError = "element that is not closed";
  if (xmlError == "" && elements == 0) xmlError = "no element";
  return xmlError == "";
}

function starts(literal: string): bool {
  return at + literal.length <= length && isText(text + at, literal.length, literal);
}

/** Goes to the end of what ends with `literal`; gives where its content ends, or -1 after an error. */
function skipPast(literal: string): i32 {
  const first = <u8>literal.charCodeAt(0);
  for (let i = indexOf(text, length, first, at); i >= 0; i = indexOf(text, length, first, i + 1)) {
    if (i + literal.length <= length && isText(text + i, literal.length, literal)) {
      at = i + literal.length;
      return i;
    }
  }
  xmlError = "markup that is not closed";
  return -1;
}

function markup(): void {
  if (starts("<!--")) {
    at += 4;
    skipPast("-->");
  } else if (starts("<![CDATA[")) {
    at += 9;
    const from = at;
    const end = skipPast("]]>");
    if (end > from) add(TEXT_NAME, 2, text + from, end - from);
  } else if (starts("<?")) skipPast("?>");
  else if (starts("<!DOCTYPE")) doctype();
  else if (starts("</")) endTag();
  else startTag();
}

/** A document type without an internal subset says nothing; one with it can declare entities. */
function doctype(): void {
  const from = at;
  const end = skipPast(">");
  if (end >= 0 && indexOf(text, end, 0x5b, from) >= 0) xmlError = "document type with an internal subset";
}

function add(name: usize, nameLen: i32, ptr: usize, len: i32): void {
  if (list.count >= limit) xmlError = "more arguments than SecArgumentsLimit allows";
  else list.add(arena, name, nameLen, ptr, len);
}

function characters(): void {
  const end = indexOf(text, length, 0x3c, at);
  const stop = end < 0 ? length : end;
  let blank = true;
  for (let i = at; i < stop && blank; i++) blank = isSpace(load<u8>(text + i));
  if (!blank) {
    if (depth == 0) xmlError = "text outside of elements";
    else if (resolve(text + at, stop - at)) add(TEXT_NAME, 2, resolvedPtr, resolvedLen);
  }
  at = stop;
}

/** Gives the length of the name at the position; names end at white space, `/`, `>`, `=` or `<`. */
function nameLength(): i32 {
  let i = at;
  while (i < length) {
    const c = load<u8>(text + i);
    if (isSpace(c) || c == 0x2f || c == 0x3e || c == 0x3d || c == 0x3c) break;
    i++;
  }
  return i - at;
}

function skipSpace(): void {
  while (at < length && isSpace(load<u8>(text + at))) at++;
}

function endTag(): void {
  at += 2;
  const n = nameLength();
  const name = text + at;
  at += n;
  skipSpace();
  if (at >= length || load<u8>(text + at) != 0x3e) {
    xmlError = "malformed end tag";
    return;
  }
  at++;
  depth--;
  const entry = open + ((<usize>depth) << 3);
  if (depth < 0 || !equal(load<u32>(entry), load<i32>(entry, 4), name, n)) xmlError = "end tag without its start tag";
}

function startTag(): void {
  at++;
  const n = nameLength();
  if (n == 0) {
    xmlError = "malformed tag";
    return;
  }
  if (depth == 0 && elements > 0) xmlError = "more than one root element";
  if (depth >= MAX_DEPTH) xmlError = "elements nested more than 1024 deep";
  if (xmlError != "") return;
  store<u32>(open + ((<usize>depth) << 3), <u32>(text + at));
  store<i32>(open + ((<usize>depth) << 3), n, 4);
  at += n;
  depth++;
  elements++;
  while (xmlError == "") {
    skipSpace();
    if (at >= length) {
      xmlError = "tag that is not closed";
      return;
    }
    if (load<u8>(text + at) == 0x3e) {
      at++;
      return;
    }
    if (starts("/>")) {
      at += 2;
      depth--;
      return;
    }
    attribute();
  }
}

function attribute(): void {
  const n = nameLength();
  at += n;
  skipSpace();
  if (n == 0 || at >= length || load<u8>(text + at) != 0x3d) {
    xmlError = "malformed attribute";
    return;
  }
  at++;
  skipSpace();
  const quote: u8 = at < length ? load<u8>(text + at) : 0;
  if (quote != 0x22 && quote != 0x27) {
    xmlError = "attribute value without quotes";
    return;
  }
  const end = indexOf(text, length, quote, at + 1);
  if (end < 0) {
    xmlError = "attribute value that is not closed";
    return;
  }
  if (resolve(text + at + 1, end - at - 1)) add(ATTRIBUTE_NAME, 4, resolvedPtr, resolvedLen);
  at = end + 1;
}

let resolvedPtr: usize = 0;
let resolvedLen: i32 = 0;

/** Resolves references; text without any is not copied. False after an error. */
function resolve(ptr: usize, len: i32): bool {
  resolvedPtr = ptr;
  resolvedLen = len;
  let i = indexOf(ptr, len, 0x26);
  if (i < 0) return true;
  const out = arena.reserve(<usize>len + 4);
  memory.copy(out, ptr, <usize>i);
  let to = out + i;
  while (i < len) {
    const c = load<u8>(ptr + i);
    if (c != 0x26) {
      store<u8>(to++, c);
      i++;
      continue;
    }
    const end = indexOf(ptr, min(len, i + 12), 0x3b, i);
    const code = end < 0 ? 0 : reference(ptr + i + 1, end - i - 1);
    if (code == 0) {
      xmlError = "reference to an entity that XML does not define";
      return false;
    }
    to += encode(to, code);
    i = end + 1;
  }
  arena.trim(to);
  resolvedPtr = out;
  resolvedLen = <i32>(to - out);
  return true;
}

/** Gives the character that a reference names, 0 if there is none. */
function reference(ptr: usize, len: i32): u32 {
  if (isText(ptr, len, "lt")) return 0x3c;
  if (isText(ptr, len, "gt")) return 0x3e;
  if (isText(ptr, len, "amp")) return 0x26;
  if (isText(ptr, len, "quot")) return 0x22;
  if (isText(ptr, len, "apos")) return 0x27;
  if (len < 2 || load<u8>(ptr) != 0x23) return 0;
  const hex = load<u8>(ptr + 1) == 0x78;
  let value: u32 = 0;
  for (let i = hex ? 2 : 1; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (hex ? !isHex(c) : !isDigit(c)) return 0;
    value = hex ? (value << 4) | hexValue(c) : value * 10 + (c - 0x30);
  }
  return value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ? 0 : value;
}
