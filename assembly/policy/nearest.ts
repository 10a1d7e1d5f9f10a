/**
 * The rule that comes nearest to allowing the request, for the event of a denial: what somebody asks at three in the
 * morning is not that nothing matched, but what was missing. Nearest is where the fewest conditions fail, and of such
 * rules the one of which the most hold.
 *
 * Not all rules are looked at, since whoever is denied could otherwise make each denial cost as much as there are
 * policies: first those for the same caller, then those for the same path, then the first ones.
 */
import { Policies } from "./decide";
import { conditionHolds, YES } from "./evaluate";
import { Index, nextRule } from "./index";
import { ACTION_ALLOW, Clause, Condition, Rule } from "./model";

/** Rules that are looked at from each side. */
const MOST: i32 = 64;
/** Conditions that failed that are kept. */
const MAX_FAILED: i32 = 8;

/** The nearest rule, null if there is none. */
export let nearest: Rule | null = null;
/** Addresses of its conditions that failed. */
const failed: usize = memory.data(32);
export let failedCount: i32 = 0;

/** Gives a condition that failed. */
export function failedAt(i: i32): Condition {
  return changetype<Condition>(<usize>load<u32>(failed + ((<usize>i) << 2)));
}

// Conditions of the rule that is being looked at that fail.
const failing: usize = memory.data(32);
let failingCount: i32 = 0;
let distance: i32 = 0;
/** Conditions of it that hold. */
let holding: i32 = 0;
let best: i32 = 0;
let bestHolding: i32 = 0;

/** Finds the nearest rule among the enforced ones, or among all if `withShadow`. */
export function findNearest(policies: Policies, withShadow: bool): void {
  nearest = null;
  failedCount = 0;
  best = i32.MAX_VALUE;
  lookFrom(policies.byCaller, withShadow);
  lookFrom(policies.byPath, withShadow);
  const all = policies.allow;
  for (let i = 0; i < min(all.size, MOST); i++) look(all.ruleAt(i), withShadow);
}

function lookFrom(index: Index, withShadow: bool): void {
  if (index.isEmpty) return;
  index.start();
  let count = 0;
  for (let rule = nextRule(); rule && count < MOST; rule = nextRule()) {
    look(rule, withShadow);
    count++;
  }
}

function look(rule: Rule, withShadow: bool): void {
  if (rule.policy.shadow && !withShadow) return;
  failingCount = 0;
  distance = 0;
  holding = 0;
  countFailing(rule.when);
  countBest(rule.sources);
  countBest(rule.operations);
  // a rule of which nothing fails in this form of the path does so in another
  if (distance == 0 || distance > best || (distance == best && holding <= bestHolding)) return;
  best = distance;
  bestHolding = holding;
  nearest = rule;
  failedCount = failingCount;
  memory.copy(failed, failing, (<usize>failingCount) << 2);
}

function countFailing(clause: Clause): void {
  for (let condition: Condition | null = clause.first; condition; condition = condition!.next) {
    if (conditionHolds(condition, ACTION_ALLOW) == YES) {
      holding++;
      continue;
    }
    distance++;
    if (failingCount == MAX_FAILED) continue;
    store<u32>(failing + ((<usize>failingCount) << 2), changetype<u32>(condition));
    failingCount++;
  }
}

/** Counts what fails of the alternative of which the least does. */
function countBest(clause: Clause | null): void {
  if (!clause) return;
  const fromDistance = distance;
  const fromCount = failingCount;
  const fromHolding = holding;
  let chosen: Clause = clause;
  let least = i32.MAX_VALUE;
  for (; clause; clause = clause!.next) {
    distance = 0;
    countFailing(clause!);
    failingCount = fromCount;
    holding = fromHolding;
    if (distance >= least) continue;
    least = distance;
    chosen = clause!;
  }
  distance = fromDistance;
  countFailing(chosen);
}
