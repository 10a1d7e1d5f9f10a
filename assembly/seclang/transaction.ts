/**
 * One request and its response as rules see them: variables, the state that rules change, and what
 * matched. It lives in the arena of its stream and holds addresses into the buffers that the host filled.
 */
import { Arena, make } from "../bytes/arena";
import { hasBit } from "../bytes/bits";
import { writeInt } from "../bytes/buffer";
import { equalFold, hashFold } from "../bytes/span";
import { Item, ItemList } from "../decode/items";
import { earnPatience } from "../match/sieve";
import { resolveCaptures } from "./captures";
import { Ctl, PROCESSOR_JSON, PROCESSOR_MULTIPART, PROCESSOR_URLENCODED, PROCESSOR_XML, Rule } from "./model";
import { findName, nameCount, nameNumber } from "./names";
import { Program, ruleSetBytes } from "./program";
import { Settings } from "./settings";
import { FIRST_LIST, HIGHEST_SEVERITY, LAST_SCALAR, LIST_COUNT, REQBODY_PROCESSOR, variableNameLen, variableNamePtr } from "./variables";

/** TX variables that captures set: TX:0 to TX:9, the first slots. */
export const CAPTURES: i32 = 10;
/** TX variables whose names are made up by traffic. */
const MAX_DYNAMIC: i32 = 256;
const DYNAMIC_SLOTS: u32 = 1024;
/** Matched values of one rule that are kept for its event. */
export const MAX_VALUES: i32 = 8;
/** Rules that one event lists. */
export const MAX_MATCHES: i32 = 200;

/** A value that a rule matched. */
@unmanaged
export class MatchedValue {
  variable: i32;
  name: usize;
  nameLen: i32;
  /** The value after transformations. */
  ptr: usize;
  len: i32;
  /** Where in it the operator matched, in bytes. */
  from: i32;
  matchLen: i32;
  /** The rule whose pattern says where, while it was not asked. */
  unlocated: Rule | null;
  next: MatchedValue | null;
}

/** What the data of a match is made of, if that waits for an event, see report.ts. */
@unmanaged
export class LateData {
  /** The rule whose match was captured last, and the value that it matched. */
  capturing: Rule;
  ptr: usize;
  len: i32;
  /** The item that the value is of. */
  variable: i32;
  name: usize;
  nameLen: i32;
}

/** A rule that matched and is reported. */
@unmanaged
export class Match {
  rule: Rule;
  msg: usize;
  msgLen: i32;
  data: usize;
  dataLen: i32;
  /** Not null while the data is not put together yet. */
  late: LateData | null;
  values: MatchedValue | null;
  next: Match | null;
}

/** Targets that `ctl:ruleRemoveTargetBy...` took from a set of rules. */
@unmanaged
export class TargetRemoval {
  ctl: Ctl;
  /** Address of a set of rules, a bit for each position. */
  rules: usize;
  next: TargetRemoval | null;
}

// What a transaction came to.
export const VERDICT_NONE: i32 = 0;
export const VERDICT_BLOCK: i32 = 1;

@unmanaged
export class Transaction {
  arena: Arena;
  program: Program;
  settings: Settings;
  /** Items of the scalars, then the lists, then addresses and lengths of TX by slot. */
  private scalars: usize;
  private lists: usize;
  private tx: usize;
  /** Slots of TX: names registered when the transaction began. */
  private slots: i32;
  /** TX variables whose names no rule has, and where each is by the hash of its name: DYNAMIC_SLOTS addresses, 0 until there is one. */
  dynamic: ItemList;
  private dynamicTable: usize;

  engine: i32;
  requestBodyAccess: bool;
  responseBodyAccess: bool;
  forceRequestBody: bool;
  /** Body processor that rules or the content type chose. */
  processor: i32;
  /** Set of rules that `ctl:ruleRemoveBy...` took out, 0 for none. */
  removed: usize;
  targetRemovals: TargetRemoval | null;

  /** Phases whose rules ran, a bit for each. */
  ran: i32;
  /** `allow`: later phases do not run; `allow:request`: those of the request. */
  allowed: bool;
  allowedRequest: bool;
  /** The rule that decided to block, in enforcing or detecting mode. */
  blocker: Rule | null;
  /** Phase in which it did. */
  blockPhase: i32;
  /** Address of a redirect's target; 0 for another block. */
  redirect: usize;
  redirectLen: i32;
  /** What is known about all values of each group of rules, see groups.ts; 0 until a phase ran. */
  groups: usize;
  /** The item that matched last, for MATCHED_VAR_NAME. */
  matchedVariable: i32;
  matchedName: usize;
  matchedNameLen: i32;
  /** True if the block is carried out. */
  interrupted: bool;

  matches: Match | null;
  lastMatch: Match | null;
  matchCount: i32;
  /** The rule whose match sets TX:0 to TX:9, if nobody has asked for them yet, and what it matched; see captures.ts. */
  capturing: Rule | null;
  capturePtr: usize;
  captureLen: i32;
  captureFrom: i32;
  captureSize: i32;
  /** Values of the rule being evaluated. */
  values: MatchedValue | null;
  valueCount: i32;
  /** Arguments or nesting past a cap, for the counter. */
  capped: bool;

  static create(arena: Arena, program: Program, settings: Settings): Transaction {
    const tx = make<Transaction>(arena);
    tx.arena = arena;
    tx.program = program;
    tx.settings = settings;
    tx.scalars = arena.alloc(<usize>(LAST_SCALAR + 1) * offsetof<Item>());
    tx.lists = arena.alloc(<usize>LIST_COUNT * offsetof<ItemList>());
    tx.slots = nameCount();
    tx.tx = arena.alloc((<usize>tx.slots) << 3);
    if (program.initialSlots > 0) memory.copy(tx.tx, program.initialTx, (<usize>program.initialSlots) << 3);
    tx.dynamic = make<ItemList>(arena);
    tx.engine = settings.engine;
    earnPatience();
    tx.requestBodyAccess = settings.requestBodyAccess;
    tx.responseBodyAccess = settings.responseBodyAccess;
    tx.setInt(HIGHEST_SEVERITY, 255);
    return tx;
  }

  /**
   * Gives a transaction in `arena` that starts with the variables and state that this one has now. Values are
   * shared and must outlive it; caches are not, and what matched so far is left out.
   */
  fork(arena: Arena): Transaction {
    const other = changetype<Transaction>(arena.copy(changetype<usize>(this), <i32>offsetof<Transaction>()));
    other.arena = arena;
    other.scalars = arena.copy(this.scalars, (LAST_SCALAR + 1) * <i32>offsetof<Item>());
    for (let variable = 0; variable <= LAST_SCALAR; variable++) other.scalar(variable).forget();
    other.lists = arena.alloc(<usize>LIST_COUNT * offsetof<ItemList>());
    for (let variable = FIRST_LIST; variable < FIRST_LIST + LIST_COUNT; variable++) {
      for (let item: Item | null = this.list(variable).first; item; item = item!.next) {
        other.list(variable).add(arena, item.name, item.nameLen, item.ptr, item.len);
      }
    }
    other.tx = arena.copy(this.tx, this.slots << 3);
    other.dynamic = make<ItemList>(arena);
    other.dynamicTable = 0;
    for (let item: Item | null = this.dynamic.first; item; item = item!.next) other.addDynamic(item.name, item.nameLen, item.ptr, item.len);
    other.matches = null;
    other.lastMatch = null;
    other.matchCount = 0;
    other.values = null;
    other.groups = 0;
    return other;
  }

  scalar(variable: i32): Item {
    return changetype<Item>(this.scalars + <usize>variable * offsetof<Item>());
  }

  list(variable: i32): ItemList {
    return changetype<ItemList>(this.lists + <usize>(variable - FIRST_LIST) * offsetof<ItemList>());
  }

  set(variable: i32, ptr: usize, len: i32): void {
    this.scalar(variable).set(ptr, len);
  }

  setInt(variable: i32, value: i64): void {
    const digits = this.arena.reserve(20);
    const len = writeInt(digits, value);
    this.arena.trim(digits + len);
    this.scalar(variable).set(digits, len);
  }

  setText(variable: i32, literal: string): void {
    const ptr = this.arena.reserve(<usize>literal.length);
    for (let i = 0; i < literal.length; i++) store<u8>(ptr + i, <u8>literal.charCodeAt(i));
    this.scalar(variable).set(ptr, literal.length);
  }

  /** Gives the address of a TX variable's span by slot; a span whose address is 0 is not set. */
  txSlot(slot: i32): usize {
    if (slot < CAPTURES && this.capturing) resolveCaptures(this);
    return this.plainSlot(slot);
  }

  /** The same for a slot that captures do not set. */
  plainSlot(slot: i32): usize {
    return slot < this.slots ? this.tx + ((<usize>slot) << 3) : 0;
  }

  get txSlots(): i32 {
    return this.slots;
  }

  /** Gives the address of a TX variable's span by name, 0 if it was never set. */
  findTx(ptr: usize, len: i32): usize {
    const number = findName(ptr, len);
    if (number >= 0 && number < this.slots) return this.txSlot(number);
    return this.dynamicTable == 0 ? 0 : <usize>load<u32>(this.dynamicSlot(ptr, len));
  }

  /** Gives the address of the slot where a made-up name is, or would be. */
  private dynamicSlot(ptr: usize, len: i32): usize {
    let slot = hashFold(ptr, len) & (DYNAMIC_SLOTS - 1);
    while (true) {
      const at = this.dynamicTable + ((<usize>slot) << 2);
      const item = changetype<Item | null>(<usize>load<u32>(at));
      if (!item || equalFold(item.name, item.nameLen, ptr, len)) return at;
      slot = (slot + 1) & (DYNAMIC_SLOTS - 1);
    }
  }

  private addDynamic(name: usize, nameLen: i32, ptr: usize, len: i32): void {
    if (this.dynamicTable == 0) this.dynamicTable = this.arena.alloc((<usize>DYNAMIC_SLOTS) << 2);
    store<u32>(this.dynamicSlot(name, nameLen), changetype<u32>(this.dynamic.add(this.arena, name, nameLen, ptr, len)));
  }

  /** Sets a TX variable by name. Past the cap on made-up names it raises `capped` instead. */
  setTx(name: usize, nameLen: i32, ptr: usize, len: i32): void {
    const span = this.findTx(name, nameLen);
    if (span != 0) {
      store<usize>(span, ptr);
      store<i32>(span, len, 4);
      return;
    }
    if (this.dynamic.count >= MAX_DYNAMIC) this.capped = true;
    else this.addDynamic(name, nameLen, ptr, len);
  }

  /** Sets the body processor, and the variable that names it. */
  setProcessor(processor: i32): void {
    this.processor = processor;
    if (processor == PROCESSOR_URLENCODED) this.setText(REQBODY_PROCESSOR, "URLENCODED");
    else if (processor == PROCESSOR_MULTIPART) this.setText(REQBODY_PROCESSOR, "MULTIPART");
    else if (processor == PROCESSOR_JSON) this.setText(REQBODY_PROCESSOR, "JSON");
    else if (processor == PROCESSOR_XML) this.setText(REQBODY_PROCESSOR, "XML");
  }

  isRemoved(rule: Rule): bool {
    return this.removed != 0 && hasBit(this.removed, rule.ordinal);
  }

  /** Gives an empty set of rules. */
  newRuleSet(): usize {
    return this.arena.alloc(ruleSetBytes(this.program));
  }
}

const digit: usize = memory.data(8);

/** Registers `0` to `9` as the first names, so that captures have fixed slots in TX. */
export function registerCaptures(): void {
  for (let i = 0; i < CAPTURES; i++) {
    store<u8>(digit, <u8>(0x30 + i));
    nameNumber(digit, 1);
  }
}

/** The full name of a variable's item that `fullName` made, as in `ARGS:q`. */
export let fullNamePtr: usize = 0;
export let fullNameLen: i32 = 0;

/** Makes the full name of an item in the arena. */
export function fullName(arena: Arena, variable: i32, name: usize, nameLen: i32): void {
  const n = variableNameLen(variable);
  const out = arena.reserve(<usize>(n + 1 + nameLen));
  memory.copy(out, variableNamePtr(variable), <usize>n);
  fullNamePtr = out;
  fullNameLen = n;
  if (nameLen == 0 && variable <= LAST_SCALAR) return;
  store<u8>(out + n, 0x3a);
  memory.copy(out + n + 1, name, <usize>nameLen);
  fullNameLen = n + 1 + nameLen;
}
