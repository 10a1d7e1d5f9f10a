/**
 * Rate limits: at most so many requests in so many seconds for each caller, with the generic cell rate algorithm
 * (ITU-T I.371): one moment is kept for each caller, up to which its allowance is used.
 *
 * The table has a fixed size. Where it is full, the caller whose allowance is used least is forgotten, and counted:
 * limits are then looser, never stricter, for callers that were seen long ago. Each VM counts for itself, so with
 * several workers or replicas a caller may get the limit from each.
 */
import { Recent } from "../bytes/recent";
import { now } from "../host/abi";
import { RateLimit } from "./model";

/** Callers that are remembered, for all limits together. */
const CALLERS: u32 = 8192;

/** Moments up to which allowances are used; null until a policy has a limit. */
let table: Recent | null = null;

/** Gives how many callers were forgotten while they still had a limit. */
export function forgottenCallers(): u32 {
  const made = table;
  return made ? made.forgotten : 0;
}

/** Makes the table, once. */
export function prepareLimits(): void {
  if (!table) table = Recent.create(CALLERS, now());
}

/** Takes one request from the allowance of a caller. False if nothing is left of it. */
export function takeFrom(limit: RateLimit, caller: usize, len: i32, time: i64): bool {
  const moments = table!;
  const moment = moments.take(moments.keyOf(limit.id, caller, len), time);
  const period = <i64>limit.seconds * 1000000000;
  const interval = period / limit.requests;
  const used = max<i64>(load<i64>(moment), time);
  if (used - time > period - interval) return false;
  store<i64>(moment, used + interval);
  limit.moment = moment;
  return true;
}

/** Gives back what the last `takeFrom` of a limit took, before anything else is taken. */
export function giveBackTo(limit: RateLimit): void {
  const moment = limit.moment;
  store<i64>(moment, load<i64>(moment) - (<i64>limit.seconds * 1000000000) / limit.requests);
}
