/**
 * The actions of a rule: `"id:942100,phase:2,block,msg:'...',setvar:'tx.score=+5'"`.
 *
 * A list is split at commas outside single quotes. An action has a name and, after a colon, a value,
 * which may stand in single quotes with `\'` for a quote.
 */
import { Arena, make } from "../bytes/arena";
import { isSpace } from "../bytes/ascii";
import { indexOf, isTextFold, isUnsigned, lastIndexOf, parsedInt } from "../bytes/span";
import { transformationNamed } from "../decode/transform/index";
import { emptyChain, extendChain } from "./chains";
import { fail, failAt } from "./errors";
import { parseMacro } from "./macro";
import {
  CTL_BODY_ACCESS,
  CTL_BODY_PROCESSOR,
  CTL_FORCE_BODY,
  CTL_NOTHING,
  CTL_REMOVE_BY_ID,
  CTL_REMOVE_BY_MSG,
  CTL_REMOVE_BY_TAG,
  CTL_REMOVE_TARGET_BY_ID,
  CTL_REMOVE_TARGET_BY_MSG,
  CTL_REMOVE_TARGET_BY_TAG,
  CTL_RESPONSE_BODY_ACCESS,
  CTL_RULE_ENGINE,
  Ctl,
  DO_ALLOW,
  DO_ALLOW_PHASE,
  DO_ALLOW_REQUEST,
  DO_BLOCK,
  DO_DENY,
  DO_DROP,
  DO_PASS,
  DO_REDIRECT,
  ENGINE_DETECT,
  ENGINE_OFF,
  ENGINE_ON,
  PROCESSOR_JSON,
  PROCESSOR_MULTIPART,
  PROCESSOR_RAW,
  PROCESSOR_URLENCODED,
  PROCESSOR_XML,
  Rule,
  SET_ADD,
  SET_ASSIGN,
  SET_SUBTRACT,
  SET_UNSET,
  SetVar,
  Tag,
} from "./model";
import { nameNumber } from "./names";
import { parsedExclusions, parsedTargets, parseTargets } from "./targets";
import { FIRST_LIST, isCollection, LAST_LIST, TX, variableNamed } from "./variables";

/** True if the last list had `chain`. */
export let sawChain: bool = false;

let arena: Arena = changetype<Arena>(0);

/** Applies a list of actions to `rule`. The text must live as long as the rule. False after an error. */
export function parseActions(target: Arena, rule: Rule, ptr: usize, len: i32): bool {
  arena = target;
  sawChain = false;
  let i = 0;
  while (i < len) {
    const end = actionEnd(ptr, len, i);
    if (end < 0) return fail("missing closing ' in the list of actions");
    if (!parseAction(rule, ptr + i, end - i)) return false;
    i = end + 1;
  }
  return true;
}

function actionEnd(ptr: usize, len: i32, start: i32): i32 {
  let quoted = false;
  for (let i = start; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c == 0x5c) i++;
    else if (c == 0x27) quoted = !quoted;
    else if (c == 0x2c && !quoted) return i;
  }
  return quoted ? -1 : len;
}

let valuePtr: usize = 0;
let valueLen: i32 = 0;

function cut(ptr: usize, len: i32): void {
  while (len > 0 && isSpace(load<u8>(ptr))) {
    ptr++;
    len--;
  }
  while (len > 0 && isSpace(load<u8>(ptr + len - 1))) len--;
  valuePtr = ptr;
  valueLen = len;
}

/** Takes single quotes off the value, and backslashes off quotes within. */
function unquote(): void {
  if (valueLen < 2 || load<u8>(valuePtr) != 0x27 || load<u8>(valuePtr + valueLen - 1) != 0x27) return;
  const out = arena.reserve(<usize>valueLen);
  let n = 0;
  for (let i = 1; i < valueLen - 1; i++) {
    if (load<u8>(valuePtr + i) == 0x5c && load<u8>(valuePtr + i + 1) == 0x27 && i + 1 < valueLen - 1) i++;
    store<u8>(out + n++, load<u8>(valuePtr + i));
  }
  valuePtr = out;
  valueLen = n;
}

function parseAction(rule: Rule, ptr: usize, len: i32): bool {
  cut(ptr, len);
  if (valueLen == 0) return true;
  const name = valuePtr;
  const whole = valueLen;
  let colon = indexOf(name, whole, 0x3a);
  const equals = indexOf(name, whole, 0x3d);
  if (colon < 0 && equals > 0) colon = equals;
  let nameLen = whole;
  if (colon >= 0) {
    nameLen = colon;
    cut(name + colon + 1, whole - colon - 1);
    unquote();
  } else valueLen = 0;
  while (nameLen > 0 && isSpace(load<u8>(name + nameLen - 1))) nameLen--;
  return applyMeta(rule, name, nameLen) || applyData(rule, name, nameLen);
}

/** Applies an action that has no value or a plain one. False if it is another, or after an error. */
function applyMeta(rule: Rule, name: usize, len: i32): bool {
  if (isTextFold(name, len, "pass")) rule.disruptive = DO_PASS;
  else if (isTextFold(name, len, "block")) rule.disruptive = DO_BLOCK;
  else if (isTextFold(name, len, "deny")) rule.disruptive = DO_DENY;
  else if (isTextFold(name, len, "drop")) rule.disruptive = DO_DROP;
  else if (isTextFold(name, len, "log")) rule.log = true;
  else if (isTextFold(name, len, "nolog")) {
    rule.log = false;
    rule.auditlog = false;
  } else if (isTextFold(name, len, "auditlog")) rule.auditlog = true;
  else if (isTextFold(name, len, "noauditlog")) rule.auditlog = false;
  else if (isTextFold(name, len, "capture")) rule.capture = true;
  else if (isTextFold(name, len, "multimatch")) rule.multiMatch = true;
  else if (isTextFold(name, len, "chain")) sawChain = true;
  else return false;
  return true;
}

function applyData(rule: Rule, name: usize, len: i32): bool {
  if (isTextFold(name, len, "t")) return addTransformation(rule);
  if (isTextFold(name, len, "tag")) return addTag(rule);
  if (isTextFold(name, len, "setvar")) return addSetVar(rule);
  if (isTextFold(name, len, "ctl")) return addCtl(rule);
  if (isTextFold(name, len, "id")) return setId(rule);
  if (isTextFold(name, len, "phase")) return setPhase(rule);
  if (isTextFold(name, len, "severity")) return setSeverity(rule);
  if (isTextFold(name, len, "allow")) return setAllow(rule);
  if (isTextFold(name, len, "msg")) {
    rule.msg = parseMacro(arena, valuePtr, valueLen);
    return rule.msg != null;
  }
  if (isTextFold(name, len, "logdata")) {
    rule.logdata = parseMacro(arena, valuePtr, valueLen);
    return rule.logdata != null;
  }
  if (isTextFold(name, len, "redirect")) {
    rule.disruptive = DO_REDIRECT;
    rule.redirect = parseMacro(arena, valuePtr, valueLen);
    return rule.redirect != null;
  }
  return applyFlow(rule, name, len);
}

function applyFlow(rule: Rule, name: usize, len: i32): bool {
  if (isTextFold(name, len, "status")) {
    if (!isUnsigned(valuePtr, valueLen) || parsedInt < 200 || parsedInt > 599)
      return failAt("status", valuePtr, valueLen, ": expected a number from 200 to 599");
    rule.status = <i32>parsedInt;
    return true;
  }
  if (isTextFold(name, len, "skip")) {
    if (!isUnsigned(valuePtr, valueLen) || parsedInt < 1) return failAt("skip", valuePtr, valueLen, ": expected a number of rules");
    rule.skip = <i32>min<i64>(parsedInt, 100000);
    return true;
  }
  if (isTextFold(name, len, "skipafter")) {
    rule.skipAfter = nameNumber(valuePtr, valueLen);
    return rule.skipAfter >= 0 || fail("more than 2048 names of TX variables and markers");
  }
  if (isTextFold(name, len, "ver")) {
    rule.ver = tagOf();
    return true;
  }
  if (isTextFold(name, len, "rev")) {
    rule.rev = tagOf();
    return true;
  }
  if (isTextFold(name, len, "maturity") || isTextFold(name, len, "accuracy")) return true;
  if (isTextFold(name, len, "initcol")) return checkCollection();
  return refuse(name, len);
}

/** `initcol` names a collection; a filter keeps it for one request. */
function checkCollection(): bool {
  const equals = indexOf(valuePtr, valueLen, 0x3d);
  const variable = variableNamed(valuePtr, equals < 0 ? valueLen : equals);
  if (variable >= FIRST_LIST && variable <= LAST_LIST) return true;
  return failAt("initcol", valuePtr, valueLen, ": expected ip, global, resource, session or user");
}

function refuse(name: usize, len: i32): bool {
  if (isTextFold(name, len, "proxy") || isTextFold(name, len, "exec") || isTextFold(name, len, "pause"))
    return failAt("action", name, len, " cannot be honoured by a filter in a proxy; use Envoy's routes, an access log, or its rate limit filter");
  if (isTextFold(name, len, "append") || isTextFold(name, len, "prepend")) return failAt("action", name, len, " rewrites responses, and Bailey only inspects");
  if (isTextFold(name, len, "expirevar") || isTextFold(name, len, "deprecatevar"))
    return failAt("action", name, len, " acts on collections kept between requests, which a filter does not have; use a rate limit");
  if (isTextFold(name, len, "setenv") || isTextFold(name, len, "setuid") || isTextFold(name, len, "setsid") || isTextFold(name, len, "setrsc"))
    return failAt("action", name, len, " sets what a proxy does not have; use setvar with a TX variable");
  if (len > 8 && isTextFold(name, 8, "sanitise")) return failAt("action", name, len, ": masking is configuration, use events.mask in pluginConfig");
  if (isTextFold(name, len, "xmlns")) return failAt("action", name, len, ": XML takes only /* and //@*, which need no namespace");
  return failAt("action", name, len, " is unknown; see the list in docs/seclang.md");
}

function addTransformation(rule: Rule): bool {
  const number = transformationNamed(valuePtr, valueLen);
  if (number < 0) return failAt("transformation", valuePtr, valueLen, " is unknown; see the list in docs/seclang.md");
  if (number == 0) {
    rule.chain = emptyChain();
    return true;
  }
  const chain = extendChain(rule.chain, number);
  if (!chain) return fail("more than 512 different sequences of transformations");
  rule.chain = chain;
  return true;
}

function tagOf(): Tag {
  const tag = make<Tag>(arena);
  tag.ptr = valuePtr;
  tag.len = valueLen;
  return tag;
}

function addTag(rule: Rule): bool {
  const tag = tagOf();
  if (!rule.tags) {
    rule.tags = tag;
    return true;
  }
  let last = rule.tags!;
  while (last.next) last = last.next!;
  last.next = tag;
  return true;
}

function setId(rule: Rule): bool {
  if (!isUnsigned(valuePtr, valueLen) || parsedInt < 1 || parsedInt > 2147483647)
    return failAt("id", valuePtr, valueLen, ": expected a number from 1 to 2147483647");
  rule.id = <i32>parsedInt;
  return true;
}

function setPhase(rule: Rule): bool {
  if (isTextFold(valuePtr, valueLen, "request")) rule.phase = 2;
  else if (isTextFold(valuePtr, valueLen, "response")) rule.phase = 4;
  else if (isTextFold(valuePtr, valueLen, "logging")) rule.phase = 5;
  else if (isUnsigned(valuePtr, valueLen) && parsedInt >= 1 && parsedInt <= 5) rule.phase = <i32>parsedInt;
  else return failAt("phase", valuePtr, valueLen, ": expected 1 to 5, request, response or logging");
  return true;
}

function setSeverity(rule: Rule): bool {
  const names = "EMERGENCY ALERT CRITICAL ERROR WARNING NOTICE INFO DEBUG";
  if (isUnsigned(valuePtr, valueLen) && parsedInt <= 7) {
    rule.severity = <i32>parsedInt;
    return true;
  }
  let level = 0;
  for (let start = 0; start < names.length; level++) {
    let end = names.indexOf(" ", start);
    if (end < 0) end = names.length;
    if (isTextFold(valuePtr, valueLen, names.substring(start, end).toLowerCase())) {
      rule.severity = level;
      return true;
    }
    start = end + 1;
  }
  return failAt("severity", valuePtr, valueLen, ": expected 0 to 7 or EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG");
}

function setAllow(rule: Rule): bool {
  if (valueLen == 0) rule.disruptive = DO_ALLOW;
  else if (isTextFold(valuePtr, valueLen, "phase")) rule.disruptive = DO_ALLOW_PHASE;
  else if (isTextFold(valuePtr, valueLen, "request")) rule.disruptive = DO_ALLOW_REQUEST;
  else return failAt("allow", valuePtr, valueLen, ": expected nothing, phase or request");
  return true;
}

/** Reads `[!]collection.name[=[+|-]value]`. */
function addSetVar(rule: Rule): bool {
  const entry = make<SetVar>(arena);
  let ptr = valuePtr;
  let len = valueLen;
  if (len > 0 && load<u8>(ptr) == 0x21) {
    entry.kind = SET_UNSET;
    ptr++;
    len--;
  }
  const equals = indexOf(ptr, len, 0x3d);
  const nameEnd = equals < 0 ? len : equals;
  let dot = indexOf(ptr, nameEnd, 0x2e);
  if (dot < 0) dot = indexOf(ptr, nameEnd, 0x3a);
  if (dot < 0) return failAt("setvar", valuePtr, valueLen, ": expected collection.name=value, as in tx.score=+5");
  entry.variable = variableNamed(ptr, dot);
  if (!isCollection(entry.variable) || entry.variable > TX) return failAt("setvar", valuePtr, valueLen, ": expected tx, ip, global, resource, session or user");
  const name = parseMacro(arena, ptr + dot + 1, nameEnd - dot - 1);
  if (!name) return false;
  entry.name = name;
  entry.slot = -1;
  if (entry.variable == TX && name.isLiteral()) {
    entry.slot = nameNumber(name.ptr, name.len);
    if (entry.slot < 0) return fail("more than 2048 names of TX variables and markers");
  }
  if (entry.kind != SET_UNSET && !setVarValue(entry, ptr, len, equals)) return false;
  appendSetVar(rule, entry);
  return true;
}

const ONE: usize = memory.data<u8>([0x31]);

function setVarValue(entry: SetVar, ptr: usize, len: i32, equals: i32): bool {
  if (equals < 0) {
    entry.value = parseMacro(arena, ONE, 1);
    return true;
  }
  let from = equals + 1;
  const sign: u8 = from < len ? load<u8>(ptr + from) : 0;
  entry.kind = sign == 0x2b ? SET_ADD : sign == 0x2d ? SET_SUBTRACT : SET_ASSIGN;
  if (entry.kind != SET_ASSIGN) from++;
  entry.value = parseMacro(arena, ptr + from, len - from);
  return entry.value != null;
}

function appendSetVar(rule: Rule, entry: SetVar): void {
  if (!rule.setvars) {
    rule.setvars = entry;
    return;
  }
  let last = rule.setvars!;
  while (last.next) last = last.next!;
  last.next = entry;
}

/** Reads `ctl:name=value`. */
function addCtl(rule: Rule): bool {
  const equals = indexOf(valuePtr, valueLen, 0x3d);
  if (equals < 0) return failAt("ctl", valuePtr, valueLen, ": expected name=value");
  const entry = make<Ctl>(arena);
  if (!parseCtl(entry, valuePtr, equals, valuePtr + equals + 1, valueLen - equals - 1)) return false;
  if (!rule.ctls) {
    rule.ctls = entry;
    return true;
  }
  let last = rule.ctls!;
  while (last.next) last = last.next!;
  last.next = entry;
  return true;
}

function parseCtl(entry: Ctl, name: usize, nameLen: i32, value: usize, len: i32): bool {
  entry.ptr = value;
  entry.len = len;
  if (isTextFold(name, nameLen, "ruleremovebyid")) return removal(entry, CTL_REMOVE_BY_ID);
  if (isTextFold(name, nameLen, "ruleremovebytag")) return removal(entry, CTL_REMOVE_BY_TAG);
  if (isTextFold(name, nameLen, "ruleremovebymsg")) return removal(entry, CTL_REMOVE_BY_MSG);
  if (isTextFold(name, nameLen, "ruleremovetargetbyid")) return removal(entry, CTL_REMOVE_TARGET_BY_ID);
  if (isTextFold(name, nameLen, "ruleremovetargetbytag")) return removal(entry, CTL_REMOVE_TARGET_BY_TAG);
  if (isTextFold(name, nameLen, "ruleremovetargetbymsg")) return removal(entry, CTL_REMOVE_TARGET_BY_MSG);
  if (isTextFold(name, nameLen, "ruleengine")) {
    entry.kind = CTL_RULE_ENGINE;
    entry.value = engineNamed(value, len);
    return entry.value >= 0;
  }
  if (isTextFold(name, nameLen, "requestbodyprocessor")) {
    entry.kind = CTL_BODY_PROCESSOR;
    entry.value = processorNamed(value, len);
    return entry.value >= 0;
  }
  if (isTextFold(name, nameLen, "requestbodyaccess")) entry.kind = CTL_BODY_ACCESS;
  else if (isTextFold(name, nameLen, "forcerequestbodyvariable")) entry.kind = CTL_FORCE_BODY;
  else if (isTextFold(name, nameLen, "responsebodyaccess")) entry.kind = CTL_RESPONSE_BODY_ACCESS;
  else if (isTextFold(name, nameLen, "auditengine") || isTextFold(name, nameLen, "auditlogparts") || isTextFold(name, nameLen, "debugloglevel")) {
    entry.kind = CTL_NOTHING;
    return true;
  } else return failAt("ctl", name, nameLen, " is unknown; see the list in docs/seclang.md");
  entry.value = switchNamed(value, len);
  return entry.value >= 0;
}

/** Gives 1 for On, 0 for Off, -1 after an error. */
export function switchNamed(ptr: usize, len: i32): i32 {
  if (isTextFold(ptr, len, "on")) return 1;
  if (isTextFold(ptr, len, "off")) return 0;
  failAt("value", ptr, len, ": expected On or Off");
  return -1;
}

/** Gives ENGINE_*, -1 after an error. */
export function engineNamed(ptr: usize, len: i32): i32 {
  if (isTextFold(ptr, len, "on")) return ENGINE_ON;
  if (isTextFold(ptr, len, "off")) return ENGINE_OFF;
  if (isTextFold(ptr, len, "detectiononly")) return ENGINE_DETECT;
  failAt("value", ptr, len, ": expected On, Off or DetectionOnly");
  return -1;
}

function processorNamed(ptr: usize, len: i32): i32 {
  if (isTextFold(ptr, len, "urlencoded")) return PROCESSOR_URLENCODED;
  if (isTextFold(ptr, len, "multipart")) return PROCESSOR_MULTIPART;
  if (isTextFold(ptr, len, "json")) return PROCESSOR_JSON;
  if (isTextFold(ptr, len, "xml")) return PROCESSOR_XML;
  if (isTextFold(ptr, len, "raw")) return PROCESSOR_RAW;
  failAt("body processor", ptr, len, ": expected URLENCODED, MULTIPART, JSON, XML or RAW");
  return -1;
}

function removal(entry: Ctl, kind: i32): bool {
  entry.kind = kind;
  if (kind >= CTL_REMOVE_TARGET_BY_ID) {
    const semicolon = lastIndexOf(entry.ptr, entry.len, 0x3b);
    if (semicolon < 0) return failAt("ctl", entry.ptr, entry.len, ": expected rules;VARIABLE, as in 942100;ARGS:q");
    if (!parseTargets(arena, entry.ptr + semicolon + 1, entry.len - semicolon - 1)) return false;
    entry.target = parsedTargets ? parsedTargets : parsedExclusions;
    if (!entry.target) return failAt("ctl", entry.ptr, entry.len, ": expected a variable after the semicolon");
    entry.len = semicolon;
  }
  if (kind == CTL_REMOVE_BY_ID || kind == CTL_REMOVE_TARGET_BY_ID) return parseIdRange(entry.ptr, entry.len) && setRange(entry);
  return true;
}

function setRange(entry: Ctl): bool {
  entry.low = rangeLow;
  entry.high = rangeHigh;
  return true;
}

/** The range that `parseIdRange` read. */
export let rangeLow: i32 = 0;
export let rangeHigh: i32 = 0;

/** Reads `id` or `id-id`. False after an error. */
export function parseIdRange(ptr: usize, len: i32): bool {
  const dash = indexOf(ptr, len, 0x2d);
  if (!isUnsigned(ptr, dash < 0 ? len : dash)) return failAt("rule id", ptr, len, ": expected a number, or two with a dash between");
  rangeLow = <i32>min<i64>(parsedInt, i32.MAX_VALUE);
  rangeHigh = rangeLow;
  if (dash < 0) return true;
  if (!isUnsigned(ptr + dash + 1, len - dash - 1)) return failAt("rule id", ptr, len, ": expected a number, or two with a dash between");
  rangeHigh = <i32>min<i64>(parsedInt, i32.MAX_VALUE);
  return true;
}
