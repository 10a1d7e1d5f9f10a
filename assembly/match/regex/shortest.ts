/**
 * Where about does a pattern match, for people who read it? The simulation (pike.ts) says it exactly and costs some hundred
 * nanoseconds a byte. The DFA says for next to nothing where the first match ends; the last place from which on there still
 * is a match is where the shortest match with that end begins, and is found by halving.
 */
import { decidedAt, matches } from "./dfa";
import { Regex } from "./program";

/** What `findShortest` found: offset and length in bytes. */
export let shortestFrom: i32 = 0;
export let shortestLen: i32 = 0;

/** Bytes before the end of the match that are tried first. */
const FIRST: i32 = 16;

/** Finds the shortest match that ends first. False if there is none. */
export function findShortest(regex: Regex, ptr: usize, len: i32): bool {
  if (!matches(regex, ptr, len)) return false;
  const end = decidedAt;
  shortestFrom = 0;
  shortestLen = end;
  if (regex.anchored || regex.wholeText) return true;
  let span = FIRST;
  while (span < end && !matches(regex, ptr + <usize>(end - span), span)) span <<= 1;
  // there is a match from `low` on, and none from `high` on
  let low = max(end - span, 0);
  let high = span == FIRST ? end + 1 : end - (span >> 1);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (middle <= end && matches(regex, ptr + <usize>middle, end - middle)) low = middle;
    else high = middle;
  }
  shortestFrom = low;
  shortestLen = end - low;
  return true;
}
