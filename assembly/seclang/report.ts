/**
 * What is reported of rules that matched. While rules run, only what would change is written down; where in a value a
 * pattern matched, and what the groups of a match held, costs far more than to know that it matched, so that is worked out
 * when an event is written, which few requests have.
 */
import { make } from "../bytes/arena";
import { Item } from "../decode/items";
import { noteCapture, setCaptures } from "./captures";
import { expand, expandedLen, expandedPtr } from "./expand";
import { Macro, Rule } from "./model";
import { hasPattern, locateMatch, locateShortest, matchFrom, matchLen } from "./operators";
import { CAPTURES, LateData, MAX_MATCHES, MAX_VALUES, Match, MatchedValue, Transaction } from "./transaction";
import { MATCHED_VAR, MATCHED_VAR_NAME, RULE, TX } from "./variables";

/**
 * An event says exactly where short values matched, up to so many bytes of all values together: each costs as much as some
 * hundred that are only asked whether they match. Of others it says where the shortest match is, see match/regex/shortest.ts,
 * up to so many values; of those beyond it does not say where.
 */
const SHORT: i32 = 256;
const MAX_EXACT: i32 = 2048;
const MAX_PLACED: i32 = 256;

/** Keeps a value that a rule matched, for its report. */
export function keepValue(tx: Transaction, rule: Rule, variable: i32, item: Item, ptr: usize, len: i32, from: i32, size: i32): void {
  if (tx.valueCount >= MAX_VALUES) return;
  const value = make<MatchedValue>(tx.arena);
  value.variable = variable;
  value.name = item.name;
  value.nameLen = item.nameLen;
  value.ptr = ptr;
  value.len = len;
  value.from = from;
  value.matchLen = size;
  value.unlocated = hasPattern(rule) && !rule.negated ? rule : null;
  value.next = tx.values;
  tx.values = value;
  tx.valueCount++;
}

/** Notes that a rule matched, with the values that `keepValue` kept. */
export function report(tx: Transaction, rule: Rule): void {
  if (tx.matchCount++ >= MAX_MATCHES) {
    tx.capped = true;
    return;
  }
  const match = make<Match>(tx.arena);
  match.rule = rule;
  const msg = rule.msg;
  if (msg) {
    expand(tx, rule, msg);
    match.msg = expandedPtr;
    match.msgLen = expandedLen;
  }
  const data = rule.logdata;
  if (data && tx.capturing && canWait(data)) match.late = lateData(tx);
  else if (data) putData(tx, match, data);
  match.values = tx.values;
  const last = tx.lastMatch;
  if (last) last.next = match;
  else tx.matches = match;
  tx.lastMatch = match;
}

function putData(tx: Transaction, match: Match, data: Macro): void {
  expand(tx, match.rule, data);
  match.data = expandedPtr;
  match.dataLen = expandedLen;
}

/** True if a text needs captures, and nothing else that changes as rules go on but what `LateData` keeps. */
function canWait(data: Macro): bool {
  let needs = false;
  for (let part: Macro | null = data; part; part = part!.next) {
    if (part.ptr != 0 || part.variable == RULE || part.variable == MATCHED_VAR || part.variable == MATCHED_VAR_NAME) continue;
    if (part.variable != TX || part.slot < 0 || part.slot >= CAPTURES) return false;
    needs = true;
  }
  return needs;
}

function lateData(tx: Transaction): LateData {
  const late = make<LateData>(tx.arena);
  late.capturing = tx.capturing!;
  late.ptr = tx.capturePtr;
  late.len = tx.captureLen;
  late.variable = tx.matchedVariable;
  late.name = tx.matchedName;
  late.nameLen = tx.matchedNameLen;
  return late;
}

// Bytes of which the event at hand may still say exactly where they matched, and values of which it may say it at all.
let exactLeft: i32 = 0;
let placesLeft: i32 = 0;

/** Works out what was put off, before an event is written. No rules may run after that. */
export function finishReports(tx: Transaction): void {
  exactLeft = MAX_EXACT;
  placesLeft = MAX_PLACED;
  for (let match: Match | null = tx.matches; match; match = match!.next) {
    for (let value: MatchedValue | null = match.values; value; value = value!.next) locateValue(value!);
    const late = match.late;
    if (late) expandLate(tx, match, late);
  }
}

/** True if the event may say exactly where a value of `len` bytes matched. */
function isExact(len: i32): bool {
  if (len > SHORT || len > exactLeft) return false;
  exactLeft -= len;
  return true;
}

/** Finds where a value matched; sets `matchFrom` and `matchLen`. False if it is not known. */
function place(rule: Rule, ptr: usize, len: i32): bool {
  if (isExact(len)) return locateMatch(rule, ptr, len);
  return placesLeft-- > 0 && locateShortest(rule, ptr, len);
}

function locateValue(value: MatchedValue): void {
  const rule = value.unlocated;
  if (!rule || !place(rule, value.ptr, value.len)) return;
  value.unlocated = null;
  value.from = matchFrom;
  value.matchLen = matchLen;
}

function expandLate(tx: Transaction, match: Match, late: LateData): void {
  match.late = null;
  tx.set(MATCHED_VAR, late.ptr, late.len);
  tx.set(MATCHED_VAR_NAME, 0, 0);
  tx.matchedVariable = late.variable;
  tx.matchedName = late.name;
  tx.matchedNameLen = late.nameLen;
  const rule = late.capturing;
  if (isExact(late.len)) noteCapture(tx, rule, late.ptr, late.len, 0, late.len);
  else {
    const known = placesLeft-- > 0 && locateShortest(rule, late.ptr, late.len);
    noteCapture(tx, rule, late.ptr, late.len, known ? matchFrom : 0, known ? matchLen : min(late.len, SHORT));
    setCaptures(tx, rule, false);
  }
  putData(tx, match, match.rule.logdata!);
}
