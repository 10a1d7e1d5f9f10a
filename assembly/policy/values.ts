/**
 * The values of a condition, read: what a text of a policy means depends on the attribute it is compared with.
 * Istio's rules for each are in its generator (istio.io/istio, pilot/pkg/security/authz/model/generator.go).
 */
import { Arena } from "../bytes/arena";
import { isHex } from "../bytes/ascii";
import { Buffer } from "../bytes/buffer";
import { indexOf, isUnsigned, lastIndexOf, parsedInt } from "../bytes/span";
import { expected } from "../config/check";
import { JsonNode } from "../config/json";
import { compileNetworks } from "../match/cidr";
import { compileRegex, regexError } from "../match/regex/index";
import {
  A_DESTINATION_IP,
  A_DESTINATION_PORT,
  A_EDGE_CLIENT,
  A_EDGE_INSPECTED,
  A_EDGE_SCORE,
  A_HEADER,
  A_HOST,
  A_METADATA,
  A_METHOD,
  A_NAMESPACE,
  A_PATH,
  A_PRINCIPAL,
  A_QUERY,
  A_REMOTE_IP,
  A_REQUEST_PRINCIPAL,
  A_SERVICE_ACCOUNT,
  A_SOURCE_IP,
  A_TIME,
  A_TRUST_DOMAIN,
} from "./model";
import { canonical, canonicalLen, canonicalPtr, PathOptions } from "./path";
import { isRange } from "./range";
import { anything, between, exactly, M_EXACT, M_GLOB, M_NOT_EMPTY, M_PRESENT, M_REGEX, M_TEMPLATE, StringMatch, StringSet, wildcard } from "./strings";
import { isTemplate, parseTemplate, templateError } from "./template";
import { isWindow } from "./time";
import { TrustDomains } from "./trust";

/** What reading values needs to know beside the values. */
@unmanaged
export class Reading {
  arena: Arena;
  paths: PathOptions;
  trust: TrustDomains;
  /** Namespace of the policy: what a service account without one is in. */
  namespace: usize;
  namespaceLen: i32;
  /** True once a path had another canonical form, see `StringSet.canonical`. */
  hasCanonical: bool;
}

/** Service accounts that a list may name, and bytes of each: Istio's limits. */
const MAX_ACCOUNTS: i32 = 16;
const MAX_ACCOUNT: i32 = 320;

/** Reads a list of values of an attribute. Null: see `configError`. */
export function readValues(reading: Reading, list: JsonNode, attribute: i32): StringSet | null {
  const arena = reading.arena;
  const set = StringSet.create(arena, attribute == A_HOST);
  for (let node: JsonNode | null = list.child; node; node = node!.next) {
    if (node.len == 0) {
      expected(node, "a text that is not empty");
      return null;
    }
  }
  if (attribute == A_SOURCE_IP || attribute == A_REMOTE_IP || attribute == A_DESTINATION_IP || attribute == A_EDGE_CLIENT)
    return readNetworks(arena, list, set);
  if (attribute == A_SERVICE_ACCOUNT && list.count > MAX_ACCOUNTS) {
    expected(list, "at most 16 service accounts");
    return null;
  }
  for (let node: JsonNode | null = list.child; node; node = node!.next) if (!readValue(reading, set, node, attribute)) return null;
  if (attribute == A_PATH) addCanonical(reading, set);
  set.seal(arena);
  return set;
}

function readValue(reading: Reading, set: StringSet, node: JsonNode, attribute: i32): bool {
  const arena = reading.arena;
  const ptr = node.ptr;
  const len = node.len;
  switch (attribute) {
    case A_PRINCIPAL:
      reading.trust.expand(arena, set, ptr, len);
      return true;
    case A_NAMESPACE:
      set.add(indexOf(ptr, len, 0x2a) < 0 ? exactly(arena, ptr, len) : namespaceGlob(arena, ptr, len));
      return true;
    case A_SERVICE_ACCOUNT:
      return readAccount(reading, set, node);
    case A_TRUST_DOMAIN:
      return readTrustDomain(reading, set, node);
    case A_REQUEST_PRINCIPAL:
      set.add(requestPrincipal(arena, ptr, len));
      return true;
    case A_DESTINATION_PORT:
      return readPort(arena, set, node);
    case A_PATH:
      return readPath(arena, set, node);
    case A_TIME:
      set.add(exactly(arena, ptr, len));
      return isWindow(ptr, len) || expected(node, "a window of time in UTC, as in `Mon-Fri 08:00-18:00`");
    case A_EDGE_SCORE:
      set.add(exactly(arena, ptr, len));
      return isRange(ptr, len) || expected(node, "a bound or a range of scores, as in `<5`, `>=5`, `3` or `1-4`");
    case A_EDGE_INSPECTED:
      set.add(exactly(arena, ptr, len));
      return isInspected(node) || expected(node, "full, partial, headers or no");
    case A_METADATA:
      set.add(metadataValue(arena, ptr, len));
      return true;
    case A_HEADER:
    case A_HOST:
    case A_METHOD:
    case A_QUERY:
      set.add(wildcard(arena, ptr, len, M_PRESENT));
      return true;
    default:
      set.add(wildcard(arena, ptr, len, M_NOT_EMPTY));
      return true;
  }
}

function isInspected(node: JsonNode): bool {
  return node.is("full") || node.is("partial") || node.is("headers") || node.is("no");
}

/** Joins a list of addresses and networks into one set. */
function readNetworks(arena: Arena, list: JsonNode, set: StringSet): StringSet | null {
  const text = Buffer.create(64);
  let ok = true;
  for (let node: JsonNode | null = list.child; node && ok; node = node!.next) {
    if (!isAddress(node.ptr, node.len) || compileNetworks(arena, node.ptr, node.len) == 0)
      ok = expected(node, "an IP address or a network, as in `10.1.0.0/16`");
    if (text.len > 0) text.byte(0x2c);
    text.bytes(node.ptr, node.len);
  }
  if (ok) {
    set.networks = compileNetworks(arena, text.ptr, text.len);
    set.count = list.count;
  }
  heap.free(text.ptr);
  heap.free(changetype<usize>(text));
  return ok ? set : null;
}

/** Characters of an address: the set's own syntax allows lists and comments, a policy does not. */
function isAddress(ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (!isHex(c) && c != 0x2e && c != 0x3a && c != 0x2f) return false;
  }
  return true;
}

// What Istio writes as `.*/ns/a.*b/.*` for the whole identity.
function namespaceGlob(arena: Arena, ptr: usize, len: i32): StringMatch {
  const pattern = arena.reserve(<usize>len + 7);
  store<u32>(pattern, 0x736e2f2a); // */ns
  store<u8>(pattern, 0x2f, 4);
  memory.copy(pattern + 5, ptr, <usize>len);
  store<u16>(pattern + <usize>(5 + len), 0x2a2f); // /*
  const match = exactly(arena, pattern, len + 7);
  match.kind = M_GLOB;
  return match;
}

function readAccount(reading: Reading, set: StringSet, node: JsonNode): bool {
  const slash = indexOf(node.ptr, node.len, 0x2f);
  const ok = slash != 0 && slash != node.len - 1 && slash == lastIndexOf(node.ptr, node.len, 0x2f) && indexOf(node.ptr, node.len, 0x2a) < 0;
  if (!ok || node.len > MAX_ACCOUNT) return expected(node, "`serviceAccount` or `namespace/serviceAccount`, without wildcards, of at most 320 bytes");
  const from = slash + 1;
  // namespace, then account
  const match = slash < 0 ? exactly(reading.arena, reading.namespace, reading.namespaceLen) : exactly(reading.arena, node.ptr, slash);
  match.suffix = node.ptr + <usize>from;
  match.suffixLen = node.len - from;
  if (match.len == 0) return expected(node, "`namespace/serviceAccount`, since the policy has no namespace");
  set.add(match);
  return true;
}

function readTrustDomain(reading: Reading, set: StringSet, node: JsonNode): bool {
  const star = indexOf(node.ptr, node.len, 0x2a);
  const inside = star > 0 && star < node.len - 1;
  if (inside || star != lastIndexOf(node.ptr, node.len, 0x2a) || indexOf(node.ptr, node.len, 0x2f) >= 0) {
    return expected(node, "a trust domain without `/`, with at most one `*`, at its start or end");
  }
  reading.trust.expandDomain(reading.arena, set, node.ptr, node.len);
  return true;
}

/** `issuer/subject`, each with wildcards; issuers may be URLs, so the last slash counts. */
function requestPrincipal(arena: Arena, ptr: usize, len: i32): StringMatch {
  const slash = lastIndexOf(ptr, len, 0x2f);
  const starts = load<u8>(ptr) == 0x2a;
  const ends = load<u8>(ptr + <usize>(len - 1)) == 0x2a;
  const issuerLen = slash < 0 ? len : slash;
  const subject = ptr + <usize>(slash + 1);
  const subjectLen = slash < 0 ? 0 : len - slash - 1;
  let issuer: StringMatch;
  let other: StringMatch;
  if (len == 1 && starts) {
    issuer = anything(arena, M_NOT_EMPTY);
    other = anything(arena, M_NOT_EMPTY);
  } else if (starts && slash < 0) {
    issuer = anything(arena, M_NOT_EMPTY);
    other = between(arena, ptr, 0, ptr + 1, len - 1);
  } else if (starts) {
    issuer = issuerLen == 1 ? anything(arena, M_NOT_EMPTY) : between(arena, ptr, 0, ptr + 1, issuerLen - 1);
    other = exactly(arena, subject, subjectLen);
  } else if (ends && slash < 0) {
    issuer = between(arena, ptr, len - 1, ptr, 0);
    other = anything(arena, M_NOT_EMPTY);
  } else if (ends) {
    issuer = exactly(arena, ptr, issuerLen);
    other = subjectLen == 1 ? anything(arena, M_NOT_EMPTY) : between(arena, subject, subjectLen - 1, subject, 0);
  } else {
    issuer = exactly(arena, ptr, issuerLen);
    other = exactly(arena, subject, subjectLen);
  }
  issuer.other = other;
  return issuer;
}

function readPort(arena: Arena, set: StringSet, node: JsonNode): bool {
  if (!isUnsigned(node.ptr, node.len) || parsedInt > 65535) return expected(node, "a port from 0 to 65535, in quotes");
  const value = Buffer.create(8);
  value.int(parsedInt);
  set.add(exactly(arena, arena.copy(value.ptr, value.len), value.len));
  heap.free(value.ptr);
  heap.free(changetype<usize>(value));
  return true;
}

function readPath(arena: Arena, set: StringSet, node: JsonNode): bool {
  if (isTemplate(node.ptr, node.len)) {
    const template = parseTemplate(arena, node.ptr, node.len);
    if (!template) return expected(node, templateError);
    const match = exactly(arena, node.ptr, node.len);
    match.kind = M_TEMPLATE;
    match.template = template;
    set.add(match);
    return true;
  }
  if (indexOf(node.ptr, node.len, 0x7b) >= 0 || indexOf(node.ptr, node.len, 0x7d) >= 0) {
    return expected(node, "a path without `{` and `}`, other than in `{*}` and `{**}` as whole segments");
  }
  set.add(wildcard(arena, node.ptr, node.len, M_NOT_EMPTY));
  return true;
}

/** Adds the set of the same paths in canonical form, if any of them has another one. */
function addCanonical(reading: Reading, set: StringSet): void {
  const arena = reading.arena;
  const other = StringSet.create(arena, false);
  let differs = false;
  for (let match: StringMatch | null = set.members; match; match = match!.sibling) {
    const copy = changetype<StringMatch>(arena.copy(changetype<usize>(match), <i32>offsetof<StringMatch>()));
    if (match.kind == M_TEMPLATE) {
      canonical(arena, match.ptr, match.len, reading.paths, false);
      const template = parseTemplate(arena, canonicalPtr, canonicalLen);
      if (template) copy.template = template;
      differs = differs || canonicalLen != match.len || memory.compare(canonicalPtr, match.ptr, <usize>match.len) != 0;
    } else if (match.kind == M_EXACT || match.len > 0 || match.suffixLen > 0) {
      canonical(arena, match.ptr, match.len, reading.paths, match.kind == M_EXACT);
      copy.ptr = canonicalPtr;
      copy.len = canonicalLen;
      differs = differs || canonicalLen != match.len || memory.compare(canonicalPtr, match.ptr, <usize>match.len) != 0;
      canonical(arena, match.suffix, match.suffixLen, reading.paths, false);
      copy.suffix = canonicalPtr;
      copy.suffixLen = canonicalLen;
      differs = differs || canonicalLen != match.suffixLen || memory.compare(canonicalPtr, match.suffix, <usize>match.suffixLen) != 0;
    }
    other.add(copy);
  }
  if (!differs) return;
  other.seal(arena);
  set.canonical = other;
  reading.hasCanonical = true;
}

/** `[v]` asks for a list with a member `v`, any other value for a text. */
function metadataValue(arena: Arena, ptr: usize, len: i32): StringMatch {
  const inList = len >= 2 && load<u8>(ptr) == 0x5b && load<u8>(ptr + <usize>(len - 1)) == 0x5d;
  if (!inList) return wildcard(arena, ptr, len, M_NOT_EMPTY);
  let from = 0;
  let to = len;
  while (from < to && isBracket(load<u8>(ptr + from))) from++;
  while (to > from && isBracket(load<u8>(ptr + <usize>(to - 1)))) to--;
  const match = wildcard(arena, ptr + <usize>from, to - from, M_NOT_EMPTY);
  match.inList = true;
  return match;
}

function isBracket(c: u8): bool {
  return c == 0x5b || c == 0x5d;
}

const pattern: Buffer = Buffer.create(256);

/** Reads a list of regular expressions (RE2's syntax) for whole values. Null: see `configError`. */
export function readPatterns(arena: Arena, list: JsonNode, into: StringSet | null, fold: bool): StringSet | null {
  const set = into ? into : StringSet.create(arena, fold);
  for (let node: JsonNode | null = list.child; node; node = node!.next) {
    pattern.clear();
    pattern
      .text(fold ? "(?is)^(?:" : "(?s)^(?:")
      .bytes(node.ptr, node.len)
      .text(")$");
    const regex = compileRegex(arena, arena.copy(pattern.ptr, pattern.len), pattern.len);
    if (!regex) {
      expected(node, "a regular expression in RE2's syntax: " + regexError);
      return null;
    }
    const match = exactly(arena, node.ptr, node.len);
    match.kind = M_REGEX;
    match.regex = regex;
    set.add(match);
    const other = set.canonical;
    if (other) other.add(changetype<StringMatch>(arena.copy(changetype<usize>(match), <i32>offsetof<StringMatch>())));
  }
  return set;
}
