/**
 * Callers that were refused too often, and get no answer for a while: who sends attacks is not given the time to find one
 * that works.
 *
 * Two tables of fixed size, for each VM: how often a caller was refused since when, and until when it is in quarantine.
 * Each VM counts for itself, so with several workers or replicas a caller is in quarantine with those it attacked;
 * `bailey quarantine --follow` does it for the whole mesh.
 */
import { Recent } from "../bytes/recent";
import { QuarantineOptions } from "./options";

/** Callers that are remembered in each of the tables. */
const CALLERS: u32 = 4096;
const SECOND: i64 = 1000000000;
/** Bits of a number that count; those above are the second in which the counting began. */
const COUNT_BITS: i64 = 24;
const COUNT_MASK: i64 = (1 << COUNT_BITS) - 1;

/** How often callers were refused; null until something is configured. */
let counts: Recent | null = null;
/** Until when callers are in quarantine, in nanoseconds since 1970. */
let ends: Recent | null = null;

/** Makes the tables, once. `seed`: see recent.ts. */
export function prepareQuarantine(seed: i64): void {
  if (counts) return;
  counts = Recent.create(CALLERS, seed);
  ends = Recent.create(CALLERS, ~seed);
}

/** Gives how many callers were forgotten too early, for want of room. */
export function forgottenOffenders(): u32 {
  const table = ends;
  return table ? table.forgotten : 0;
}

/** Gives the moment until which a caller is in quarantine, 0 if it is not, in nanoseconds since 1970. */
export function quarantinedUntil(caller: usize, len: i32, time: i64): i64 {
  const table = ends;
  if (!table) return 0;
  const end = table.find(table.keyOf(0, caller, len));
  return end > time ? end : 0;
}

/** Counts a request of a caller that was refused. Gives the end of its quarantine if it begins now, otherwise 0. */
export function countViolation(options: QuarantineOptions, caller: usize, len: i32, time: i64): i64 {
  const table = counts;
  const ending = ends;
  if (!table || !ending) return 0;
  const second = time / SECOND;
  const place = table.take(table.keyOf(0, caller, len), 0);
  const since = load<i64>(place) >> COUNT_BITS;
  const isNew = second - since >= options.seconds;
  const count = isNew ? 1 : (load<i64>(place) & COUNT_MASK) + 1;
  store<i64>(place, ((isNew ? second : since) << COUNT_BITS) | min(count, COUNT_MASK));
  if (count < options.violations) return 0;
  store<i64>(place, 0);
  const end = time + <i64>options.duration * SECOND;
  store<i64>(ending.take(ending.keyOf(0, caller, len), time), end);
  return end;
}
