/**
 * Sets of texts as policies write them. `abc` is that text, `abc*` what starts with it, `*abc` what ends with it,
 * `*` anything (https://istio.io/latest/docs/reference/config/security/authorization-policy/). Regular expressions
 * match whole values.
 *
 * Exact texts stand in a hash table once there are more than a few: a rule may list thousands of callers.
 */
import { Arena, make } from "../bytes/arena";
import { equal, equalFold, hashBytes, hashFold } from "../bytes/span";
import { inNetworks } from "../match/cidr";
import { globMatches } from "../match/glob";
import { matches } from "../match/regex/dfa";
import { Regex } from "../match/regex/program";
import { Template, templateMatches } from "./template";

export const M_EXACT: i32 = 0;
/** Starts with `ptr` and ends with `suffix`; either may be empty. */
export const M_AFFIX: i32 = 1;
/** Any value. */
export const M_PRESENT: i32 = 2;
/** Any value but the empty one. */
export const M_NOT_EMPTY: i32 = 3;
export const M_REGEX: i32 = 4;
export const M_TEMPLATE: i32 = 5;
/** `ptr` with `*` for anything, anywhere. */
export const M_GLOB: i32 = 6;

@unmanaged
export class StringMatch {
  kind: i32;
  ptr: usize;
  len: i32;
  suffix: usize;
  suffixLen: i32;
  /** Of kind M_REGEX; anchored on both sides. */
  regex: Regex;
  /** Of kind M_TEMPLATE. */
  template: Template;
  /** What else must match, where a value of a policy names two things: the subject of an issuer. */
  other: StringMatch | null;
  /** True if it is asked about the members of a list, false if about a text. */
  inList: bool;
  next: StringMatch | null;
  /** Next exact text with the same hash. */
  chain: StringMatch | null;
  /** Next member of the set, tabulated or not. */
  sibling: StringMatch | null;

  matches(ptr: usize, len: i32, fold: bool): bool {
    switch (this.kind) {
      case M_EXACT:
        return fold ? equalFold(this.ptr, this.len, ptr, len) : equal(this.ptr, this.len, ptr, len);
      case M_AFFIX:
        return this.hasAffixes(ptr, len, fold);
      case M_PRESENT:
        return true;
      case M_NOT_EMPTY:
        return len > 0;
      case M_REGEX:
        return matches(this.regex, ptr, len);
      case M_TEMPLATE:
        return templateMatches(this.template, ptr, len);
      default:
        return globMatches(this.ptr, this.len, ptr, len, fold);
    }
  }

  private hasAffixes(ptr: usize, len: i32, fold: bool): bool {
    if (len < this.len + this.suffixLen) return false;
    const end = ptr + <usize>(len - this.suffixLen);
    if (fold) return equalFold(this.ptr, this.len, ptr, this.len) && equalFold(this.suffix, this.suffixLen, end, this.suffixLen);
    return equal(this.ptr, this.len, ptr, this.len) && equal(this.suffix, this.suffixLen, end, this.suffixLen);
  }
}

/** Exact texts from which on a set has a hash table. */
const TABLE_FROM: i32 = 8;

@unmanaged
export class StringSet {
  /** True if case does not count. */
  fold: bool;
  /** All members. */
  members: StringMatch | null;
  /** Those that are not in the table. */
  private first: StringMatch | null;
  /** Addresses of exact texts by hash; 0 while there are few. */
  private table: usize;
  private mask: u32;
  exactCount: i32;
  count: i32;
  /** Networks (match/cidr.ts), where the values are addresses; 0 otherwise. */
  networks: usize;
  /** The same for paths in canonical form, see path.ts; null if no value changes. */
  canonical: StringSet | null;

  add(match: StringMatch): void {
    match.next = this.first;
    this.first = match;
    match.sibling = this.members;
    this.members = match;
    this.count++;
    if (match.kind == M_EXACT) this.exactCount++;
  }

  /** Moves exact texts to a table if there are many. To be called once, when all are added. */
  seal(arena: Arena): void {
    if (this.exactCount < TABLE_FROM) return;
    let slots: u32 = 16;
    while (slots < <u32>this.exactCount * 2) slots <<= 1;
    this.mask = slots - 1;
    this.table = arena.alloc((<usize>slots) << 2);
    let match = this.first;
    this.first = null;
    while (match) {
      const next: StringMatch | null = match.next;
      if (match.kind == M_EXACT) this.tabulate(match);
      else {
        match.next = this.first;
        this.first = match;
      }
      match = next;
    }
  }

  private slot(ptr: usize, len: i32): usize {
    const hash = this.fold ? hashFold(ptr, len) : hashBytes(ptr, len);
    return this.table + ((<usize>((hash ^ (hash >> 16)) & this.mask)) << 2);
  }

  private tabulate(match: StringMatch): void {
    const at = this.slot(match.ptr, match.len);
    match.chain = changetype<StringMatch | null>(<usize>load<u32>(at));
    store<u32>(at, changetype<u32>(match));
  }

  /** True if a member of the set matches the value. */
  has(ptr: usize, len: i32): bool {
    if (this.networks != 0) return inNetworks(this.networks, ptr, len);
    if (this.table != 0) {
      let exact = changetype<StringMatch | null>(<usize>load<u32>(this.slot(ptr, len)));
      for (; exact; exact = exact!.chain) if (exact.matches(ptr, len, this.fold)) return true;
    }
    for (let match: StringMatch | null = this.first; match; match = match!.next) if (match.matches(ptr, len, this.fold)) return true;
    return false;
  }

  static create(arena: Arena, fold: bool): StringSet {
    const set = make<StringSet>(arena);
    set.fold = fold;
    return set;
  }
}

/** Makes an exact text. */
export function exactly(arena: Arena, ptr: usize, len: i32): StringMatch {
  const match = make<StringMatch>(arena);
  match.ptr = ptr;
  match.len = len;
  return match;
}

/** Makes a match for what starts with one text and ends with another. */
export function between(arena: Arena, ptr: usize, len: i32, suffix: usize, suffixLen: i32): StringMatch {
  const match = exactly(arena, ptr, len);
  match.kind = M_AFFIX;
  match.suffix = suffix;
  match.suffixLen = suffixLen;
  return match;
}

/** Makes a match of a kind that has no text. */
export function anything(arena: Arena, kind: i32): StringMatch {
  const match = make<StringMatch>(arena);
  match.kind = kind;
  return match;
}

/** Makes the match for a text with `*` at its start or its end; `any` is the kind for a lone `*`. */
export function wildcard(arena: Arena, ptr: usize, len: i32, any: i32): StringMatch {
  const first = len > 0 ? load<u8>(ptr) : 0;
  const last = len > 0 ? load<u8>(ptr + <usize>(len - 1)) : 0;
  if (len == 1 && first == 0x2a) return anything(arena, any);
  if (first == 0x2a) return between(arena, ptr, 0, ptr + 1, len - 1);
  if (last == 0x2a) return between(arena, ptr, len - 1, ptr, 0);
  return exactly(arena, ptr, len);
}
