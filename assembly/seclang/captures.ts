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
  const ptr = tx.capturePtr;
  for (let group = 0; group < CAPTURES; group++) {
    const span = tx.txSlot(group);
    const start = grouped ? load<i32>(slots + ((<usize>group) << 3)) : group == 0 ? tx.captureFrom : -1;
    const end = grouped ? load<i32>(slots + ((<usize>group) << 3), 4) : tx.captureFrom + tx.captureSize;
    store<usize>(span, start >= 0 && end >= start ? ptr + <usize>start : 0);
    store<i32>(span, end - start, 4);
  }
  if (!rule.negated && capturedFingerprint(rule)) {
    store<usize>(tx.txSlot(0), tx.arena.copy(capturedPtr, capturedLen));
    store<i32>(tx.txSlot(0), capturedLen, 4);
  }
}
