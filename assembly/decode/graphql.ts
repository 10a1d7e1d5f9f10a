/**
 * What a GraphQL document asks for (https://spec.graphql.org/October2021/): types and names of its operations, and
 * names of their fields. Aliases do not count, since they hide what is asked for; fragments are followed where they
 * are spread among the fields at the root. It neither recurses nor executes; a document that it cannot follow to the
 * end is an error, and the caller decides what that means.
 */
import { Arena, make } from "../bytes/arena";
import { isDigit, isWord } from "../bytes/ascii";
import { equal, isText } from "../bytes/span";

export const G_TYPE: i32 = 0;
export const G_OPERATION: i32 = 1;
/** A field of an operation itself. */
export const G_ROOT_FIELD: i32 = 2;
/** A field at any depth. */
export const G_FIELD: i32 = 3;
/** Inner: a fragment that is spread among root fields. */
const SPREAD: i32 = 4;
/** Inner: a fragment's own name. */
const FRAGMENT: i32 = 5;

/** Something that a document names. */
@unmanaged
export class Mention {
  kind: i32;
  ptr: usize;
  len: i32;
  /** The fragment in which it stands, null for an operation. */
  owner: Mention | null;
  /** Of a fragment: whether its fields are fields of an operation. */
  isRoot: bool;
  next: Mention | null;
}

/** Selections within selections, and names, that a document may have. */
const MAX_DEPTH: i32 = 64;
const MAX_MENTIONS: i32 = 2048;
/** Fragments: following them costs their number squared. */
const MAX_FRAGMENTS: i32 = 64;

// Kinds of tokens; punctuation is its own byte.
const END: i32 = 0;
const NAME: i32 = 1;
const VALUE: i32 = 2;
const SPREAD_DOTS: i32 = 3;
const BAD: i32 = 4;

let arena: Arena = changetype<Arena>(0);
let text: usize = 0;
let length: i32 = 0;
let at: i32 = 0;
// The current token.
let kind: i32 = 0;
let namePtr: usize = 0;
let nameLen: i32 = 0;

let head: Mention | null = null;
let count: i32 = 0;
let fragments: i32 = 0;
let owner: Mention | null = null;
/** For each open selection, whether it belongs to a field rather than to a fragment or operation. */
const ofField: usize = memory.data(64);

/** Reads a document into a list of mentions, put before `list`. Null: it cannot be followed. */
export function readGraphql(target: Arena, ptr: usize, len: i32, list: Mention | null): Mention | null {
  arena = target;
  text = ptr;
  length = len;
  at = 0;
  head = list;
  count = 0;
  fragments = 0;
  advance();
  do {
    if (!readDefinition()) return null;
  } while (kind != END);
  followSpreads();
  return head;
}

function mention(what: i32, ptr: usize, len: i32): Mention {
  const made = make<Mention>(arena);
  made.kind = what;
  made.ptr = ptr;
  made.len = len;
  made.owner = owner;
  made.next = head;
  head = made;
  count++;
  return made;
}

const QUERY: usize = memory.data<u8>([0x71, 0x75, 0x65, 0x72, 0x79]);

function readDefinition(): bool {
  owner = null;
  if (kind == 0x7b) {
    mention(G_TYPE, QUERY, 5);
    return readSelections();
  }
  if (kind != NAME) return false;
  if (isText(namePtr, nameLen, "fragment")) return readFragment();
  if (!isText(namePtr, nameLen, "query") && !isText(namePtr, nameLen, "mutation") && !isText(namePtr, nameLen, "subscription")) return false;
  mention(G_TYPE, namePtr, nameLen);
  advance();
  if (kind == NAME) {
    mention(G_OPERATION, namePtr, nameLen);
    advance();
  }
  return skipArguments() && skipDirectives() && readSelections();
}

function readFragment(): bool {
  advance();
  if (kind != NAME || ++fragments > MAX_FRAGMENTS) return false;
  owner = mention(FRAGMENT, namePtr, nameLen);
  advance();
  return skipTypeCondition() && skipDirectives() && readSelections();
}

/** Goes over `on Type`. */
function skipTypeCondition(): bool {
  if (kind != NAME || !isText(namePtr, nameLen, "on")) return false;
  advance();
  if (kind != NAME) return false;
  advance();
  return true;
}

/** Goes over `(...)`, if there is one. */
function skipArguments(): bool {
  if (kind != 0x28) return true;
  let depth = 0;
  while (true) {
    if (kind == 0x28) depth++;
    if (kind == 0x29) depth--;
    if (kind == END || kind == BAD) return false;
    advance();
    if (depth == 0) return true;
  }
}

function skipDirectives(): bool {
  while (kind == 0x40) {
    advance();
    if (kind != NAME) return false;
    advance();
    if (!skipArguments()) return false;
  }
  return true;
}

/** Reads `{...}` and all that is in it. */
function readSelections(): bool {
  let depth = 0;
  let fields = 0;
  let isField = false;
  while (true) {
    if (count > MAX_MENTIONS) return false;
    if (kind == 0x7b) {
      if (depth == MAX_DEPTH) return false;
      store<u8>(ofField + <usize>depth, isField ? 1 : 0);
      if (isField) fields++;
      depth++;
      advance();
    } else if (kind == 0x7d) {
      if (depth == 0) return false;
      depth--;
      fields -= <i32>load<u8>(ofField + <usize>depth);
      advance();
      if (depth == 0) return true;
    } else if (depth == 0) return false;
    isField = false;
    if (kind == NAME) {
      if (!readField(fields == 0)) return false;
      isField = true;
    } else if (kind == SPREAD_DOTS) {
      if (!readSpread(fields == 0)) return false;
    } else if (kind != 0x7d) return false;
  }
}

function readField(isRoot: bool): bool {
  let ptr = namePtr;
  let len = nameLen;
  advance();
  if (kind == 0x3a) {
    // what came was an alias
    advance();
    if (kind != NAME) return false;
    ptr = namePtr;
    len = nameLen;
    advance();
  }
  mention(G_FIELD, ptr, len);
  if (isRoot) mention(G_ROOT_FIELD, ptr, len);
  return skipArguments() && skipDirectives();
}

/** Reads `...Name`, or the start of `... on Type {` and `... {`. */
function readSpread(isRoot: bool): bool {
  advance();
  if (kind == NAME && !isText(namePtr, nameLen, "on")) {
    if (isRoot) mention(SPREAD, namePtr, nameLen);
    advance();
    return skipDirectives();
  }
  if (kind == NAME && !skipTypeCondition()) return false;
  return skipDirectives() && kind == 0x7b;
}

/** Marks fragments that are spread at the root of an operation, or of a fragment that is. */
function followSpreads(): void {
  let changed = fragments > 0;
  while (changed) {
    changed = false;
    for (let spread: Mention | null = head; spread; spread = spread!.next) {
      if (spread.kind == SPREAD && isOfOperation(spread) && markFragments(spread)) changed = true;
    }
  }
}

function markFragments(spread: Mention): bool {
  let changed = false;
  for (let fragment: Mention | null = head; fragment; fragment = fragment!.next) {
    if (fragment.kind != FRAGMENT || fragment.isRoot || !equal(fragment.ptr, fragment.len, spread.ptr, spread.len)) continue;
    fragment.isRoot = true;
    changed = true;
  }
  return changed;
}

/** True if what is mentioned belongs to an operation, directly or through fragments. */
export function isOfOperation(mentioned: Mention): bool {
  const within = mentioned.owner;
  return !within || within.isRoot;
}

/** Reads the next token. */
function advance(): void {
  skipIgnored();
  if (at >= length) {
    kind = END;
    return;
  }
  const c = load<u8>(text + at);
  if (isWord(c) && !isDigit(c)) readName();
  else if (c == 0x22) readString();
  else if (isDigit(c) || c == 0x2d) readNumber();
  else if (c == 0x2e) readDots();
  else {
    kind = isPunctuator(c) ? <i32>c : BAD;
    at++;
  }
}

/** White space, commas, byte order marks and comments mean nothing. */
function skipIgnored(): void {
  while (at < length) {
    const c = load<u8>(text + at);
    if (c == 0x23) while (at < length && load<u8>(text + at) != 0x0a && load<u8>(text + at) != 0x0d) at++;
    else if (c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d || c == 0x2c) at++;
    else if (c == 0xef && at + 2 < length && load<u8>(text + at + 1) == 0xbb && load<u8>(text + at + 2) == 0xbf) at += 3;
    else return;
  }
}

function isPunctuator(c: u8): bool {
  switch (c) {
    case 0x21: // !
    case 0x24: // $
    case 0x26: // &
    case 0x28: // (
    case 0x29: // )
    case 0x3a: // :
    case 0x3d: // =
    case 0x40: // @
    case 0x5b: // [
    case 0x5d: // ]
    case 0x7b: // {
    case 0x7c: // |
    case 0x7d: // }
      return true;
  }
  return false;
}

function readName(): void {
  const start = at;
  while (at < length && isWord(load<u8>(text + at))) at++;
  kind = NAME;
  namePtr = text + <usize>start;
  nameLen = at - start;
}

function readNumber(): void {
  kind = VALUE;
  at++;
  while (at < length) {
    const c = load<u8>(text + at);
    if (!isWord(c) && c != 0x2b && c != 0x2d && c != 0x2e) return;
    at++;
  }
}

function readDots(): void {
  const ok = at + 3 <= length && load<u8>(text + at + 1) == 0x2e && load<u8>(text + at + 2) == 0x2e;
  kind = ok ? SPREAD_DOTS : BAD;
  at += ok ? 3 : 1;
}

function isQuotes(i: i32): bool {
  return i + 3 <= length && load<u8>(text + i) == 0x22 && load<u8>(text + i + 1) == 0x22 && load<u8>(text + i + 2) == 0x22;
}

/** Reads `"..."` or `"""..."""`. */
function readString(): void {
  kind = VALUE;
  if (isQuotes(at)) {
    at += 3;
    while (at < length && !isQuotes(at)) at += load<u8>(text + at) == 0x5c && isQuotes(at + 1) ? 4 : 1;
    if (at >= length) kind = BAD;
    at += 3;
    return;
  }
  at++;
  while (at < length && load<u8>(text + at) != 0x22) {
    const c = load<u8>(text + at);
    if (c == 0x0a || c == 0x0d) break;
    at += c == 0x5c ? 2 : 1;
  }
  if (at >= length || load<u8>(text + at) != 0x22) kind = BAD;
  at++;
}
