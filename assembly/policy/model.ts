/**
 * Policies as they are evaluated: what AuthorizationPolicy says, with each field turned into a condition.
 *
 * A policy has rules, of which one must match. A rule matches if one of its sources, one of its operations and
 * all of its `when` conditions hold. A source or an operation is a clause: all of its conditions must hold. A
 * condition asks one attribute of the request whether its value is among some values, and not among others.
 */
import { JsonNode } from "../config/json";
import { StringSet } from "./strings";

export const ACTION_ALLOW: i32 = 0;
export const ACTION_DENY: i32 = 1;
export const ACTION_AUDIT: i32 = 2;
/** Number of actions. */
export const ACTIONS: i32 = 3;

// Attributes of a request that conditions ask for.
export const A_PRINCIPAL: i32 = 0;
export const A_NAMESPACE: i32 = 1;
export const A_SERVICE_ACCOUNT: i32 = 2;
export const A_TRUST_DOMAIN: i32 = 3;
export const A_SOURCE_IP: i32 = 4;
export const A_REMOTE_IP: i32 = 5;
export const A_DESTINATION_IP: i32 = 6;
export const A_DESTINATION_PORT: i32 = 7;
export const A_SNI: i32 = 8;
/** A value of Envoy's dynamic metadata: `experimental.envoy.filters.*`. */
export const A_METADATA: i32 = 9;
export const A_TIME: i32 = 10;
/** From here on: attributes that only HTTP has. */
export const FIRST_OF_HTTP: i32 = 11;
export const A_REQUEST_PRINCIPAL: i32 = 11;
/** Audiences, presenter and all other claims of a verified token. */
export const A_CLAIM: i32 = 12;
export const A_HEADER: i32 = 13;
export const A_HOST: i32 = 14;
export const A_METHOD: i32 = 15;
export const A_PATH: i32 = 16;
export const A_QUERY: i32 = 17;
export const A_GRPC_SERVICE: i32 = 18;
export const A_GRPC_METHOD: i32 = 19;
// What a gateway found, see edge.ts.
export const A_EDGE_INSPECTED: i32 = 20;
export const A_EDGE_SCORE: i32 = 21;
export const A_EDGE_RULE: i32 = 22;
export const A_EDGE_CLIENT: i32 = 23;
export const A_EDGE_USER: i32 = 24;
/** From here on: attributes that stand in the body, each with any number of values. */
export const FIRST_OF_BODY: i32 = 25;
export const A_JSONRPC_METHOD: i32 = 25;
export const A_GRAPHQL_TYPE: i32 = 26;
export const A_GRAPHQL_OPERATION: i32 = 27;
export const A_GRAPHQL_ROOT_FIELD: i32 = 28;
export const A_GRAPHQL_FIELD: i32 = 29;

@unmanaged
export class Condition {
  attribute: i32;
  /** Name of a header or query parameter. */
  name: usize;
  nameLen: i32;
  /** Path to a claim or a metadata value: a list of names; the first one of metadata is the filter's. */
  path: Name | null;
  values: StringSet | null;
  notValues: StringSet | null;
  /** Where it stands in the configuration; the key is its field, or `key` of a `when`. */
  node: JsonNode;
  /** Field as a reader of the policy knows it: `from.source.principals`, `when.request.headers[x]`. */
  field: usize;
  fieldLen: i32;
  next: Condition | null;
}

/** A name in a list of names. */
@unmanaged
export class Name {
  ptr: usize;
  len: i32;
  next: Name | null;
}

/** Makes a name of ASCII text that lives as long as the VM. */
export function nameOf(text: string): Name {
  const name = changetype<Name>(heap.alloc(offsetof<Name>()));
  name.ptr = heap.alloc(<usize>text.length);
  name.len = text.length;
  name.next = null;
  for (let i = 0; i < text.length; i++) store<u8>(name.ptr + i, <u8>text.charCodeAt(i));
  return name;
}

/** Conditions that must all hold. */
@unmanaged
export class Clause {
  first: Condition | null;
  last: Condition | null;
  next: Clause | null;

  add(condition: Condition): void {
    const last = this.last;
    if (last) last.next = condition;
    else this.first = condition;
    this.last = condition;
  }
}

@unmanaged
export class Rule {
  policy: Policy;
  /** Position in the policy's list. */
  index: i32;
  /** Alternatives, of which one must hold; none stands for any. */
  sources: Clause | null;
  operations: Clause | null;
  when: Clause;
  /** Null if the rule has no limit. */
  limit: RateLimit | null;
  next: Rule | null;
}

/** At most so many requests in so many seconds, for each identity. */
@unmanaged
export class RateLimit {
  requests: i32;
  seconds: i32;
  /** A_PRINCIPAL, A_REMOTE_IP or A_REQUEST_PRINCIPAL. */
  by: i32;
  /** The request that the limit was last asked about, and its answer: a request counts once. */
  asked: u32;
  answer: bool;
  /** Address of the moment that was last moved, see limit.ts. */
  moment: usize;
  /** Next limit that the same request took from. */
  nextTaken: RateLimit | null;
  /** Tells limits apart in the table of callers. */
  id: u32;
}

@unmanaged
export class Policy {
  name: usize;
  nameLen: i32;
  namespace: usize;
  namespaceLen: i32;
  action: i32;
  /** True: it is evaluated, counted and reported, and decides nothing. */
  shadow: bool;
  rules: Rule | null;
  lastRule: Rule | null;
  /** Counters of its matches, -1 if the host has none. */
  matched: i32;
  next: Policy | null;

  add(rule: Rule): void {
    const last = this.lastRule;
    if (last) last.next = rule;
    else this.rules = rule;
    this.lastRule = rule;
  }
}
