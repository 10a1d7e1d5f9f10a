/** The key `quarantine` of pluginConfig, which all filters have: from when on a caller gets no answer, and for how long. */
import { Arena, make } from "../bytes/arena";
import { parsedInt } from "../bytes/span";
import { expected, isInt, isList, isObject, unknownKey } from "../config/check";
import { JsonNode } from "../config/json";
import { A_PRINCIPAL, A_REMOTE_IP } from "../policy/model";
import { StringSet } from "../policy/strings";
import { TrustDomains } from "../policy/trust";

@unmanaged
export class QuarantineOptions {
  /** Requests that were refused, from which on a caller is in quarantine. */
  violations: i32;
  /** Seconds within which they came. */
  seconds: i32;
  /** Seconds that the quarantine lasts. */
  duration: i32;
  /** What callers are told apart by: A_PRINCIPAL or A_REMOTE_IP. */
  by: i32;
  /** Identities that never are: those which pass on what others send. Null for none. */
  except: JsonNode | null;
  exempt: StringSet | null;
}

/** Reads the key, but for `exempt`, which needs the trust domains. Null: see `configError`. */
export function readQuarantine(arena: Arena, node: JsonNode): QuarantineOptions | null {
  if (!isObject(node)) return null;
  const options = make<QuarantineOptions>(arena);
  options.by = A_PRINCIPAL;
  options.seconds = 60;
  options.duration = 600;
  for (let child: JsonNode | null = node.child; child; child = child!.next) if (!readKey(options, child)) return null;
  if (options.violations > 0) return options;
  expected(node, "a quarantine with violations");
  return null;
}

function readKey(options: QuarantineOptions, node: JsonNode): bool {
  if (node.keyIs("violations")) {
    options.violations = isInt(node, 1, 1000000) ? <i32>parsedInt : 0;
    return options.violations > 0;
  }
  if (node.keyIs("seconds")) {
    options.seconds = isInt(node, 1, 86400) ? <i32>parsedInt : 0;
    return options.seconds > 0;
  }
  if (node.keyIs("duration")) {
    options.duration = isInt(node, 1, 604800) ? <i32>parsedInt : 0;
    return options.duration > 0;
  }
  if (node.keyIs("by")) {
    options.by = node.is("remote.ip") ? A_REMOTE_IP : A_PRINCIPAL;
    return node.is("remote.ip") || node.is("source.principal") || expected(node, "source.principal or remote.ip");
  }
  if (!node.keyIs("except")) return unknownKey(node, "violations, seconds, duration, by, except");
  options.except = node;
  return isPrincipals(node);
}

/** True if a value is a list of identities, each of them more than `*`. */
export function isPrincipals(node: JsonNode): bool {
  if (!isList(node, "identities")) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.len == 0 || child.is("*")) return expected(child, "an identity, as in `cluster.local/ns/istio-system/sa/gateway`");
  }
  return true;
}

/** Gives the identities of a list, in all trust domains that mean the same; null if there is no list. */
export function principalsOf(arena: Arena, list: JsonNode | null, trust: TrustDomains): StringSet | null {
  if (!list) return null;
  const set = StringSet.create(arena, false);
  for (let node: JsonNode | null = list.child; node; node = node!.next) trust.expand(arena, set, node.ptr, node.len);
  set.seal(arena);
  return set;
}
