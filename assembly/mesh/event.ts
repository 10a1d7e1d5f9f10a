/**
 * The event of a decision: one JSON object on one line, with the fields of the Elastic Common Schema 8.17 where it has
 * one, and `bailey.*` for the rest. See docs/events.md.
 */
import { Buffer } from "../bytes/buffer";
import { putTime } from "../bytes/calendar";
import { toInt } from "../bytes/span";
import * as findings from "../findings/read";
import { LOG_ERROR, LOG_INFO, LOG_WARN, log } from "../host/abi";
import { actual, auditedCount, auditedRule, Policies, R_DEFAULT, R_NOT_ALLOWED, R_QUARANTINE, R_RATE, R_UNKNOWN, shadow, Verdict } from "../policy/decide";
import { isFromGateway, readClient, readFindings, readInspected } from "../policy/edge";
import * as m from "../policy/model";
import { Condition, Policy, Rule } from "../policy/model";
import { failedAt, failedCount, findNearest, nearest } from "../policy/nearest";
import * as request from "../policy/request";
import { identity, PRESENT } from "../policy/request";
import { putQuarantine } from "../quarantine/event";
import { begins, until } from "./quarantine";

/** Bytes of an attribute that an event shows. */
const MAX_VALUE: i32 = 256;

const out: Buffer = Buffer.create(2048);

/** Writes the event of the decision at hand. `id` is what the client was told, empty if nothing. */
export function emitDecision(policies: Policies, id: Buffer): void {
  const differs = shadow.allowed != actual.allowed;
  start(actual.allowed ? (differs ? "would_deny" : auditedCount > 0 ? "audited" : "allowed") : "denied", actual.allowed);
  // the nearest rule is part of the reason, and is looked for in the policies that gave it
  const judged = actual.allowed && differs ? shadow : actual;
  const unmatched = !judged.allowed && judged.reason == R_NOT_ALLOWED;
  if (unmatched) findNearest(policies, judged == shadow);
  out.text(',"reason":"');
  putReason(judged, unmatched);
  out.text('"}');
  putRequest(id);
  out.text(',"bailey":{"peer":');
  if (request.readIdentity() == PRESENT) out.json(identity.ptr, min(identity.len, MAX_VALUE));
  else out.text("null");
  if (actual.rule) putRule("policy", actual.rule!);
  if (differs) putShadow();
  if (unmatched) putNearest();
  if (auditedCount > 0) putAudited();
  if (request.findingsCount > 0) putFindings();
  if (until > 0) putQuarantine(out, begins, until);
  out.text("}}");
  log(actual.allowed ? (differs ? LOG_WARN : LOG_INFO) : LOG_WARN, out);
}

/** Writes that Bailey could not decide, and what the configuration says then. */
export function emitError(reason: string, allowed: bool, id: Buffer): void {
  start("error", allowed);
  out.text(',"reason":').jsonText(reason).text('},"http":{"request":{"id":').json(id.ptr, id.len).text('}},"bailey":{}}');
  log(LOG_ERROR, out);
}

function start(action: string, allowed: bool): void {
  out.clear();
  out.text('{"@timestamp":"');
  putTime(out, request.readTime());
  out.text('","ecs":{"version":"8.17.0"},"event":{"kind":').jsonText(action == "allowed" || action == "audited" ? "event" : "alert");
  out.text(',"category":["network"],"type":[').jsonText(allowed ? "allowed" : "denied");
  out.text('],"action":').jsonText(action).text(',"provider":"bailey","module":"mesh"');
}

function putName(policy: Policy): void {
  if (policy.namespaceLen > 0) out.jsonPart(policy.namespace, policy.namespaceLen).byte(0x2f);
  out.jsonPart(policy.name, policy.nameLen);
}

/** Writes why, in a sentence. */
function putReason(verdict: Verdict, unmatched: bool): void {
  const rule = verdict.rule;
  if (rule) {
    out.text("policy ");
    putName(rule.policy);
    out
      .text(", rule ")
      .int(rule.index)
      .text(verdict.allowed ? ", allows" : verdict.reason == R_RATE ? ", allows no more: its rate is used up" : ", denies");
    if (verdict.reason == R_UNKNOWN) out.text(", since it cannot be evaluated");
    return;
  }
  if (verdict.reason == R_QUARANTINE) {
    out.text("the caller is in quarantine");
    return;
  }
  if (verdict.reason == R_DEFAULT) {
    out.text("no policy speaks against it");
    return;
  }
  out.text("no ALLOW policy matches");
  const near = nearest;
  if (!unmatched || !near) return;
  out.text("; the nearest is policy ");
  putName(near.policy);
  out.text(", rule ").int(near.index).text(", which failed on ");
  const first = failedAt(0);
  out.jsonPart(first.field, first.fieldLen);
}

function putRequest(id: Buffer): void {
  if (request.isHttp) {
    out.text(',"http":{"request":{"id":');
    if (id.len > 0) out.json(id.ptr, id.len);
    else out.json(request.requestIdPtr, min(request.requestIdLen, MAX_VALUE));
    out.text(',"method":').json(request.methodPtr, min(request.methodLen, MAX_VALUE));
    out.text('}},"url":{"domain":').json(request.hostPtr, min(request.hostLen, MAX_VALUE));
    out
      .text(',"path":')
      .json(request.pathPtr, min(request.pathLen, 4 * MAX_VALUE))
      .byte(0x7d);
  }
  if (request.readRemoteAddress() == PRESENT) out.text(',"source":{"ip":').json(request.textPtr, request.textLen).byte(0x7d);
  if (request.readDestinationPort() == PRESENT) out.text(',"destination":{"port":').int(toInt(request.textPtr, request.textLen)).byte(0x7d);
}

function putRule(key: string, rule: Rule): void {
  out.byte(0x2c).jsonText(key).text(':{"name":"');
  putName(rule.policy);
  out.text('","action":').jsonText(actionName(rule.policy.action));
  out
    .text(',"mode":')
    .jsonText(rule.policy.shadow ? "shadow" : "enforce")
    .text(',"rule":')
    .int(rule.index)
    .byte(0x7d);
}

export function actionName(action: i32): string {
  if (action == m.ACTION_ALLOW) return "ALLOW";
  return action == m.ACTION_DENY ? "DENY" : "AUDIT";
}

function putShadow(): void {
  out.text(',"shadow":{"action":').jsonText(shadow.allowed ? "would_allow" : "would_deny");
  if (shadow.rule) putRule("policy", shadow.rule!);
  out.byte(0x7d);
}

function putNearest(): void {
  const rule = nearest;
  if (!rule) return;
  putRule("nearest", rule);
  // inside the object that was closed
  out.len--;
  out.text(',"failed":[');
  for (let i = 0; i < failedCount; i++) {
    if (i > 0) out.byte(0x2c);
    putFailed(failedAt(i));
  }
  out.text("]}");
}

/** Names what failed, and what the request had instead where that is no secret. */
function putFailed(condition: Condition): void {
  out.text('{"field":').json(condition.field, condition.fieldLen);
  if (readPublic(condition.attribute)) out.text(',"found":').json(request.textPtr, min(request.textLen, MAX_VALUE));
  out.byte(0x7d);
}

/** Reads an attribute into the text of the request, unless it may hold secrets: headers, queries, claims, bodies. */
function readPublic(attribute: i32): bool {
  switch (attribute) {
    case m.A_PRINCIPAL:
    case m.A_NAMESPACE:
    case m.A_SERVICE_ACCOUNT:
    case m.A_TRUST_DOMAIN:
      request.setText(identity.ptr, identity.len);
      return request.readIdentity() == PRESENT;
    case m.A_SOURCE_IP:
      return request.readPeerAddress() == PRESENT;
    case m.A_REMOTE_IP:
      return request.readRemoteAddress() == PRESENT;
    case m.A_DESTINATION_IP:
      return request.readDestinationAddress() == PRESENT;
    case m.A_DESTINATION_PORT:
      return request.readDestinationPort() == PRESENT;
    case m.A_SNI:
      return request.readSni() == PRESENT;
    case m.A_HOST:
      request.setText(request.hostPtr, request.hostLen);
      return request.hostState == PRESENT;
    case m.A_EDGE_INSPECTED:
      return readInspected() == PRESENT;
    case m.A_EDGE_CLIENT:
      return readClient() == PRESENT;
    case m.A_METHOD:
      request.setText(request.methodPtr, request.methodLen);
      return true;
    case m.A_PATH:
      request.setText(request.pathPtr, request.pathLen);
      return true;
  }
  return false;
}

/** What the gateway found, or why that does not count. */
function putFindings(): void {
  out.text(',"edge":{');
  const state = readFindings();
  if (state != PRESENT) out.text('"ignored":').jsonText(isFromGateway() ? "malformed" : "not from a gateway");
  else {
    out.text('"inspected":').json(findings.inspectedPtr, findings.inspectedLen);
    if (findings.score >= 0) out.text(',"score":').int(findings.score);
    if (findings.rulesLen > 0) out.text(',"rules":').json(findings.rulesPtr, findings.rulesLen);
    if (findings.clientLen > 0) out.text(',"client":').json(findings.clientPtr, min(findings.clientLen, MAX_VALUE));
  }
  out.byte(0x7d);
}

/** Says until when the caller is in quarantine, and whether that begins with this request. */
function putAudited(): void {
  out.text(',"audited":[');
  for (let i = 0; i < auditedCount; i++) {
    if (i > 0) out.byte(0x2c);
    out.byte(0x22);
    putName(auditedRule(i).policy);
    out.byte(0x22);
  }
  out.byte(0x5d);
}
