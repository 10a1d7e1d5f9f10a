/** The `when` of a rule: conditions on attributes by their key, Istio's and Bailey's own. */
import { make } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { indexOf, isText } from "../bytes/span";
import { expected, isList, isObject, unknownKey } from "../config/check";
import { JsonNode } from "../config/json";
import { J_ARRAY, J_NULL, J_STRING } from "../decode/json";
import { addCondition, conditionAdded } from "./conditions";
import * as m from "./model";
import { Name, Rule } from "./model";
import { Reading, readPatterns } from "./values";

/** Attributes without a name in brackets, in the order of `ATTRIBUTES`. */
const KEYS: string =
  "source.ip remote.ip source.namespace source.serviceAccount source.principal source.trustDomain request.auth.principal request.auth.audiences " +
  "request.auth.presenter destination.ip destination.port connection.sni request.host request.method request.path request.grpc.service " +
  "request.grpc.method request.time edge.inspected edge.score edge.rule edge.client edge.user request.jsonrpc.method request.graphql.type request.graphql.operation request.graphql.rootField request.graphql.field ";

function attributeAt(index: i32): i32 {
  switch (index) {
    case 0:
      return m.A_SOURCE_IP;
    case 1:
      return m.A_REMOTE_IP;
    case 2:
      return m.A_NAMESPACE;
    case 3:
      return m.A_SERVICE_ACCOUNT;
    case 4:
      return m.A_PRINCIPAL;
    case 5:
      return m.A_TRUST_DOMAIN;
    case 6:
      return m.A_REQUEST_PRINCIPAL;
    case 7:
    case 8:
      return m.A_CLAIM;
    case 9:
      return m.A_DESTINATION_IP;
    case 10:
      return m.A_DESTINATION_PORT;
    case 11:
      return m.A_SNI;
    case 12:
      return m.A_HOST;
    case 13:
      return m.A_METHOD;
    case 14:
      return m.A_PATH;
    case 15:
      return m.A_GRPC_SERVICE;
    case 16:
      return m.A_GRPC_METHOD;
    case 17:
      return m.A_TIME;
    case 18:
      return m.A_EDGE_INSPECTED;
    case 19:
      return m.A_EDGE_SCORE;
    case 20:
      return m.A_EDGE_RULE;
    case 21:
      return m.A_EDGE_CLIENT;
    case 22:
      return m.A_EDGE_USER;
    case 23:
      return m.A_JSONRPC_METHOD;
    case 24:
      return m.A_GRAPHQL_TYPE;
    case 25:
      return m.A_GRAPHQL_OPERATION;
    case 26:
      return m.A_GRAPHQL_ROOT_FIELD;
    default:
      return m.A_GRAPHQL_FIELD;
  }
}

/** Gives the position of a key in `KEYS`, whose case counts, or -1. */
function keyIndex(ptr: usize, len: i32): i32 {
  let index = 0;
  let start = 0;
  for (let i = 0; i < KEYS.length; i++) {
    if (KEYS.charCodeAt(i) != 0x20) continue;
    if (i - start == len && isText(ptr, len, KEYS.substring(start, i))) return index;
    index++;
    start = i + 1;
  }
  return -1;
}

const AUDIENCES: i32 = 7;
const PRESENTER: i32 = 8;

// What `readKey` read.
let attribute: i32 = 0;
let name: usize = 0;
let nameLen: i32 = 0;
let path: Name | null = null;

const WHEN_KEYS: string = "key, values, notValues, matches, notMatches";
const KNOWN: string =
  "request.headers[x], source.ip, remote.ip, source.namespace, source.serviceAccount, source.principal, source.trustDomain, request.auth.principal, " +
  "request.auth.audiences, request.auth.presenter, request.auth.claims[x], destination.ip, destination.port, connection.sni, " +
  "experimental.envoy.filters.x[y], request.host, request.method, request.path, request.query[x], request.grpc.service, request.grpc.method, " +
  "request.time, edge.inspected, edge.score, edge.rule, edge.client, edge.user, request.jsonrpc.method, request.graphql.type, request.graphql.operation, request.graphql.rootField, request.graphql.field";

/** Reads the list of conditions. False: see `configError`. */
export function readWhen(reading: Reading, rule: Rule, list: JsonNode): bool {
  if (list.kind == J_NULL) return true;
  if (list.kind != J_ARRAY) return expected(list, "a list of conditions");
  for (let node: JsonNode | null = list.child; node; node = node!.next) if (!readCondition(reading, rule, node)) return false;
  return true;
}

/** Gives the list under a key, null if there is none or it is empty. */
function listOf(node: JsonNode, key: string): JsonNode | null {
  const list = node.get(key);
  return list && list.kind == J_ARRAY && list.count > 0 ? list : null;
}

function readCondition(reading: Reading, rule: Rule, node: JsonNode): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("key") || child.kind == J_NULL) continue;
    if (!child.keyIs("values") && !child.keyIs("notValues") && !child.keyIs("matches") && !child.keyIs("notMatches")) return unknownKey(child, WHEN_KEYS);
    if (!isList(child, "texts")) return false;
  }
  const key = node.get("key");
  if (!key || key.kind != J_STRING) return expected(node, "a condition with a key");
  if (!readKey(reading, key)) return false;
  const values = listOf(node, "values");
  const notValues = listOf(node, "notValues");
  const matches = listOf(node, "matches");
  const notMatches = listOf(node, "notMatches");
  if (!values && !notValues && !matches && !notMatches) return expected(node, "a condition with values, notValues, matches or notMatches");
  if ((matches || notMatches) && !takesPatterns(attribute)) return expected(node, "values or notValues: this attribute is not compared with expressions");
  const field = Buffer.create(64);
  field.text("when.").bytes(key.ptr, key.len);
  let ok = addCondition(reading, rule.when, key, attribute, values, notValues, field);
  heap.free(field.ptr);
  heap.free(changetype<usize>(field));
  if (!ok) return false;
  const condition = conditionAdded;
  condition.name = name;
  condition.nameLen = nameLen;
  condition.path = path;
  const fold = attribute == m.A_HOST;
  if (matches) {
    condition.values = readPatterns(reading.arena, matches, condition.values, fold);
    ok = condition.values != null;
  }
  if (notMatches && ok) {
    condition.notValues = readPatterns(reading.arena, notMatches, condition.notValues, fold);
    ok = condition.notValues != null;
  }
  return ok;
}

/** Whether expressions make sense: not for addresses, ports, pairs and windows. */
function takesPatterns(attribute: i32): bool {
  switch (attribute) {
    case m.A_SOURCE_IP:
    case m.A_REMOTE_IP:
    case m.A_DESTINATION_IP:
    case m.A_DESTINATION_PORT:
    case m.A_SERVICE_ACCOUNT:
    case m.A_REQUEST_PRINCIPAL:
    case m.A_METADATA:
    case m.A_TIME:
    case m.A_EDGE_INSPECTED:
    case m.A_EDGE_SCORE:
    case m.A_EDGE_CLIENT:
      return false;
  }
  return true;
}

function readKey(reading: Reading, key: JsonNode): bool {
  name = 0;
  nameLen = 0;
  path = null;
  const index = keyIndex(key.ptr, key.len);
  if (index >= 0) {
    attribute = attributeAt(index);
    if (index == AUDIENCES) path = nameOf(reading, AUD, 3);
    if (index == PRESENTER) path = nameOf(reading, AZP, 3);
    return true;
  }
  const open = indexOf(key.ptr, key.len, 0x5b);
  // a name of at least one byte in brackets
  if (open <= 0 || open >= key.len - 2 || load<u8>(key.ptr + <usize>(key.len - 1)) != 0x5d) return expected(key, "one of " + KNOWN);
  const inner = key.ptr + <usize>(open + 1);
  const innerLen = key.len - open - 2;
  if (isText(key.ptr, open, "request.headers")) attribute = m.A_HEADER;
  else if (isText(key.ptr, open, "request.query")) attribute = m.A_QUERY;
  else if (isText(key.ptr, open, "request.auth.claims")) {
    attribute = m.A_CLAIM;
    path = claimPath(reading, key.ptr + <usize>open, key.len - open);
    return true;
  } else if (open > 27 && isText(key.ptr, 27, "experimental.envoy.filters.")) {
    attribute = m.A_METADATA;
    path = nameOf(reading, key.ptr + EXPERIMENTAL, open - EXPERIMENTAL);
    path!.next = nameOf(reading, inner, innerLen);
    return true;
  } else return expected(key, "one of " + KNOWN);
  name = inner;
  nameLen = innerLen;
  return true;
}

/** Length of `experimental.`: the rest up to the bracket is the filter's name. */
const EXPERIMENTAL: i32 = 13;
const AUD: usize = memory.data<u8>([0x61, 0x75, 0x64]);
const AZP: usize = memory.data<u8>([0x61, 0x7a, 0x70]);

function nameOf(reading: Reading, ptr: usize, len: i32): Name {
  const made = make<Name>(reading.arena);
  made.ptr = ptr;
  made.len = len;
  return made;
}

/** `[a][b]` is the path a, b; anything else between the outer brackets is one name, brackets included. */
function claimPath(reading: Reading, ptr: usize, len: i32): Name {
  let head: Name | null = null;
  let last: Name | null = null;
  let at = 0;
  while (at < len) {
    const close = indexOf(ptr, len, 0x5d, at);
    const inside = indexOf(ptr, len, 0x5b, at + 1);
    if (load<u8>(ptr + at) != 0x5b || close < 0 || (inside >= 0 && inside < close)) return nameOf(reading, ptr + 1, len - 2);
    const made = nameOf(reading, ptr + <usize>(at + 1), close - at - 1);
    if (last) last.next = made;
    else head = made;
    last = made;
    at = close + 1;
  }
  return head!;
}
