/**
 * A short way to "no" for the rules that CRS has most of: one TX variable compared with a number, as in
 * `SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2"`. It only ever says that such a rule does not match; one that
 * may match goes the usual way.
 */
import { toInt } from "../bytes/span";
import { Rule, SELECT_NAME } from "./model";
import { compares, isNumeric } from "./operators";
import { CAPTURES, Transaction } from "./transaction";
import { TX } from "./variables";

/** Sets `quickSlot` and `quickNumber` of a rule that can take the short way. */
export function prepareQuick(rule: Rule): void {
  rule.quickSlot = -1;
  const target = rule.targets;
  if (!target || target.next || target.variable != TX || target.select != SELECT_NAME || target.count || target.slot < CAPTURES) return;
  if (rule.exclusions || rule.chain.index != 0 || !isNumeric(rule.operator) || !rule.argument.isLiteral()) return;
  rule.quickSlot = target.slot;
  rule.quickNumber = toInt(rule.argument.ptr, rule.argument.len);
}

/** True if the rule, which has a `quickSlot`, does not match. */
export function isQuickNo(tx: Transaction, rule: Rule): bool {
  const span = tx.plainSlot(rule.quickSlot);
  if (span == 0) return false;
  const ptr = load<usize>(span);
  if (ptr == 0) return true;
  return compares(rule.operator, toInt(ptr, load<i32>(span, 4)), rule.quickNumber) == rule.negated;
}
