/**
 * From `pluginConfig.policies` to policies: every key is known and every value is what Istio's own validation
 * accepts (istio.io/istio, pkg/config/validation), or one line says which is not and nothing is taken.
 */
import { make } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { isText, parsedInt } from "../bytes/span";
import { expected, isInt, isList, isObject, unknownKey } from "../config/check";
import { JsonNode } from "../config/json";
import { J_ARRAY, J_NULL, J_STRING } from "../decode/json";
import { addCondition, isExcludedWithAccounts } from "./conditions";
import {
  A_DESTINATION_PORT,
  A_HOST,
  A_METHOD,
  A_NAMESPACE,
  A_PATH,
  A_PRINCIPAL,
  A_REMOTE_IP,
  A_REQUEST_PRINCIPAL,
  A_SERVICE_ACCOUNT,
  A_SOURCE_IP,
  A_TRUST_DOMAIN,
  ACTION_ALLOW,
  ACTION_AUDIT,
  ACTION_DENY,
  Clause,
  Policy,
  RateLimit,
  Rule,
} from "./model";
import { Reading } from "./values";
import { readWhen } from "./when";

/** Rules of one policy: Istio's limit. */
const MAX_RULES: i32 = 512;

const POLICY_KEYS: string = "name, namespace, mode, spec";
const SPEC_KEYS: string = "action, rules";
const RULE_KEYS: string = "from, to, when, rateLimit";

/** The last policy that `readPolicy` read. */
export let policyRead: Policy = changetype<Policy>(0);

/** Reads one entry of the list; `shadow` is what it is where it does not say. False: see `configError`. */
export function readPolicy(reading: Reading, node: JsonNode, shadow: bool): bool {
  if (!isObject(node)) return false;
  const policy = make<Policy>(reading.arena);
  policyRead = policy;
  policy.shadow = shadow;
  policy.matched = -1;
  const name = node.get("name");
  if (!name || name.kind != J_STRING || name.len == 0) return expected(node, "a policy with a name");
  policy.name = name.ptr;
  policy.nameLen = name.len;
  const namespace = node.get("namespace");
  if (namespace) {
    if (namespace.kind != J_STRING) return expected(namespace, "a text");
    policy.namespace = namespace.ptr;
    policy.namespaceLen = namespace.len;
  }
  reading.namespace = policy.namespace;
  reading.namespaceLen = policy.namespaceLen;
  const spec = node.get("spec");
  if (!spec) return expected(node, "a policy with a spec, as in an AuthorizationPolicy");
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("name") || child.keyIs("namespace") || child.keyIs("spec")) continue;
    if (!child.keyIs("mode")) return unknownKey(child, POLICY_KEYS);
    if (!child.is("enforce") && !child.is("shadow")) return expected(child, "enforce or shadow");
    policy.shadow = child.is("shadow");
  }
  return isObject(spec) && readSpec(reading, policy, spec);
}

function readSpec(reading: Reading, policy: Policy, spec: JsonNode): bool {
  const action = spec.get("action");
  if (action && !readAction(policy, action)) return false;
  let rules: JsonNode | null = null;
  for (let child: JsonNode | null = spec.child; child; child = child!.next) {
    if (child.keyIs("action")) continue;
    if (child.keyIs("selector") || child.keyIs("targetRef") || child.keyIs("targetRefs")) {
      return expected(child, "no such key: the plugin's own selector says for which workloads it is; `bailey convert` writes a plugin for each selector");
    }
    if (!child.keyIs("rules")) return unknownKey(child, SPEC_KEYS);
    if (child.kind == J_ARRAY) rules = child;
    else if (child.kind != J_NULL) return expected(child, "a list of rules");
  }
  if (!rules) return policy.action != ACTION_DENY || expected(spec, "rules: without them a DENY never holds; an empty rule `{}` denies everything");
  if (rules.count > MAX_RULES) return expected(rules, "at most 512 rules");
  for (let node: JsonNode | null = rules.child; node; node = node!.next) if (!readRule(reading, policy, node)) return false;
  return true;
}

function readAction(policy: Policy, node: JsonNode): bool {
  if (node.is("ALLOW")) policy.action = ACTION_ALLOW;
  else if (node.is("DENY")) policy.action = ACTION_DENY;
  else if (node.is("AUDIT")) policy.action = ACTION_AUDIT;
  else return expected(node, "ALLOW, DENY or AUDIT; CUSTOM stays with Istio and its external authorizer");
  return true;
}

function readRule(reading: Reading, policy: Policy, node: JsonNode): bool {
  if (!isObject(node)) return false;
  const rule = make<Rule>(reading.arena);
  rule.policy = policy;
  rule.index = node.index;
  rule.when = make<Clause>(reading.arena);
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("from")) {
      if (!readClauses(reading, rule, child, true)) return false;
    } else if (child.keyIs("to")) {
      if (!readClauses(reading, rule, child, false)) return false;
    } else if (child.keyIs("when")) {
      if (!readWhen(reading, rule, child)) return false;
    } else if (child.keyIs("rateLimit")) {
      if (!readLimit(reading, policy, rule, child)) return false;
    } else return unknownKey(child, RULE_KEYS);
  }
  policy.add(rule);
  return true;
}

/** Reads `from` or `to`: a list of sources or operations. */
function readClauses(reading: Reading, rule: Rule, list: JsonNode, isFrom: bool): bool {
  const inner = isFrom ? "source" : "operation";
  if (list.kind != J_ARRAY || list.count == 0) return expected(list, "a list with at least one " + inner);
  let last: Clause | null = null;
  for (let node: JsonNode | null = list.child; node; node = node!.next) {
    if (!isObject(node)) return false;
    const content = node.get(inner);
    if (!content || node.count != 1) return expected(node, "an object with the key " + inner);
    if (!isObject(content)) return false;
    const clause = make<Clause>(reading.arena);
    for (let field: JsonNode | null = content.child; field; field = field!.next) {
      if (!(isFrom ? readSourceField(reading, clause, field) : readOperationField(reading, clause, field))) return false;
    }
    if (!clause.first) return expected(content, "at least one field with values");
    if (isFrom && isExcludedWithAccounts(clause)) return expected(content, "either serviceAccounts, or principals and namespaces");
    if (last) last.next = clause;
    else if (isFrom) rule.sources = clause;
    else rule.operations = clause;
    last = clause;
  }
  return true;
}

const SOURCE_KEYS: string =
  "principals, requestPrincipals, namespaces, serviceAccounts, trustDomains, ipBlocks, remoteIpBlocks, and each with not, as in notPrincipals";
const OPERATION_KEYS: string = "hosts, ports, methods, paths, and each with not, as in notPaths";

function readSourceField(reading: Reading, clause: Clause, node: JsonNode): bool {
  const attribute = sourceAttribute(node);
  return attribute < 0 ? unknownKey(node, SOURCE_KEYS) : addField(reading, clause, node, attribute, "from.source.");
}

function readOperationField(reading: Reading, clause: Clause, node: JsonNode): bool {
  const attribute = operationAttribute(node);
  return attribute < 0 ? unknownKey(node, OPERATION_KEYS) : addField(reading, clause, node, attribute, "to.operation.");
}

/** True if the key is the literal, or `not` and the literal with a capital. */
function isField(node: JsonNode, literal: string): bool {
  if (node.keyIs(literal)) return true;
  if (node.keyLen != literal.length + 3 || !isText(node.key, 3, "not")) return false;
  const first = load<u8>(node.key + 3);
  return first == <u8>(literal.charCodeAt(0) - 0x20) && isText(node.key + 4, node.keyLen - 4, literal.substring(1));
}

function sourceAttribute(node: JsonNode): i32 {
  if (isField(node, "principals")) return A_PRINCIPAL;
  if (isField(node, "requestPrincipals")) return A_REQUEST_PRINCIPAL;
  if (isField(node, "namespaces")) return A_NAMESPACE;
  if (isField(node, "serviceAccounts")) return A_SERVICE_ACCOUNT;
  if (isField(node, "trustDomains")) return A_TRUST_DOMAIN;
  if (isField(node, "ipBlocks")) return A_SOURCE_IP;
  return isField(node, "remoteIpBlocks") ? A_REMOTE_IP : -1;
}

function operationAttribute(node: JsonNode): i32 {
  if (isField(node, "hosts")) return A_HOST;
  if (isField(node, "ports")) return A_DESTINATION_PORT;
  if (isField(node, "methods")) return A_METHOD;
  return isField(node, "paths") ? A_PATH : -1;
}

/** Adds the condition of a field; an empty list says nothing. */
function addField(reading: Reading, clause: Clause, node: JsonNode, attribute: i32, prefix: string): bool {
  if (node.kind == J_NULL) return true;
  if (!isList(node, "texts")) return false;
  if (node.count == 0) return true;
  const negative = node.keyLen > 3 && isText(node.key, 3, "not");
  const field = Buffer.create(48);
  field.text(prefix).bytes(node.key, node.keyLen);
  const ok = addCondition(reading, clause, node, attribute, negative ? null : node, negative ? node : null, field);
  heap.free(field.ptr);
  heap.free(changetype<usize>(field));
  return ok;
}

const LIMIT_KEYS: string = "requests, seconds, by";

function readLimit(reading: Reading, policy: Policy, rule: Rule, node: JsonNode): bool {
  if (policy.action != ACTION_ALLOW) return expected(node, "a rate limit only in rules of ALLOW policies: they allow at most so many requests");
  if (!isObject(node)) return false;
  const limit = make<RateLimit>(reading.arena);
  limit.seconds = 1;
  limit.by = A_PRINCIPAL;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("requests")) {
      if (!isInt(child, 1, 1000000)) return false;
      limit.requests = <i32>parsedInt;
    } else if (child.keyIs("seconds")) {
      if (!isInt(child, 1, 86400)) return false;
      limit.seconds = <i32>parsedInt;
    } else if (child.keyIs("by")) {
      if (child.is("source.principal")) limit.by = A_PRINCIPAL;
      else if (child.is("remote.ip")) limit.by = A_REMOTE_IP;
      else if (child.is("request.auth.principal")) limit.by = A_REQUEST_PRINCIPAL;
      else return expected(child, "source.principal, remote.ip or request.auth.principal");
    } else return unknownKey(child, LIMIT_KEYS);
  }
  if (limit.requests == 0) return expected(node, "a limit with requests");
  limit.id = ++limits;
  rule.limit = limit;
  return true;
}
let limits: u32 = 0;
