/** What rules look at: `ARGS|!ARGS:password|&TX:/^x_/|XML:/*`. */
import { Arena, make } from "../bytes/arena";
import { indexOf, isText } from "../bytes/span";
import { compileRegex, regexError } from "../match/regex/index";
import { fail, failAt } from "./errors";
import { SELECT_ALL, SELECT_NAME, SELECT_REGEX, Target } from "./model";
import { MAX_NAMES, nameNumber } from "./names";
import { noteVariable } from "./scalars";
import { selectorNumber } from "./selected";
import { reserveKeys } from "./txkeys";
import { isCollection, RULE, TX, variableNamed, XML } from "./variables";

/** The lists that `parseTargets` made. */
export let parsedTargets: Target | null = null;
export let parsedExclusions: Target | null = null;

let arena: Arena = changetype<Arena>(0);
let last: Target | null = null;

/** Parses a list separated by `|` or commas, whose text must live as long as the rules. False after an error. */
export function parseTargets(target: Arena, ptr: usize, len: i32): bool {
  arena = target;
  parsedTargets = null;
  parsedExclusions = null;
  last = null;
  let i = 0;
  while (i < len) {
    const end = targetEnd(ptr, len, i);
    if (!addTarget(ptr + i, end - i)) return false;
    i = end + 1;
  }
  return true;
}

/** Finds the end of the target at `i`: a pattern between slashes may hold the separators. */
function targetEnd(ptr: usize, len: i32, i: i32): i32 {
  const colon = indexOf(ptr, len, 0x3a, i);
  let bar = nextSeparator(ptr, len, i);
  if (colon < 0 || colon > bar) return bar;
  let c = colon + 1;
  const quoted = c < len && load<u8>(ptr + c) == 0x27;
  if (quoted) c++;
  if (c >= len || load<u8>(ptr + c) != 0x2f) return bar;
  for (let k = c + 1; k < len; k++) {
    if (load<u8>(ptr + k) == 0x5c) k++;
    else if (load<u8>(ptr + k) == 0x2f) {
      bar = nextSeparator(ptr, len, k);
      const after = bar - k - 1;
      if (after == 0 || (quoted && after == 1)) return bar;
    }
  }
  return nextSeparator(ptr, len, i);
}

function nextSeparator(ptr: usize, len: i32, i: i32): i32 {
  while (i < len && load<u8>(ptr + i) != 0x7c && load<u8>(ptr + i) != 0x2c) i++;
  return i;
}

function addTarget(ptr: usize, len: i32): bool {
  while (len > 0 && load<u8>(ptr) == 0x20) {
    ptr++;
    len--;
  }
  while (len > 0 && load<u8>(ptr + len - 1) == 0x20) len--;
  let excluded = false;
  let counted = false;
  while (len > 0 && (load<u8>(ptr) == 0x21 || load<u8>(ptr) == 0x26)) {
    if (load<u8>(ptr) == 0x21) excluded = true;
    else counted = true;
    ptr++;
    len--;
  }
  const target = parseTarget(ptr, len);
  if (!target) return false;
  target.count = counted;
  if (excluded) {
    target.next = parsedExclusions;
    parsedExclusions = target;
  } else {
    const before = last;
    if (before) before.next = target;
    else parsedTargets = target;
    last = target;
  }
  return true;
}

function parseTarget(ptr: usize, len: i32): Target | null {
  let colon = indexOf(ptr, len, 0x3a);
  if (colon < 0) colon = dotOfTx(ptr, len);
  const nameLength = colon < 0 ? len : colon;
  const target = make<Target>(arena);
  target.variable = variableNamed(ptr, nameLength);
  target.slot = -1;
  noteVariable(target.variable);
  if (target.variable < 0) {
    failAt("unknown variable", ptr, nameLength, ", see the list of variables in docs/seclang.md");
    return null;
  }
  if (target.variable == RULE) {
    fail("RULE is for %{rule.id}, %{rule.msg} and %{rule.severity} in text; it cannot be looked at");
    return null;
  }
  if (colon < 0 || colon + 1 >= len) return target;
  if (!isCollection(target.variable)) {
    failAt("variable", ptr, nameLength, " is no collection and takes no selector");
    return null;
  }
  return selectWith(target, ptr + colon + 1, len - colon - 1) ? target : null;
}

/** `TX.name` is an old spelling of `TX:name`. */
function dotOfTx(ptr: usize, len: i32): i32 {
  return len > 3 && (load<u8>(ptr) | 0x20) == 0x74 && (load<u8>(ptr + 1) | 0x20) == 0x78 && load<u8>(ptr + 2) == 0x2e ? 2 : -1;
}

function selectWith(target: Target, ptr: usize, len: i32): bool {
  if (len >= 2 && load<u8>(ptr) == 0x27 && load<u8>(ptr + len - 1) == 0x27) {
    ptr++;
    len -= 2;
  }
  target.selPtr = ptr;
  target.selLen = len;
  if (target.variable == XML) return selectXml(target, ptr, len);
  if (len >= 2 && load<u8>(ptr) == 0x2f && load<u8>(ptr + len - 1) == 0x2f) {
    target.select = SELECT_REGEX;
    target.selPtr = ptr + 1;
    target.selLen = len - 2;
    if (target.variable == TX) reserveKeys(arena, target);
    return compileSelector(target);
  }
  target.select = SELECT_NAME;
  if (target.variable == TX) {
    target.slot = nameNumber(ptr, len);
    if (target.slot < 0) return fail("more than " + MAX_NAMES.toString() + " names of TX variables and markers");
  } else target.slot = selectorNumber(ptr, len);
  return true;
}

/** Selectors compare without case, patterns too. */
function compileSelector(target: Target): bool {
  const pattern = arena.reserve(<usize>target.selLen + 4);
  store<u32>(pattern, 0x29693f28); // (?i)
  memory.copy(pattern + 4, target.selPtr, <usize>target.selLen);
  target.regex = compileRegex(arena, pattern, target.selLen + 4);
  if (target.regex) return true;
  return failAt("selector", target.selPtr, target.selLen, ": " + regexError);
}

/** Of XPath, the two expressions that rules use: all text and all attributes. */
function selectXml(target: Target, ptr: usize, len: i32): bool {
  if (isText(ptr, len, "/*")) {
    target.select = SELECT_NAME;
    return true;
  }
  if (isText(ptr, len, "//@*")) {
    target.select = SELECT_NAME;
    return true;
  }
  target.select = SELECT_ALL;
  return failAt("XPath expression", ptr, len, ": XML takes /* (all text) and //@* (all attributes)");
}
