/**
 * Rules as the engine holds them: flat, unmanaged, linked by address, in the arena of their program.
 * Built by the compiler, put in order by the linker, only read while a request is inspected.
 */
import { Regex } from "../match/regex/program";

/** A piece of text with `%{...}` in it: literals and variables, one after another. */
@unmanaged
export class Macro {
  /** Literal text; `ptr` is 0 if this part is a variable. */
  ptr: usize;
  len: i32;
  /** Number of the variable, see variables.ts. */
  variable: i32;
  /** Selector within a collection. */
  selPtr: usize;
  selLen: i32;
  /** TX: slot of the selector, see names.ts. */
  slot: i32;
  next: Macro | null;

  /** True if the text has no variable. */
  isLiteral(): bool {
    return this.ptr != 0 && this.next == null;
  }
}

export const SELECT_ALL: i32 = 0;
export const SELECT_NAME: i32 = 1;
export const SELECT_REGEX: i32 = 2;

/** What a rule looks at: `ARGS`, `&TX:score`, `!REQUEST_HEADERS:/^x-/`. */
@unmanaged
export class Target {
  variable: i32;
  select: i32;
  /** SELECT_NAME: the name. SELECT_REGEX: the pattern's text. */
  selPtr: usize;
  selLen: i32;
  regex: Regex | null;
  /** SELECT_NAME: number of the name: of TX its slot, see names.ts, of other collections see selected.ts; or -1. */
  slot: i32;
  /** SELECT_REGEX of TX: map of the slots whose keys it selects, of the first `keyCount` slots; see txkeys.ts. */
  keys: usize;
  keyCount: i32;
  /** `&`: the number of items instead of the items. */
  count: bool;
  next: Target | null;
}

/** A sequence of transformations, shared by all rules that have it: see chains.ts. */
@unmanaged
export class Chain {
  /** The sequence without its last transformation, null for the empty sequence. */
  parent: Chain | null;
  transformation: i32;
  /** Number of the sequence: column of what is known about lists, see unions.ts. */
  index: i32;
  /** Bits of which a value must have one for the sequence to change it; see match/signature.ts. */
  triggers: u64;
  /** Next sequence in the registry. */
  next: Chain | null;
}

export const SET_ASSIGN: i32 = 0;
export const SET_ADD: i32 = 1;
export const SET_SUBTRACT: i32 = 2;
export const SET_UNSET: i32 = 3;

/** `setvar`. */
@unmanaged
export class SetVar {
  kind: i32;
  /** TX or one of the collections of one transaction. */
  variable: i32;
  name: Macro;
  /** TX with a literal name: its slot, else -1. */
  slot: i32;
  value: Macro | null;
  next: SetVar | null;
}

export const CTL_RULE_ENGINE: i32 = 0;
export const CTL_BODY_PROCESSOR: i32 = 1;
export const CTL_BODY_ACCESS: i32 = 2;
export const CTL_FORCE_BODY: i32 = 3;
export const CTL_RESPONSE_BODY_ACCESS: i32 = 4;
export const CTL_REMOVE_BY_ID: i32 = 5;
export const CTL_REMOVE_BY_TAG: i32 = 6;
export const CTL_REMOVE_BY_MSG: i32 = 7;
export const CTL_REMOVE_TARGET_BY_ID: i32 = 8;
export const CTL_REMOVE_TARGET_BY_TAG: i32 = 9;
export const CTL_REMOVE_TARGET_BY_MSG: i32 = 10;
/** Accepted for what does not exist in a proxy: audit log parts, debug level. */
export const CTL_NOTHING: i32 = 11;

/** `ctl`. */
@unmanaged
export class Ctl {
  kind: i32;
  /** Engine: ENGINE_*. Access and force: 0 or 1. Processor: PROCESSOR_*. */
  value: i32;
  /** CTL_REMOVE_*: the id, range, tag or message given. */
  ptr: usize;
  len: i32;
  /** CTL_REMOVE_BY_ID: lowest and highest id. */
  low: i32;
  high: i32;
  /** CTL_REMOVE_TARGET_*: what is removed from those rules. */
  target: Target | null;
  next: Ctl | null;
}

@unmanaged
export class Tag {
  ptr: usize;
  len: i32;
  next: Tag | null;
}

export const ENGINE_OFF: i32 = 0;
export const ENGINE_DETECT: i32 = 1;
export const ENGINE_ON: i32 = 2;

export const PROCESSOR_NONE: i32 = 0;
export const PROCESSOR_URLENCODED: i32 = 1;
export const PROCESSOR_MULTIPART: i32 = 2;
export const PROCESSOR_JSON: i32 = 3;
export const PROCESSOR_XML: i32 = 4;
export const PROCESSOR_RAW: i32 = 5;

// What a matching rule does with the request. BLOCK is what SecDefaultAction says.
export const DO_NOTHING: i32 = 0;
export const DO_PASS: i32 = 1;
export const DO_BLOCK: i32 = 2;
export const DO_DENY: i32 = 3;
export const DO_DROP: i32 = 4;
export const DO_REDIRECT: i32 = 5;
export const DO_ALLOW: i32 = 6;
export const DO_ALLOW_PHASE: i32 = 7;
export const DO_ALLOW_REQUEST: i32 = 8;

/** `Rule.severity` where none is given. */
export const NO_SEVERITY: i32 = -1;

@unmanaged
export class Rule {
  /** Unique id; 0 for a link of a chain after the first, and for a marker. */
  id: i32;
  /** 1 to 5. */
  phase: i32;
  /** Position among all rules of the VM: bit of rule sets. */
  ordinal: i32;
  /** SecMarker: number of its label, see names.ts; else -1. */
  marker: i32;
  /** File and line where it stands. */
  file: usize;
  fileLen: i32;
  line: i32;

  /** What is looked at; null for SecAction. */
  targets: Target | null;
  /** What is left out of it. */
  exclusions: Target | null;
  chain: Chain;
  operator: i32;
  negated: bool;
  multiMatch: bool;
  capture: bool;
  /** Argument of the operator, in its text form. */
  argument: Macro;
  /** Argument of the operator, prepared: a Regex, a set of bytes or networks. */
  prepared: usize;

  /** Slot of the TX variable that the rule compares with the number below, see quick.ts; -1 for other rules. */
  quickSlot: i32;
  quickNumber: i64;
  /** Whether its pattern belongs in the sieve of its side, see sieves.ts. */
  sieved: bool;
  /** Whether a later link looks at MATCHED_VARS, so that they must be kept. */
  keepsMatched: bool;
  /** Next link of the chain. */
  chained: Rule | null;
  disruptive: i32;
  /** HTTP status of a block, 0 for the default. */
  status: i32;
  /** DO_REDIRECT: where to. */
  redirect: Macro | null;
  /** Rules to skip, 0 for none. */
  skip: i32;
  /** skipAfter: number of the label, else -1. */
  skipAfter: i32;
  setvars: SetVar | null;
  ctls: Ctl | null;

  /** Whether a match is reported. */
  log: bool;
  auditlog: bool;
  severity: i32;
  msg: Macro | null;
  logdata: Macro | null;
  tags: Tag | null;
  ver: Tag | null;
  rev: Tag | null;

  /** True if it is a rule, and one of that phase. */
  runsIn(phase: i32): bool {
    return this.marker < 0 && this.phase == phase;
  }

  hasTag(ptr: usize, len: i32): bool {
    for (let tag: Tag | null = this.tags; tag; tag = tag!.next) {
      if (tag.len == len && memory.compare(tag.ptr, ptr, <usize>len) == 0) return true;
    }
    return false;
  }
}
