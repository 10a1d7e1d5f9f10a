/**
 * TX:0 to TX:9: what the groups of the last match with `capture` held. Most rules of CRS capture, and hardly one is read:
 * what is written into an event is found when that is written (report.ts). So a match is only noted, and where its groups
 * are is worked out when somebody asks for one of these variables.
 */
import { slots } from "../match/regex/pike";
import { Rule } from "./model";
import { capturedFingerprint, capturedLen, capturedPtr, hasPattern, locateMatch } from "./operators";
import { CAPTURES, Transaction } from "./transaction";

/** Notes that a rule with `capture` matched `size` bytes from `from` on of the value of `len` bytes at `ptr`. */
export function noteCapture(tx: Transaction, rule: Rule, ptr: usize, len: i32, from: i32, size: i32): void {
  tx.capturing = rule;
  tx.capturePtr = ptr;
  tx.captureLen = len;
  tx.captureFrom = from;
  tx.captureSize = size;
  // a fingerprint is gone with the next look for one
  if (!hasPattern(rule)) resolveCaptures(tx);
}

/** Sets the variables of the match that was noted last. */
export function resolveCaptures(tx: Transaction): void {
  const rule = tx.capturing!;
  setCaptures(tx, rule, locateMatch(rule, tx.capturePtr, tx.captureLen));
}

/** The same from the places in `slots`, or if there are none, TX:0 from the match as a whole. */
export function setCaptures(tx: Transaction, rule: Rule, grouped: bool): void {
  tx.capturing = null;
  const first = tx.plainSlot(0);
  if (grouped) setGroups(first, tx.capturePtr);
  else {
    memory.fill(first, 0, (<usize>CAPTURES) << 3);
    store<usize>(first, tx.capturePtr + <usize>tx.captureFrom);
    store<i32>(first, tx.captureSize, 4);
  }
  if (!rule.negated && capturedFingerprint(rule)) {
    store<usize>(first, tx.arena.copy(capturedPtr, capturedLen));
    store<i32>(first, capturedLen, 4);
  }
}

function setGroups(first: usize, ptr: usize): void {
  for (let group: usize = 0; group < <usize>CAPTURES; group++) {
    const start = load<i32>(slots + (group << 3));
    const end = load<i32>(slots + (group << 3), 4);
    store<usize>(first + (group << 3), start >= 0 && end >= start ? ptr + <usize>start : 0);
    store<i32>(first + (group << 3), end - start, 4);
  }
}
