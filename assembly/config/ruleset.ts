/**
 * The rule set that is compiled before the filter is shipped: recommended settings and CRS. It is built
 * once, by `bailey build`, and frozen into the wasm file with the rest of the memory.
 */
import { Arena } from "../bytes/arena";
import { prepareTriggers } from "../decode/transform/index";
import { loadWords } from "../detect/words";
import { prepareSignatures } from "../match/signature";
import { emptyChain } from "../seclang/chains";
import { compile, restartOrdinals, ruleCount } from "../seclang/compiler";
import { addDataFile } from "../seclang/datafiles";
import { clearError, hasError } from "../seclang/errors";
import { RuleList } from "../seclang/rulelist";
import { Settings } from "../seclang/settings";
import { registerCaptures } from "../seclang/transaction";

/** Rules that come before and after those of a profile, and what they set. */
export let setupRules: RuleList = changetype<RuleList>(0);
export let coreRules: RuleList = changetype<RuleList>(0);
export let baseSettings: Settings = changetype<Settings>(0);
/** Positions that rules of the rule set take. */
export let baseOrdinals: i32 = 0;

let arena: Arena = changetype<Arena>(0);

/** Makes the empty rule set. Safe to call again: it does nothing then. */
export function startRuleSet(): void {
  if (changetype<usize>(arena) != 0) return;
  prepareSignatures();
  prepareTriggers();
  registerCaptures();
  emptyChain();
  arena = Arena.create(0);
  setupRules = RuleList.create(arena);
  coreRules = RuleList.create(arena);
  baseSettings = Settings.defaults(arena);
}

export const SOURCE_SETUP: i32 = 0;
export const SOURCE_CORE: i32 = 1;
export const SOURCE_DATA: i32 = 2;
export const SOURCE_WORDS: i32 = 3;

/** Adds a source to the rule set; its bytes need not outlive the call. False: the error is in errors.ts. */
export function addSource(kind: i32, name: usize, nameLen: i32, ptr: usize, len: i32): bool {
  startRuleSet();
  clearError();
  if (kind == SOURCE_DATA) addDataFile(name, nameLen, ptr, len);
  else if (kind == SOURCE_WORDS) loadWords(ptr, len);
  else {
    const list = kind == SOURCE_SETUP ? setupRules : coreRules;
    compile(arena, list, baseSettings, arena.copy(name, nameLen), nameLen, ptr, len);
    baseOrdinals = ruleCount();
  }
  return !hasError();
}

/** Says that rules compiled from now on come after the rule set's. */
export function afterRuleSet(): void {
  startRuleSet();
  restartOrdinals(baseOrdinals);
}
