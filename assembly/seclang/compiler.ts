/**
 * From the text of rules to rules. Directives are read one by one; each adds a rule to the list or changes
 * the settings, or the rules already in the list. The first error ends it: rules are never skipped.
 */
import { Arena, make } from "../bytes/arena";
import { isSpace } from "../bytes/ascii";
import { isTextFold, isUnsigned, parsedInt } from "../bytes/span";
import { engineNamed, parseActions, parseIdRange, rangeHigh, rangeLow, sawChain, switchNamed } from "./actions";
import { emptyChain } from "./chains";
import { fail, failAt, hasError, setDirective, setPlace } from "./errors";
import { literal, parseMacro } from "./macro";
import { DO_BLOCK, DO_NOTHING, DO_PASS, NO_SEVERITY, Rule, Target } from "./model";
import { nameNumber } from "./names";
import { isPrepared, operatorNamed, prepare, RX, UNCONDITIONAL } from "./operators";
import { prepareQuick } from "./quick";
import { RuleList } from "./rulelist";
import { blockMeans, LIMIT_PARTIAL, LIMIT_REJECT, MimeType, Settings } from "./settings";
import { isSieved } from "./sieves";
import { directiveLine, endSource, keepWords, nextDirective, startSource, wordCount, wordLen, wordPtr } from "./source";
import { parsedExclusions, parsedTargets, parseTargets } from "./targets";
import { MATCHED_VARS, MATCHED_VARS_NAMES } from "./variables";

let arena: Arena = changetype<Arena>(0);
let list: RuleList = changetype<RuleList>(0);
let settings: Settings = changetype<Settings>(0);
let file: usize = 0;
let fileLen: i32 = 0;
/** Last link of a chain that goes on, and its first. */
let open: Rule | null = null;
let starter: Rule = changetype<Rule>(0);

/** Position that the next rule gets. */
let nextOrdinal: i32 = 0;

/** Gives the number of rules compiled so far; sets of rules have a bit for each. */
export function ruleCount(): i32 {
  return nextOrdinal;
}

/** Sets the position of the next rule: those before it stay as they are. */
export function restartOrdinals(from: i32): void {
  nextOrdinal = from;
}

/**
 * Compiles the `len` bytes at `ptr`, named `name` in errors, into a list of rules and settings. The name
 * must live as long as the arena; of the text, what rules need is copied. False after an error.
 */
export function compile(target: Arena, rules: RuleList, into: Settings, name: usize, nameLen: i32, ptr: usize, len: i32): bool {
  arena = target;
  list = rules;
  settings = into;
  file = name;
  fileLen = nameLen;
  open = null;
  setPlace(name, nameLen, 1);
  startSource(target, ptr, len);
  while (nextDirective()) {
    setPlace(name, nameLen, directiveLine);
    setDirective(wordPtr(0), wordLen(0));
    if (!compileDirective()) return false;
  }
  if (hasError()) return false;
  if (open) return fail("chain without its next rule at the end of the file");
  endSource();
  return true;
}

function is(name: string): bool {
  return isTextFold(wordPtr(0), wordLen(0), name);
}

function compileDirective(): bool {
  if (open && !is("secrule") && !is("secaction")) return fail("expected SecRule or SecAction, the next link of the chain before it");
  if (is("secrule")) return secRule();
  keepWords();
  if (is("secaction")) return secAction();
  if (is("secmarker")) return secMarker();
  if (is("secdefaultaction")) return secDefaultAction();
  if (is("secruleremovebyid")) return removeById();
  if (is("secruleremovebytag")) return removeBy(true);
  if (is("secruleremovebymsg")) return removeBy(false);
  if (is("secruleupdatetargetbyid")) return updateTarget(0);
  if (is("secruleupdatetargetbytag")) return updateTarget(1);
  if (is("secruleupdatetargetbymsg")) return updateTarget(2);
  if (is("secruleupdateactionbyid")) return updateAction();
  return compileSetting();
}

/** True if the directive has `n` arguments; an error otherwise. */
function takes(n: i32): bool {
  return wordCount == n + 1 || fail("expected " + n.toString() + " argument(s), found " + (wordCount - 1).toString());
}

function newRule(): Rule {
  const rule = make<Rule>(arena);
  rule.file = file;
  rule.fileLen = fileLen;
  rule.line = directiveLine;
  rule.chain = emptyChain();
  rule.severity = NO_SEVERITY;
  rule.marker = -1;
  rule.skipAfter = -1;
  rule.quickSlot = -1;
  rule.argument = literal(arena, 0, 0);
  rule.operator = UNCONDITIONAL;
  rule.ordinal = nextOrdinal;
  return rule;
}

function secRule(): bool {
  if (wordCount < 3 || wordCount > 4) return fail('expected VARIABLES "OPERATOR" "ACTIONS"');
  keepWords(2);
  const rule = newRule();
  if (!parseTargets(arena, wordPtr(1), wordLen(1))) return false;
  if (!parsedTargets) return failAt("variables", wordPtr(1), wordLen(1), ": nothing to look at");
  rule.targets = parsedTargets;
  rule.exclusions = parsedExclusions;
  if (!compileOperator(rule, wordPtr(2), wordLen(2))) return false;
  return addRule(rule, wordCount > 3 ? wordPtr(3) : 0, wordCount > 3 ? wordLen(3) : 0);
}

function secAction(): bool {
  return takes(1) && addRule(newRule(), wordPtr(1), wordLen(1));
}

/** Reads `[!][@name] argument`; without a name it is @rx. The text need not live on. */
function compileOperator(rule: Rule, ptr: usize, len: i32): bool {
  let i = 0;
  while (i < len && isSpace(load<u8>(ptr + i))) i++;
  if (i < len && load<u8>(ptr + i) == 0x21) {
    rule.negated = true;
    i++;
  }
  if (i < len && load<u8>(ptr + i) == 0x40) {
    const start = ++i;
    while (i < len && !isSpace(load<u8>(ptr + i))) i++;
    rule.operator = operatorNamed(ptr + start, i - start);
    if (rule.operator < 0) return false;
    while (i < len && isSpace(load<u8>(ptr + i))) i++;
  } else rule.operator = RX;
  const argument = ptr + i;
  const argumentLen = len - i;
  if (isPrepared(rule.operator)) return prepare(arena, rule, argument, argumentLen);
  const macro = parseMacro(arena, arena.copy(argument, argumentLen), argumentLen);
  if (!macro) return false;
  rule.argument = macro;
  return true;
}

/** Applies the actions and puts the rule at the end of the list, or of the chain that is open. */
function addRule(rule: Rule, actions: usize, len: i32): bool {
  const link = open;
  if (link) {
    rule.phase = starter.phase;
    rule.log = starter.log;
  } else inheritDefaults(rule, phaseOf(actions, len));
  if (!parseActions(arena, rule, actions, len)) return false;
  if (rule.disruptive == DO_BLOCK) rule.disruptive = blockMeans(settings, rule.phase);
  if (link) {
    if (rule.id != 0) return fail("id in a link of a chain; only its first rule has one");
    if (rule.skip > 0 || rule.skipAfter >= 0) return fail("skip or skipAfter in a link of a chain; they belong to its first rule");
    if (rule.disruptive > DO_PASS) return fail("disruptive action in a link of a chain; it belongs to its first rule");
    link.chained = rule;
    if (looksAtMatched(rule)) starter.keepsMatched = true;
    rule.ordinal = starter.ordinal;
  } else {
    if (rule.id == 0) return fail("id is missing; every rule needs one of its own");
    const other = findId(rule.id);
    if (other)
      return fail(
        "id " + rule.id.toString() + " is already used in line " + other.line.toString() + " of " + String.UTF8.decodeUnsafe(other.file, other.fileLen),
      );
    starter = rule;
    prepareQuick(rule);
    rule.sieved = isSieved(rule);
    nextOrdinal++;
    list.add(arena, rule);
  }
  open = sawChain ? rule : null;
  return true;
}

function looksAtMatched(rule: Rule): bool {
  for (let target: Target | null = rule.targets; target; target = target!.next) {
    if (target.variable == MATCHED_VARS || target.variable == MATCHED_VARS_NAMES) return true;
  }
  return false;
}

function findId(id: i32): Rule | null {
  for (let i = 0; i < list.count; i++) if (list.at(i).id == id) return list.at(i);
  return null;
}

/** Finds the phase in a list of actions, since defaults depend on it: 2 if it says none. */
function phaseOf(actions: usize, len: i32): i32 {
  const probe = newRule();
  probe.phase = 2;
  let quoted = false;
  let start = 0;
  for (let i = 0; i <= len; i++) {
    const c: u8 = i < len ? load<u8>(actions + i) : 0x2c;
    if (c == 0x27) quoted = !quoted;
    if (c != 0x2c || (quoted && i < len)) continue;
    let from = start;
    while (from < i && isSpace(load<u8>(actions + from))) from++;
    if (i - from > 6 && isTextFold(actions + from, 6, "phase:")) parseActions(arena, probe, actions + from, i - from);
    start = i + 1;
  }
  return probe.phase;
}

function inheritDefaults(rule: Rule, phase: i32): void {
  rule.phase = phase;
  rule.log = true;
  rule.auditlog = true;
  rule.disruptive = DO_BLOCK;
  const defaults = settings.defaultAction(phase);
  if (!defaults) return;
  rule.log = defaults.log;
  rule.auditlog = defaults.auditlog;
  rule.status = defaults.status;
  rule.chain = defaults.chain;
  rule.tags = defaults.tags;
}

function secMarker(): bool {
  if (!takes(1)) return false;
  const rule = newRule();
  rule.marker = nameNumber(wordPtr(1), wordLen(1));
  if (rule.marker < 0) return fail("more than 2048 names of TX variables and markers");
  list.add(arena, rule);
  return true;
}

function secDefaultAction(): bool {
  if (!takes(1)) return false;
  const rule = newRule();
  rule.phase = phaseOf(wordPtr(1), wordLen(1));
  rule.log = true;
  rule.auditlog = true;
  if (!parseActions(arena, rule, wordPtr(1), wordLen(1))) return false;
  if (rule.id != 0 || sawChain) return fail("id and chain do not belong here");
  if (rule.disruptive == DO_NOTHING || rule.disruptive == DO_BLOCK) return fail("expected a disruptive action: pass, deny, drop, redirect or allow");
  settings.setDefaultAction(rule.phase, rule);
  return true;
}

/** SecRuleRemoveById: ids and ranges. */
function removeById(): bool {
  for (let w = 1; w < wordCount; w++) {
    if (!parseIdRange(wordPtr(w), wordLen(w))) return false;
    for (let i = list.count - 1; i >= 0; i--) {
      const id = list.at(i).id;
      if (id != 0 && id >= rangeLow && id <= rangeHigh) list.remove(i);
    }
  }
  return true;
}

function removeBy(tag: bool): bool {
  if (!takes(1)) return false;
  for (let i = list.count - 1; i >= 0; i--) {
    const rule = list.at(i);
    if (tag ? rule.hasTag(wordPtr(1), wordLen(1)) : hasMessage(rule, wordPtr(1), wordLen(1))) list.remove(i);
  }
  return true;
}

/** True if that is the rule's message, as written. */
export function hasMessage(rule: Rule, ptr: usize, len: i32): bool {
  const msg = rule.msg;
  return msg != null && msg.ptr != 0 && msg.len == len && memory.compare(msg.ptr, ptr, <usize>len) == 0;
}

/** Gives the i-th rule for changing: a copy if the rule belongs to another list too. */
function own(i: i32): Rule {
  const rule = list.at(i);
  if (i >= list.shared) return rule;
  const copy = changetype<Rule>(arena.copy(changetype<usize>(rule), <i32>offsetof<Rule>()));
  list.put(i, copy);
  return copy;
}

/** SecRuleUpdateTargetById (0), ByTag (1), ByMsg (2). */
function updateTarget(by: i32): bool {
  if (!takes(2)) return false;
  if (by == 0 && !parseIdRange(wordPtr(1), wordLen(1))) return false;
  const low = rangeLow;
  const high = rangeHigh;
  for (let i = 0; i < list.count; i++) {
    const rule = list.at(i);
    const id = rule.id;
    const chosen = by == 0 ? id != 0 && id >= low && id <= high : by == 1 ? rule.hasTag(wordPtr(1), wordLen(1)) : hasMessage(rule, wordPtr(1), wordLen(1));
    if (!chosen || !rule.targets) continue;
    if (!parseTargets(arena, wordPtr(2), wordLen(2))) return false;
    const changed = own(i);
    changed.exclusions = concat(parsedExclusions, changed.exclusions);
    changed.targets = concat(parsedTargets, changed.targets);
    prepareQuick(changed);
    changed.sieved = isSieved(changed);
  }
  return true;
}

function concat(front: Target | null, rest: Target | null): Target | null {
  if (!front) return rest;
  let last: Target = front;
  while (last.next) last = last.next!;
  last.next = rest;
  return front;
}

function updateAction(): bool {
  if (!takes(2) || !parseIdRange(wordPtr(1), wordLen(1))) return false;
  const low = rangeLow;
  const high = rangeHigh;
  for (let i = 0; i < list.count; i++) {
    const id = list.at(i).id;
    if (id == 0 || id < low || id > high) continue;
    const rule = own(i);
    const phase = rule.phase;
    // lists that the new actions do not give stay; lists that they give replace the old ones, which may be shared
    const tags = rule.tags;
    const setvars = rule.setvars;
    const ctls = rule.ctls;
    rule.tags = null;
    rule.setvars = null;
    rule.ctls = null;
    if (!parseActions(arena, rule, wordPtr(2), wordLen(2))) return false;
    if (!rule.tags) rule.tags = tags;
    if (!rule.setvars) rule.setvars = setvars;
    if (!rule.ctls) rule.ctls = ctls;
    if (rule.id != id || rule.phase != phase) return fail("id and phase of a rule cannot be changed");
    if (rule.disruptive == DO_BLOCK) rule.disruptive = blockMeans(settings, phase);
  }
  return true;
}

function compileSetting(): bool {
  if (is("secruleengine")) return takes(1) && setEngine();
  if (is("secrequestbodyaccess")) return takes(1) && setSwitch(true);
  if (is("secresponsebodyaccess")) return takes(1) && setSwitch(false);
  if (is("secrequestbodylimit")) return takes(1) && setNumber(0);
  if (is("secrequestbodynofileslimit")) return takes(1) && setNumber(1);
  if (is("secresponsebodylimit")) return takes(1) && setNumber(2);
  if (is("secrequestbodyjsondepthlimit")) return takes(1) && setNumber(3);
  if (is("secargumentslimit")) return takes(1) && setNumber(4);
  if (is("secrequestbodyinmemorylimit")) return takes(1) && setNumber(5);
  if (is("secrequestbodylimitaction")) return takes(1) && setLimitAction(true);
  if (is("secresponsebodylimitaction")) return takes(1) && setLimitAction(false);
  if (is("secresponsebodymimetype")) return addMimeTypes();
  if (is("secresponsebodymimetypesclear")) {
    settings.mimeTypes = null;
    return true;
  }
  if (is("secargumentseparator")) {
    if (!takes(1) || wordLen(1) != 1) return fail("expected one character");
    settings.argumentSeparator = load<u8>(wordPtr(1));
    return true;
  }
  if (is("secwebappid")) {
    if (!takes(1)) return false;
    settings.webAppId = wordPtr(1);
    settings.webAppIdLen = wordLen(1);
    return true;
  }
  return isHarmless() || refuse();
}

/** Directives about what a filter does otherwise, or that change no decision: accepted, and listed in docs/seclang.md. */
function isHarmless(): bool {
  return (
    is("seccomponentsignature") ||
    is("secauditengine") ||
    is("secauditlog") ||
    is("secauditlog2") ||
    is("secauditlogtype") ||
    is("secauditlogformat") ||
    is("secauditlogparts") ||
    is("secauditlogrelevantstatus") ||
    is("secauditlogstoragedir") ||
    is("secauditlogdirmode") ||
    is("secauditlogfilemode") ||
    is("secdebuglog") ||
    is("secdebugloglevel") ||
    is("secdatadir") ||
    is("sectmpdir") ||
    is("secuploaddir") ||
    is("secuploadkeepfiles") ||
    is("secuploadfilemode") ||
    is("secuploadfilelimit") ||
    is("seccollectiontimeout") ||
    is("secpcrematchlimit") ||
    is("secpcrematchlimitrecursion") ||
    is("secrxprefilter") ||
    is("secunicodemapfile") ||
    is("seccookieformat") ||
    is("secsensorid") ||
    is("secserversignature") ||
    is("secstatusengine")
  );
}

function refuse(): bool {
  if (is("include") || is("includeoptional")) return fail("a filter reads no files; give the file to `bailey`, which resolves it");
  if (is("secremoterules")) return fail("rules from the network are not loaded; download, review and include them");
  if (is("secrulescript")) return fail("scripts are not run; write the check as SecRule");
  if (is("secgeolookupdb")) return fail("needs a geography database, which a filter does not have");
  if (is("sechashengine") || is("sechashkey") || is("sechashparam") || is("sechashmethodrx") || is("sechashmethodpm"))
    return fail("rewrites links in responses, and Bailey only inspects");
  if (is("secrequestbodylimitaction2") || is("secconnengine") || is("secconnreadstatelimit") || is("secconnwritestatelimit"))
    return fail("connections are Envoy's; use its overload manager and connection limits");
  if (is("secxmlexternalentity"))
    return wordCount > 1 && isTextFold(wordPtr(1), wordLen(1), "off") ? true : fail("external entities are never loaded; only Off is possible");
  return fail("unknown directive; see the list in docs/seclang.md");
}

function setEngine(): bool {
  settings.engine = engineNamed(wordPtr(1), wordLen(1));
  return settings.engine >= 0;
}

function setSwitch(request: bool): bool {
  const on = switchNamed(wordPtr(1), wordLen(1));
  if (request) settings.requestBodyAccess = on == 1;
  else settings.responseBodyAccess = on == 1;
  return on >= 0;
}

function setNumber(which: i32): bool {
  if (!isUnsigned(wordPtr(1), wordLen(1)) || parsedInt > 1073741824) return failAt("value", wordPtr(1), wordLen(1), ": expected a number up to 1073741824");
  const value = <i32>parsedInt;
  if (which == 0) settings.requestBodyLimit = value;
  else if (which == 1) settings.requestBodyNoFilesLimit = value;
  else if (which == 2) settings.responseBodyLimit = value;
  else if (which == 3) settings.jsonDepthLimit = value;
  else if (which == 4) settings.argumentsLimit = value;
  return true;
}

function setLimitAction(request: bool): bool {
  let action = LIMIT_REJECT;
  if (isTextFold(wordPtr(1), wordLen(1), "processpartial")) action = LIMIT_PARTIAL;
  else if (!isTextFold(wordPtr(1), wordLen(1), "reject")) return failAt("value", wordPtr(1), wordLen(1), ": expected Reject or ProcessPartial");
  if (request) settings.requestBodyLimitAction = action;
  else settings.responseBodyLimitAction = action;
  return true;
}

function addMimeTypes(): bool {
  for (let w = 1; w < wordCount; w++) {
    const type = make<MimeType>(arena);
    type.ptr = wordPtr(w);
    type.len = wordLen(w);
    type.next = settings.mimeTypes;
    settings.mimeTypes = type;
  }
  return true;
}
