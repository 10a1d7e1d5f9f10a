/** Scalars that are computed when a rule first asks for them: times, the whole request, severities. */
import { Buffer } from "../bytes/buffer";
import { civilFromDays, day, month, putClock, year } from "../bytes/calendar";
import { Item } from "../decode/items";
import { fullName, fullNameLen, fullNamePtr, Transaction } from "./transaction";
import {
  DURATION,
  FULL_REQUEST,
  FULL_REQUEST_LENGTH,
  MATCHED_VAR,
  MATCHED_VAR_NAME,
  REQUEST_BODY,
  REQUEST_HEADERS,
  REQUEST_LINE,
  TIME,
  TIME_DAY,
  TIME_EPOCH,
  TIME_HOUR,
  TIME_MIN,
  TIME_MON,
  TIME_SEC,
  TIME_WDAY,
  TIME_YEAR,
} from "./variables";

/** The clock: nanoseconds since 1970. Set when a request begins. */
let nowNanos: i64 = 0;
let startNanos: i64 = 0;

/** True once a rule was compiled that asks how long a request has taken, so that the clock must go on. */
export let readsClock: bool = false;

/** Notes that a rule looks at a variable. */
export function noteVariable(variable: i32): void {
  if (variable == DURATION) readsClock = true;
}

/** Sets the time that rules see: of the request's begin and now. */
export function setClock(start: i64, now: i64): void {
  startNanos = start;
  nowNanos = now;
}

/** Gives a scalar's item, computing its value if it has none yet. */
export function resolveScalar(tx: Transaction, variable: i32): Item {
  const item = tx.scalar(variable);
  if (item.ptr == 0) compute(tx, variable);
  return item;
}

function compute(tx: Transaction, variable: i32): void {
  if (variable >= TIME && variable <= TIME_YEAR) computeTime(tx, variable);
  else if (variable == MATCHED_VAR_NAME) computeMatchedName(tx);
  else if (variable == DURATION) tx.setInt(variable, (nowNanos - startNanos) / 1000);
  else if (variable == FULL_REQUEST || variable == FULL_REQUEST_LENGTH) computeFullRequest(tx);
}

function computeMatchedName(tx: Transaction): void {
  // 0 is a variable too, but nothing has matched while there is no name
  if (tx.scalar(MATCHED_VAR).ptr == 0) return;
  fullName(tx.arena, tx.matchedVariable, tx.matchedName, tx.matchedNameLen);
  tx.set(MATCHED_VAR_NAME, fullNamePtr, fullNameLen);
}

function computeTime(tx: Transaction, variable: i32): void {
  const seconds = nowNanos / 1000000000;
  const rest = seconds % 86400;
  civilFromDays(seconds / 86400);
  switch (variable) {
    case TIME_EPOCH:
      return tx.setInt(variable, seconds);
    case TIME_DAY:
      return tx.setInt(variable, day);
    case TIME_MON:
      return tx.setInt(variable, month - 1);
    case TIME_YEAR:
      return tx.setInt(variable, year);
    case TIME_WDAY:
      return tx.setInt(variable, (seconds / 86400 + 4) % 7);
    case TIME_HOUR:
      return tx.setInt(variable, rest / 3600);
    case TIME_MIN:
      return tx.setInt(variable, (rest / 60) % 60);
    case TIME_SEC:
      return tx.setInt(variable, rest % 60);
  }
  scratch.clear();
  putClock(scratch, rest);
  tx.set(variable, tx.arena.copy(scratch.ptr, scratch.len), scratch.len);
}

const scratch: Buffer = Buffer.create(256);

/** Puts the request together as it would stand in HTTP/1.1. */
function computeFullRequest(tx: Transaction): void {
  const line = tx.scalar(REQUEST_LINE);
  const body = tx.scalar(REQUEST_BODY);
  scratch.clear();
  scratch.bytes(line.ptr, line.len).text("\r\n");
  for (let header: Item | null = tx.list(REQUEST_HEADERS).first; header; header = header!.next) {
    scratch.bytes(header.name, header.nameLen).text(": ").bytes(header.ptr, header.len).text("\r\n");
  }
  scratch.text("\r\n").bytes(body.ptr, body.len);
  tx.set(FULL_REQUEST, tx.arena.copy(scratch.ptr, scratch.len), scratch.len);
  tx.setInt(FULL_REQUEST_LENGTH, scratch.len);
}
