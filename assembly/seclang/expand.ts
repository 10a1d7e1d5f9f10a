/** Expands `%{...}` against a transaction. */

import { Buffer, writeInt } from "../bytes/buffer";
import { equalFold, isTextFold } from "../bytes/span";
import { Item } from "../decode/items";
import { Macro, Rule } from "./model";
import { resolveScalar } from "./scalars";
import { Transaction } from "./transaction";
import {
  ARGS,
  ARGS_GET,
  ARGS_GET_NAMES,
  ARGS_NAMES,
  ARGS_POST,
  LAST_LIST,
  LAST_SCALAR,
  REQUEST_COOKIES,
  REQUEST_COOKIES_NAMES,
  REQUEST_HEADERS,
  REQUEST_HEADERS_NAMES,
  RULE,
  TX,
} from "./variables";

/** Bytes that one variable adds to an expansion: what is cut cannot decide anything a rule could write down. */
const PART_MAX: i32 = 64 * 1024;

/** The last expansion; it lives as long as the transaction. */
export let expandedPtr: usize = 0;
export let expandedLen: i32 = 0;

const scratch: Buffer = Buffer.create(512);
let partPtr: usize = 0;
let partLen: i32 = 0;

/** Expands `macro` for `rule`. Literal text is not copied. */
export function expand(tx: Transaction, rule: Rule, macro: Macro): void {
  if (macro.isLiteral()) {
    expandedPtr = macro.ptr;
    expandedLen = macro.len;
    return;
  }
  if (!macro.next) {
    look(tx, rule, macro);
    expandedPtr = partPtr;
    expandedLen = min(partLen, PART_MAX);
    return;
  }
  scratch.clear();
  for (let part: Macro | null = macro; part; part = part!.next) {
    if (part.ptr != 0) scratch.bytes(part.ptr, part.len);
    else {
      look(tx, rule, part);
      scratch.bytes(partPtr, min(partLen, PART_MAX));
    }
  }
  expandedPtr = tx.arena.copy(scratch.ptr, scratch.len);
  expandedLen = scratch.len;
}

function give(ptr: usize, len: i32): void {
  partPtr = ptr;
  partLen = len;
}

/** Finds the value of one variable; empty if it has none. */
function look(tx: Transaction, rule: Rule, part: Macro): void {
  give(changetype<usize>(part), 0);
  const variable = part.variable;
  if (variable <= LAST_SCALAR) {
    const item = resolveScalar(tx, variable);
    give(item.ptr, item.len);
  } else if (variable == TX) {
    const span = part.slot >= 0 ? tx.txSlot(part.slot) : tx.findTx(part.selPtr, part.selLen);
    if (span != 0 && load<usize>(span) != 0) give(load<usize>(span), load<i32>(span, 4));
  } else if (variable == RULE) lookRule(tx, rule, part);
  else if (variable <= LAST_LIST) lookList(tx, variable, part);
  else if (variable == ARGS) {
    if (!lookList(tx, ARGS_GET, part)) lookList(tx, ARGS_POST, part);
  } else lookNames(tx, variable);
}

/** Gives the first item of that name, or the first of all. */
function lookList(tx: Transaction, variable: i32, part: Macro): bool {
  for (let item: Item | null = tx.list(variable).first; item; item = item!.next) {
    if (part.selLen > 0 && !equalFold(item.name, item.nameLen, part.selPtr, part.selLen)) continue;
    give(item.ptr, item.len);
    return true;
  }
  return false;
}

function lookNames(tx: Transaction, variable: i32): void {
  let from = REQUEST_HEADERS;
  if (variable == ARGS_NAMES || variable == ARGS_GET_NAMES) from = ARGS_GET;
  else if (variable == REQUEST_COOKIES_NAMES) from = REQUEST_COOKIES;
  else if (variable != REQUEST_HEADERS_NAMES) return;
  const item = tx.list(from).first;
  if (item) give(item.name, item.nameLen);
}

function lookRule(tx: Transaction, rule: Rule, part: Macro): void {
  if (isTextFold(part.selPtr, part.selLen, "id") || isTextFold(part.selPtr, part.selLen, "severity")) {
    const digits = tx.arena.reserve(20);
    const value = (load<u8>(part.selPtr) | 0x20) == 0x69 ? rule.id : rule.severity;
    give(digits, writeInt(digits, value));
  } else if (isTextFold(part.selPtr, part.selLen, "msg")) {
    const msg = rule.msg;
    if (msg && msg.ptr != 0) give(msg.ptr, msg.len);
  }
}
