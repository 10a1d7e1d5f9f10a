/**
 * Finds the rules that can apply, without looking at the others.
 *
 * A rule that lists callers, methods or paths can only hold for requests that have one of them. So each rule is put
 * into one hash table under what it requires: who (a principal, a service account, a namespace, or anyone), where (a
 * whole path, its first one or two segments, or any), and how (a method, or any). Such a combination is a *shape*;
 * there are 32. A request is looked up once for each shape that occurs, with its own caller, path and method in the
 * places that the shape has: a handful of probes, however many policies there are (tuple space search, Srinivasan,
 * Suri and Varghese, SIGCOMM 1999).
 *
 * The table holds hashes only. Two things with the same hash cost a look at a rule that does not hold: rules are
 * always evaluated as a whole. Rules that require nothing of this kind are under the shape of anyone, any, any.
 */
import { Arena, make } from "../bytes/arena";
import { FNV_BASIS, FNV_PRIME, hashBytes } from "../bytes/span";
import { A_METHOD, A_NAMESPACE, A_PATH, A_PRINCIPAL, A_SERVICE_ACCOUNT, Clause, Condition, Rule } from "./model";
import * as request from "./request";
import { identity, PRESENT, UNREADABLE } from "./request";
import { M_AFFIX, M_EXACT, M_TEMPLATE, StringMatch, StringSet } from "./strings";

// Who.
const ANYONE: u32 = 0;
const BY_PRINCIPAL: u32 = 1;
const BY_ACCOUNT: u32 = 2;
const BY_NAMESPACE: u32 = 3;
// Where, in bits 2 and 3 of a shape.
const ANYWHERE: u32 = 0;
const BY_PATH: u32 = 1;
const BY_SEGMENT: u32 = 2;
const BY_TWO_SEGMENTS: u32 = 3;
/** How: bit 4 of a shape. */
const BY_METHOD: u32 = 16;
const SHAPES: i32 = 32;

// Which requirements an index goes by.
export const WHO: u32 = 1;
export const WHERE: u32 = 2;
export const HOW: u32 = 4;

/** Places that one rule may take in the table: a rule with more is put where it requires less. */
const MAX_PLACES: i32 = 4096;

/** A rule under a hash. */
@unmanaged
class Place {
  rule: Rule;
  hash: u32;
  /** Next with the same slot. */
  next: Place | null;
  /** Next of all. */
  link: Place | null;
}

@unmanaged
export class Index {
  private table: usize;
  private mask: u32;
  private shapes: u32;
  private places: Place | null;
  private count: i32;
  /** All rules, for callers that are not taken apart. */
  private rules: usize;
  private ruleCount: i32;
  private ruleLimit: i32;

  /** Which requirements it goes by: WHO, WHERE, HOW. */
  private parts: u32;

  /** Makes an index for up to so many rules. */
  static create(arena: Arena, rules: i32, parts: u32 = WHO | WHERE | HOW): Index {
    const index = make<Index>(arena);
    index.parts = parts;
    index.rules = arena.alloc((<usize>rules) << 2);
    index.ruleLimit = rules;
    return index;
  }

  get isEmpty(): bool {
    return this.ruleCount == 0;
  }

  get size(): i32 {
    return this.ruleCount;
  }

  ruleAt(i: i32): Rule {
    return changetype<Rule>(<usize>load<u32>(this.rules + ((<usize>i) << 2)));
  }

  /** Adds a rule; there are at most as many as `create` was told. */
  add(arena: Arena, rule: Rule): void {
    if (this.ruleCount == this.ruleLimit) return;
    store<u32>(this.rules + ((<usize>this.ruleCount) << 2), changetype<u32>(rule));
    this.ruleCount++;
    let source = rule.sources;
    do {
      let operation = rule.operations;
      do {
        this.addBranch(arena, rule, source, operation);
        operation = operation ? operation!.next : null;
      } while (operation);
      source = source ? source!.next : null;
    } while (source);
  }

  /** Puts a rule where one of its sources and one of its operations require. */
  private addBranch(arena: Arena, rule: Rule, source: Clause | null, operation: Clause | null): void {
    const who = this.goesBy(WHO) ? callersOf(source, rule.when) : null;
    let paths = this.goesBy(WHERE) ? pathsOf(operation, rule.when) : null;
    let methods = this.goesBy(HOW) ? methodsOf(operation, rule.when) : null;
    const callers = who ? who.count : 1;
    if (methods && callers * methods.count * (paths ? paths.count : 1) > MAX_PLACES) methods = null;
    if (paths && callers * paths.count * (methods ? methods.count : 1) > MAX_PLACES) paths = null;
    if (callers > MAX_PLACES || !who) this.addPaths(arena, rule, ANYONE, 0, paths, methods);
    else {
      for (let caller: StringMatch | null = who.members; caller; caller = caller!.sibling) {
        this.addPaths(arena, rule, callerKind, callerHash(callerKind, caller), paths, methods);
      }
    }
  }

  private goesBy(part: u32): bool {
    return (this.parts & part) != 0;
  }

  private addPaths(arena: Arena, rule: Rule, kind: u32, hash: u32, paths: StringSet | null, methods: StringSet | null): void {
    if (!paths) {
      this.addMethods(arena, rule, kind, hash, methods);
      return;
    }
    for (let path: StringMatch | null = paths.members; path; path = path!.sibling) {
      keyOfPath(path);
      this.addMethods(arena, rule, kind | (pathKind << 2), mix(hash, pathHash), methods);
    }
    const canonical = paths.canonical;
    if (canonical) this.addPaths(arena, rule, kind, hash, canonical, methods);
  }

  private addMethods(arena: Arena, rule: Rule, shape: u32, hash: u32, methods: StringSet | null): void {
    if (!methods) {
      this.put(arena, rule, shape, hash);
      return;
    }
    for (let method: StringMatch | null = methods.members; method; method = method!.sibling) {
      this.put(arena, rule, shape | BY_METHOD, mix(hash, hashBytes(method.ptr, method.len)));
    }
  }

  private put(arena: Arena, rule: Rule, shape: u32, hash: u32): void {
    const place = make<Place>(arena);
    place.rule = rule;
    place.hash = mix(hash, shape);
    place.link = this.places;
    this.places = place;
    this.shapes |= (<u32>1) << shape;
    this.count++;
  }

  /** Builds the table; nothing may be added afterwards. Rules keep their order within a slot. */
  seal(arena: Arena): void {
    let slots: u32 = 16;
    while (slots < <u32>this.count * 2) slots <<= 1;
    this.mask = slots - 1;
    this.table = arena.alloc((<usize>slots) << 2);
    for (let place: Place | null = this.places; place; place = place!.link) {
      const slot = this.table + ((<usize>(place.hash & this.mask)) << 2);
      place.next = changetype<Place | null>(<usize>load<u32>(slot));
      store<u32>(slot, changetype<u32>(place));
    }
  }

  /** Gives the shapes that occur with numbers above `shape`, as a map of bits. */
  shapesAfter(shape: i32): u32 {
    if (shape < 0) return this.shapes;
    return shape == SHAPES - 1 ? 0 : this.shapes & ~(((<u32>2) << (<u32>shape)) - 1);
  }

  firstPlace(hash: u32): Place | null {
    return changetype<Place | null>(<usize>load<u32>(this.table + ((<usize>(hash & this.mask)) << 2)));
  }

  /** Starts going over the rules that can hold for the request. */
  start(): void {
    at = this;
    place = null;
    shape = -1;
    // an identity of another form may belong to several namespaces, and one that cannot be read to anybody
    const state = request.readIdentity();
    linear = state == UNREADABLE || (state == PRESENT && !identity.plain) ? 0 : -1;
    if (linear < 0) readKeys();
  }
}

// What `start` began.
let at: Index = changetype<Index>(0);
let place: Place | null = null;
let shape: i32 = 0;
let linear: i32 = 0;
let wanted: u32 = 0;

/** Gives the next rule that can hold, null after the last. One may come more than once. */
export function nextRule(): Rule | null {
  if (linear >= 0) return linear < at.size ? at.ruleAt(linear++) : null;
  while (true) {
    while (place) {
      const current = place!;
      place = current.next;
      if (current.hash == wanted) return current.rule;
    }
    if (!nextShape()) return null;
  }
}

function nextShape(): bool {
  const rest = at.shapesAfter(shape);
  if (rest == 0) return false;
  shape = ctz(rest);
  const who = <u32>shape & 3;
  const where = (<u32>shape >> 2) & 3;
  const missing = (who != ANYONE && !hasCaller) || where > segments;
  if (missing) return true;
  let hash: u32 = 0;
  if (who != ANYONE) hash = load<u32>(callerHashes + ((<usize>who) << 2));
  if (where != ANYWHERE) hash = mix(hash, load<u32>(pathHashes + ((<usize>where) << 2)));
  if ((shape & BY_METHOD) != 0) hash = mix(hash, methodHash);
  wanted = mix(hash, shape);
  place = at.firstPlace(wanted);
  return true;
}

// Hashes of the request: of its caller by kind, of its path by kind, of its method.
const callerHashes: usize = memory.data(16);
const pathHashes: usize = memory.data(16);
let methodHash: u32 = 0;
let hasCaller: bool = false;
/** Greatest kind of path key that the path has. */
let segments: u32 = 0;

function readKeys(): void {
  hasCaller = request.readIdentity() == PRESENT;
  if (hasCaller) {
    store<u32>(callerHashes, hashBytes(identity.ptr, identity.len), 4);
    const namespace = hashBytes(identity.namespace, identity.namespaceLen);
    store<u32>(callerHashes, mix(namespace, hashBytes(identity.account, identity.accountLen)), 8);
    store<u32>(callerHashes, namespace, 12);
  }
  methodHash = hashBytes(request.methodPtr, request.methodLen);
  readPathKeys();
}

/** Hashes the path, and its parts before the second and third slash, in one go. */
function readPathKeys(): void {
  const ptr = request.formPtr;
  const len = request.formLen;
  let hash = FNV_BASIS;
  let slashes = 0;
  segments = BY_PATH;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c == 0x2f) {
      slashes++;
      if (slashes == 2) {
        store<u32>(pathHashes, hash, 8);
        segments = BY_SEGMENT;
      } else if (slashes == 3) {
        store<u32>(pathHashes, hash, 12);
        segments = BY_TWO_SEGMENTS;
      }
    }
    hash = (hash ^ <u32>c) * FNV_PRIME;
  }
  store<u32>(pathHashes, hash, 4);
}

/** Joins hashes; the order counts. */
function mix(a: u32, b: u32): u32 {
  let h = (a ^ b) * 0x9e3779b1;
  h ^= h >> 15;
  return rotl<u32>(h, 5) + b;
}

// What the functions below found.
let callerKind: u32 = 0;
let pathKind: u32 = 0;
let pathHash: u32 = 0;

/** Gives the callers that a source or `when` requires, all of one kind, or null. */
function callersOf(source: Clause | null, when: Clause): StringSet | null {
  const own = source ? callersIn(source) : null;
  return own ? own : callersIn(when);
}

function callersIn(clause: Clause): StringSet | null {
  let found: StringSet | null = null;
  callerKind = ANYONE;
  for (let condition: Condition | null = clause.first; condition; condition = condition!.next) {
    const values = condition.values;
    const kind = kindOfCaller(condition.attribute);
    if (!values || kind == ANYONE || values.exactCount < values.count) continue;
    // the lower kinds say more
    if (callerKind != ANYONE && callerKind < kind) continue;
    callerKind = kind;
    found = values;
  }
  return found;
}

function kindOfCaller(attribute: i32): u32 {
  if (attribute == A_PRINCIPAL) return BY_PRINCIPAL;
  if (attribute == A_SERVICE_ACCOUNT) return BY_ACCOUNT;
  return attribute == A_NAMESPACE ? BY_NAMESPACE : ANYONE;
}

function callerHash(kind: u32, caller: StringMatch): u32 {
  const hash = hashBytes(caller.ptr, caller.len);
  return kind == BY_ACCOUNT ? mix(hash, hashBytes(caller.suffix, caller.suffixLen)) : hash;
}

function conditionOn(clause: Clause | null, attribute: i32): StringSet | null {
  if (!clause) return null;
  for (let condition: Condition | null = clause.first; condition; condition = condition!.next) {
    if (condition.attribute == attribute && condition.values) return condition.values;
  }
  return null;
}

function methodsOf(operation: Clause | null, when: Clause): StringSet | null {
  const own = conditionOn(operation, A_METHOD);
  const methods = own ? own : conditionOn(when, A_METHOD);
  return methods && methods.exactCount == methods.count ? methods : null;
}

/** Gives the paths that an operation or `when` requires if each of them has a key, or null. */
function pathsOf(operation: Clause | null, when: Clause): StringSet | null {
  const own = conditionOn(operation, A_PATH);
  const paths = own ? own : conditionOn(when, A_PATH);
  if (!paths) return null;
  const canonical = paths.canonical;
  return haveKeys(paths) && (!canonical || haveKeys(canonical)) ? paths : null;
}

function haveKeys(paths: StringSet): bool {
  for (let path: StringMatch | null = paths.members; path; path = path!.sibling) {
    keyOfPath(path);
    if (pathKind == ANYWHERE) return false;
  }
  return true;
}

/** Finds the key of a path in a policy: all of it, or the whole segments that it begins with. */
function keyOfPath(path: StringMatch): void {
  pathKind = ANYWHERE;
  if (path.kind == M_EXACT) {
    pathKind = BY_PATH;
    pathHash = hashBytes(path.ptr, path.len);
    return;
  }
  if ((path.kind != M_AFFIX && path.kind != M_TEMPLATE) || path.len == 0 || load<u8>(path.ptr) != 0x2f) return;
  let slashes = 0;
  for (let i = 0; i < path.len; i++) {
    const c = load<u8>(path.ptr + i);
    if (c == 0x7b) return;
    if (c != 0x2f) continue;
    slashes++;
    if (slashes == 1) continue;
    pathKind = slashes == 2 ? BY_SEGMENT : BY_TWO_SEGMENTS;
    pathHash = hashBytes(path.ptr, i);
    if (slashes == 3) return;
  }
}
