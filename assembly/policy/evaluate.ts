/**
 * Whether a rule holds for the request at hand: no, yes, or unknown, since the host could not give what it asks for.
 * Of conditions that must all hold the worst counts, of alternatives the best, so NO < UNKNOWN < YES.
 *
 * What a missing attribute means is Istio's: `values` do not hold, `notValues` do.
 */
import * as body from "./body";
import * as edge from "./edge";
import { hasServiceAccount, isSpiffe } from "./identity";
import { findMetadata, metadataIsList, metadataLen, metadataPtr, nextText, startList } from "./metadata";
import * as m from "./model";
import { Clause, Condition, Rule } from "./model";
import { nextParameter, startParameters } from "./query";
import { isInRange } from "./range";
import * as request from "./request";
import { ABSENT, identity, PRESENT, UNREADABLE } from "./request";
import { M_EXACT, M_GLOB, StringMatch, StringSet } from "./strings";
import { isWithin } from "./time";
import { findClaim, findUser, issuerLen, issuerPtr, subjectLen, subjectPtr } from "./token";

export const NO: i32 = 0;
export const UNKNOWN: i32 = 1;
export const YES: i32 = 2;

/** Says whether a rule holds. */
export function ruleHolds(rule: Rule): i32 {
  const action = rule.policy.action;
  let result = clauseHolds(rule.when, action);
  if (result != NO) result = min(result, anyHolds(rule.sources, action));
  if (result != NO) result = min(result, anyHolds(rule.operations, action));
  return result;
}

/** Says whether one of the clauses holds; none stands for any. */
export function anyHolds(clause: Clause | null, action: i32): i32 {
  if (!clause) return YES;
  let best = NO;
  for (; clause && best != YES; clause = clause!.next) best = max(best, clauseHolds(clause!, action));
  return best;
}

function clauseHolds(clause: Clause, action: i32): i32 {
  let worst = YES;
  for (let condition: Condition | null = clause.first; condition && worst != NO; condition = condition!.next) {
    worst = min(worst, conditionHolds(condition, action));
  }
  return worst;
}

/** Says whether a condition of a policy with that action holds. */
export function conditionHolds(condition: Condition, action: i32): i32 {
  switch (condition.attribute) {
    case m.A_PRINCIPAL:
    case m.A_NAMESPACE:
    case m.A_SERVICE_ACCOUNT:
    case m.A_TRUST_DOMAIN:
      return identityHolds(condition);
    case m.A_SOURCE_IP:
      return textHolds(condition, request.readPeerAddress());
    case m.A_REMOTE_IP:
      return textHolds(condition, request.readRemoteAddress());
    case m.A_DESTINATION_IP:
      return textHolds(condition, request.readDestinationAddress());
    case m.A_DESTINATION_PORT:
      return textHolds(condition, request.readDestinationPort());
    case m.A_SNI:
      return textHolds(condition, request.readSni());
    case m.A_METADATA:
    case m.A_CLAIM:
      return metadataHolds(condition);
    case m.A_TIME:
      return isInTime(condition.values) && !(condition.notValues && isInTime(condition.notValues)) ? YES : NO;
    case m.A_REQUEST_PRINCIPAL:
      return requestPrincipalHolds(condition);
    case m.A_HEADER:
      return headerHolds(condition);
    case m.A_HOST:
      return valueHolds(condition, request.hostState, request.hostPtr, request.hostLen);
    case m.A_METHOD:
      return valueHolds(condition, request.methodState, request.methodPtr, request.methodLen);
    case m.A_PATH:
      return pathHolds(condition);
    case m.A_QUERY:
      startParameters(request.arena, request.queryPtr, request.queryLen, condition.name, condition.nameLen);
      return manyHold(condition, PRESENT, action);
    case m.A_GRPC_SERVICE:
      return textHolds(condition, request.readGrpcService());
    case m.A_GRPC_METHOD:
      return textHolds(condition, request.readGrpcMethod());
    case m.A_EDGE_INSPECTED:
      return textHolds(condition, edge.readInspected());
    case m.A_EDGE_SCORE:
      return scoreHolds(condition);
    case m.A_EDGE_RULE:
      return manyHold(condition, edge.startRules(), action);
    case m.A_EDGE_CLIENT:
      return textHolds(condition, edge.readClient());
    case m.A_EDGE_USER:
      return textHolds(condition, edge.readUser());
    default:
      return manyHold(condition, body.startValues(condition.attribute), action);
  }
}

function textHolds(condition: Condition, state: i32): i32 {
  return valueHolds(condition, state, request.textPtr, request.textLen);
}

function valueHolds(condition: Condition, state: i32, ptr: usize, len: i32): i32 {
  if (state == UNREADABLE) return UNKNOWN;
  const values = condition.values;
  const notValues = condition.notValues;
  if (values && !(state == PRESENT && values.has(ptr, len))) return NO;
  return notValues && state == PRESENT && notValues.has(ptr, len) ? NO : YES;
}

/** A header that occurs several times has several values, of which one is enough, as in Envoy 1.40. */
function headerHolds(condition: Condition): i32 {
  const values = condition.values;
  const notValues = condition.notValues;
  let found = !values;
  request.startHeader(condition.name, condition.nameLen);
  while (request.nextHeader()) {
    if (values && !found) found = values.has(request.textPtr, request.textLen);
    if (notValues && notValues.has(request.textPtr, request.textLen)) return NO;
  }
  return found ? YES : NO;
}

/** A path is compared in the form that is being judged, with values in the same form. */
function pathHolds(condition: Condition): i32 {
  const values = condition.values;
  const notValues = condition.notValues;
  if (values && !formOf(values).has(request.formPtr, request.formLen)) return NO;
  return notValues && formOf(notValues).has(request.formPtr, request.formLen) ? NO : YES;
}

function formOf(set: StringSet): StringSet {
  const other = set.canonical;
  return other && request.isCanonical ? other : set;
}

function identityHolds(condition: Condition): i32 {
  const state = request.readIdentity();
  if (state == UNREADABLE) return UNKNOWN;
  const values = condition.values;
  const notValues = condition.notValues;
  if (values && !(state == PRESENT && hasIdentity(values, condition.attribute))) return NO;
  return notValues && state == PRESENT && hasIdentity(notValues, condition.attribute) ? NO : YES;
}

function hasIdentity(set: StringSet, attribute: i32): bool {
  if (attribute == m.A_PRINCIPAL) return set.has(identity.ptr, identity.len);
  if (attribute == m.A_TRUST_DOMAIN) {
    return isSpiffe(identity.ptr, identity.len) && identity.trustDomainLen > 0 && set.has(identity.trustDomain, identity.trustDomainLen);
  }
  if (attribute == m.A_NAMESPACE) return hasNamespace(set);
  for (let account: StringMatch | null = set.members; account; account = account!.sibling) if (isAccount(account)) return true;
  return false;
}

/** The namespace of a workload; wildcards and other identities as Istio's expressions for the whole identity. */
function hasNamespace(set: StringSet): bool {
  if (identity.plain && set.has(identity.namespace, identity.namespaceLen)) return true;
  if (identity.plain && set.exactCount == set.count) return false;
  for (let match: StringMatch | null = set.members; match; match = match!.sibling) {
    if (match.kind == M_EXACT && !identity.plain && identity.contains(match.ptr, match.len)) return true;
    if (match.kind == M_GLOB && match.matches(identity.ptr, identity.len, false)) return true;
  }
  return false;
}

function isAccount(match: StringMatch): bool {
  if (!identity.plain) return hasServiceAccount(identity, match.ptr, match.len, match.suffix, match.suffixLen);
  return identity.namespaceIs(match.ptr, match.len) && identity.accountIs(match.suffix, match.suffixLen);
}

/** True if the time is in one of the windows; no windows are all of time. */
function isInTime(set: StringSet | null): bool {
  if (!set) return true;
  const time = request.readTime();
  for (let match: StringMatch | null = set.members; match; match = match!.sibling) if (isWithin(match.ptr, match.len, time)) return true;
  return false;
}

/** A value of metadata is a text, or a list of which one member must match. */
function metadataHolds(condition: Condition): i32 {
  const state = request.readMetadata();
  if (state == UNREADABLE) return UNKNOWN;
  const values = condition.values;
  const notValues = condition.notValues;
  if (values && !(state == PRESENT && hasMetadata(values, condition))) return NO;
  return notValues && state == PRESENT && hasMetadata(notValues, condition) ? NO : YES;
}

function hasMetadata(set: StringSet, condition: Condition): bool {
  const claims = condition.attribute == m.A_CLAIM;
  const ptr = request.metadataPtr;
  const len = request.metadataLen;
  const path = condition.path!;
  // the first name of metadata is the filter's
  if (!(claims ? findClaim(ptr, len, path) : findMetadata(ptr, len, path, path.next!))) return false;
  // a claim may be either; elsewhere the policy says which it expects
  if (!metadataIsList) return claims ? set.has(metadataPtr, metadataLen) : hasAs(set, false);
  startList(metadataPtr, metadataLen);
  while (nextText()) if (claims ? set.has(metadataPtr, metadataLen) : hasAs(set, true)) return true;
  return false;
}

function hasAs(set: StringSet, inList: bool): bool {
  for (let match: StringMatch | null = set.members; match; match = match!.sibling) {
    if (match.inList == inList && match.matches(metadataPtr, metadataLen, false)) return true;
  }
  return false;
}

function requestPrincipalHolds(condition: Condition): i32 {
  const state = request.readMetadata();
  if (state == UNREADABLE) return UNKNOWN;
  const both = state == PRESENT && findUser(request.metadataPtr, request.metadataLen);
  const values = condition.values;
  const notValues = condition.notValues;
  if (values && !(both && hasPair(values))) return NO;
  return notValues && both && hasPair(notValues) ? NO : YES;
}

function hasPair(set: StringSet): bool {
  for (let match: StringMatch | null = set.members; match; match = match!.sibling) {
    if (match.matches(issuerPtr, issuerLen, false) && match.other!.matches(subjectPtr, subjectLen, false)) return true;
  }
  return false;
}

/** Reads `issuer/subject` into request.text; ABSENT if there is no verified token with both. */
export function readRequestPrincipal(): i32 {
  const state = request.readMetadata();
  if (state != PRESENT) return state;
  if (!findUser(request.metadataPtr, request.metadataLen)) return ABSENT;
  request.joinTexts(issuerPtr, issuerLen, 0x2f, subjectPtr, subjectLen);
  return PRESENT;
}

/** Finds the next value of an attribute with several; it is then the text of the request. */
function nextOf(attribute: i32): bool {
  if (attribute == m.A_QUERY) return nextParameter();
  return attribute == m.A_EDGE_RULE ? edge.nextRule() : body.nextValue();
}

/** The score is among ranges of numbers. */
function scoreHolds(condition: Condition): i32 {
  const state = edge.readScore();
  if (state == UNREADABLE) return UNKNOWN;
  const values = condition.values;
  const notValues = condition.notValues;
  if (values && !(state == PRESENT && hasNumber(values, edge.score))) return NO;
  return notValues && state == PRESENT && hasNumber(notValues, edge.score) ? NO : YES;
}

function hasNumber(set: StringSet, number: i64): bool {
  for (let match: StringMatch | null = set.members; match; match = match!.sibling) if (isInRange(match.ptr, match.len, number)) return true;
  return false;
}

/**
 * Attributes with several values: a DENY or AUDIT holds if one of them would hold alone, an ALLOW only if all of them
 * would, so that nothing can be hidden beside something that is allowed.
 */
function manyHold(condition: Condition, state: i32, action: i32): i32 {
  if (state == UNREADABLE) return UNKNOWN;
  const values = condition.values;
  const notValues = condition.notValues;
  let count = 0;
  let holding = 0;
  while (nextOf(condition.attribute)) {
    count++;
    const inside = !values || values.has(request.textPtr, request.textLen);
    if (inside && !(notValues && notValues.has(request.textPtr, request.textLen))) holding++;
  }
  if (count == 0) return values ? NO : YES;
  return holding == count || (holding > 0 && action != m.ACTION_ALLOW) ? YES : NO;
}
