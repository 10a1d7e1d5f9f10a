/** From pluginConfig to policies that can be evaluated: all of it, or nothing and one line that says why not. */
import { Arena, make } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { configError, expected } from "../config/check";
import { JsonNode, parseTree } from "../config/json";
import { jsonAt, jsonError } from "../decode/json";
import { now } from "../host/abi";
import { flushCache } from "../match/regex/dfa";
import { principalsOf } from "../quarantine/options";
import { prepareQuarantine } from "../quarantine/quarantine";
import { Policies } from "./decide";
import { Index, WHERE, WHO } from "./index";
import { prepareLimits } from "./limit";
import { ACTION_ALLOW, ACTION_AUDIT, ACTION_DENY, Clause, Condition, FIRST_OF_BODY, FIRST_OF_HTTP, Policy, Rule } from "./model";
import { MeshOptions, readMeshOptions } from "./options";
import { policyRead, readPolicy } from "./read";
import { StringSet } from "./strings";
import { Reading } from "./values";

/** Policies that a configuration may have. */
const MAX_POLICIES: i32 = 20000;

@unmanaged
export class MeshConfiguration {
  arena: Arena;
  options: MeshOptions;
  policies: Policies;
  /** Identities of gateways whose findings are believed; null for none. */
  gateways: StringSet | null;
  /** In the order in which they are given. */
  first: Policy | null;
  /** True if a rule asks for something of the body. */
  readsBody: bool;
  /** True if a path of a policy has another canonical form. */
  hasCanonical: bool;
  /** Streams that use it. */
  streams: i32;
  /** True once it was replaced: it goes with its last stream. */
  retired: bool;

  /** Frees it now, or with its last stream. */
  retire(): void {
    this.retired = true;
    if (this.streams > 0) return;
    // expressions leave the cache before their memory goes
    flushCache();
    this.arena.destroy();
  }

  /** A stream that used it has ended. */
  leave(): void {
    this.streams--;
    if (this.retired) this.retire();
  }
}

/** Why the last configuration was refused: one line. */
export const refusal: Buffer = Buffer.create(256);

const EMPTY: usize = memory.data<u8>([0x7b, 0x7d]);

/** Builds a configuration from JSON; no text is an empty object. `isHttp` is false for connections without HTTP. Null: see `refusal`. */
export function configureMesh(ptr: usize, len: i32, isHttp: bool): MeshConfiguration | null {
  const arena = Arena.create(0);
  const made = make<MeshConfiguration>(arena);
  made.arena = arena;
  refusal.clear();
  if (build(made, len == 0 ? EMPTY : ptr, len == 0 ? 2 : len, isHttp)) return made;
  if (refusal.len == 0) refusal.bytes(configError.ptr, configError.len);
  flushCache();
  arena.destroy();
  return null;
}

function build(made: MeshConfiguration, ptr: usize, len: i32, isHttp: bool): bool {
  const arena = made.arena;
  const root = parseTree(arena, arena.copy(ptr, len), len);
  if (!root) {
    refusal.text("pluginConfig: not JSON at byte ").int(jsonAt).text(": ").text(jsonError);
    return false;
  }
  made.options = MeshOptions.defaults(arena);
  const options = made.options;
  if (!readMeshOptions(arena, root, options) || !readPolicies(made, options.policies)) return false;
  made.gateways = principalsOf(arena, options.gateways, options.trust);
  const quarantine = options.quarantine;
  if (quarantine) {
    quarantine.exempt = principalsOf(arena, quarantine.except, options.trust);
    prepareQuarantine(now());
  }
  index(made, isHttp);
  return true;
}

function readPolicies(made: MeshConfiguration, list: JsonNode | null): bool {
  if (!list) return true;
  if (list.count > MAX_POLICIES) return expected(list, "at most 20000 policies");
  const reading = make<Reading>(made.arena);
  reading.arena = made.arena;
  reading.paths = made.options.paths;
  reading.trust = made.options.trust;
  let last: Policy | null = null;
  for (let node: JsonNode | null = list.child; node; node = node!.next) {
    if (!readPolicy(reading, node, made.options.shadow)) return false;
    if (last) last.next = policyRead;
    else made.first = policyRead;
    last = policyRead;
  }
  made.hasCanonical = reading.hasCanonical;
  return true;
}

function index(made: MeshConfiguration, isHttp: bool): void {
  const arena = made.arena;
  const policies = make<Policies>(arena);
  made.policies = policies;
  policies.paths = made.options.paths;
  policies.hasCanonical = made.hasCanonical;
  policies.wouldAllowByDefault = made.options.allowByDefault;
  policies.allowByDefault = made.options.allowByDefault || made.options.shadow;
  policies.hasShadow = policies.allowByDefault != policies.wouldAllowByDefault;
  const allowing = countRules(made, ACTION_ALLOW);
  policies.allow = Index.create(arena, allowing);
  policies.byCaller = Index.create(arena, allowing, WHO);
  policies.byPath = Index.create(arena, allowing, WHERE);
  policies.deny = Index.create(arena, countRules(made, ACTION_DENY));
  policies.audit = Index.create(arena, countRules(made, ACTION_AUDIT));
  for (let policy: Policy | null = made.first; policy; policy = policy!.next) {
    if (policy.shadow) policies.hasShadow = true;
    if (policy.action == ACTION_ALLOW) {
      policies.hasAnyAllow = true;
      if (!policy.shadow) policies.hasAllow = true;
    }
    const into = policy.action == ACTION_ALLOW ? policies.allow : policy.action == ACTION_DENY ? policies.deny : policies.audit;
    for (let rule: Rule | null = policy.rules; rule; rule = rule!.next) {
      if (!isHttp && !keepsForTcp(rule)) continue;
      if (readsBody(rule)) made.readsBody = true;
      if (rule.limit) prepareLimits();
      into.add(arena, rule);
      if (into != policies.allow) continue;
      policies.byCaller.add(arena, rule);
      policies.byPath.add(arena, rule);
    }
  }
  policies.allow.seal(arena);
  policies.byCaller.seal(arena);
  policies.byPath.seal(arena);
  policies.deny.seal(arena);
  policies.audit.seal(arena);
}

function countRules(made: MeshConfiguration, action: i32): i32 {
  let count = 0;
  for (let policy: Policy | null = made.first; policy; policy = policy!.next) {
    if (policy.action == action) for (let rule: Rule | null = policy.rules; rule; rule = rule!.next) count++;
  }
  return count;
}

/**
 * Without HTTP, a rule of an ALLOW that asks for something of HTTP cannot hold; one of a DENY or AUDIT holds without
 * asking for it, since it would otherwise vanish (Istio's generator does the same). False: the rule goes.
 */
function keepsForTcp(rule: Rule): bool {
  const drops = rule.policy.action != ACTION_ALLOW;
  if (!keepsClause(rule.when, drops)) return false;
  for (let clause: Clause | null = rule.sources; clause; clause = clause!.next) if (!keepsClause(clause, drops)) return false;
  for (let clause: Clause | null = rule.operations; clause; clause = clause!.next) if (!keepsClause(clause, drops)) return false;
  return true;
}

function keepsClause(clause: Clause, drops: bool): bool {
  let kept: Condition | null = null;
  for (let condition: Condition | null = clause.first; condition; condition = condition!.next) {
    if (condition.attribute < FIRST_OF_HTTP) {
      kept = condition;
      continue;
    }
    if (!drops) return false;
    if (kept) kept.next = condition.next;
    else clause.first = condition.next;
  }
  clause.last = kept;
  return true;
}

function readsBody(rule: Rule): bool {
  return asksBody(rule.when) || anyAsksBody(rule.sources) || anyAsksBody(rule.operations);
}

function anyAsksBody(clause: Clause | null): bool {
  for (; clause; clause = clause!.next) if (asksBody(clause!)) return true;
  return false;
}

function asksBody(clause: Clause): bool {
  const last = clause.last;
  return last != null && last.attribute >= FIRST_OF_BODY;
}
