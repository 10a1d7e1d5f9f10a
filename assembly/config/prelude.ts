/**
 * Plain configuration as SecLang: paranoia levels, thresholds, variables and exclusions become rules that
 * run first, so one engine evaluates everything and `bailey explain` can show them like any other.
 */

import { isAlnum } from "../bytes/ascii";
import { Buffer } from "../bytes/buffer";
import { JsonNode } from "./json";
import { Options } from "./options";

/** Ids of generated rules: above all that CRS and its plugins reserve. */
const FIRST_ID: i32 = 77000000;
let nextId: i32 = 0;

/** Writes the rules of a profile to `out`. Exclusions of `inherited` come first. */
export function writePrelude(out: Buffer, options: Options, inherited: JsonNode | null): void {
  nextId = FIRST_ID;
  out.clear();
  startAction(out);
  setVar(out, "blocking_paranoia_level", options.paranoiaLevel);
  if (options.detectionParanoiaLevel > 0) setVar(out, "detection_paranoia_level", options.detectionParanoiaLevel);
  setVar(out, "inbound_anomaly_score_threshold", options.inboundThreshold);
  setVar(out, "outbound_anomaly_score_threshold", options.outboundThreshold);
  out.text('"\n');
  const variables = options.variables;
  if (variables) for (let node: JsonNode | null = variables.child; node; node = node!.next) writeVariable(out, node);
  if (inherited && inherited != options.exclusions) writeExclusions(out, inherited);
  const own = options.exclusions;
  if (own) writeExclusions(out, own);
}

function startAction(out: Buffer): void {
  out.text('SecAction "id:').int(nextId++).text(",phase:1,pass,nolog,t:none");
}

function setVar(out: Buffer, name: string, value: i32): void {
  out.text(",setvar:tx.").text(name).byte(0x3d).int(value);
}

function writeVariable(out: Buffer, node: JsonNode): void {
  startAction(out);
  out.text(",setvar:'tx.").bytes(node.key, node.keyLen).byte(0x3d).bytes(node.ptr, node.len).text("'\"\n");
}

function writeExclusions(out: Buffer, list: JsonNode): void {
  for (let entry: JsonNode | null = list.child; entry; entry = entry!.next) writeExclusion(out, entry);
}

let links: i32 = 0;

/** A chain with a link for each condition; the last one carries the `ctl` actions. */
function writeExclusion(out: Buffer, entry: JsonNode): void {
  const hosts = entry.get("hosts");
  const paths = entry.get("paths");
  const methods = entry.get("methods");
  const conditions = (hosts ? 1 : 0) + (paths ? 1 : 0) + (methods ? 1 : 0);
  links = conditions;
  if (conditions == 0) startAction(out);
  let first = true;
  if (hosts) {
    condition(out, "REQUEST_HEADERS:Host", "(?i)^(?:", hosts, ")(?::[0-9]+)?$", first, "");
    first = false;
  }
  if (paths) {
    condition(out, "REQUEST_FILENAME", "^(?:", paths, ")$", first, ",t:urlDecodeUni,t:normalizePath");
    first = false;
  }
  if (methods) condition(out, "REQUEST_METHOD", "^(?:", methods, ")$", first, "");
  writeControls(out, entry);
  out.text('"\n');
}

function condition(out: Buffer, variable: string, before: string, list: JsonNode, after: string, first: bool, transformations: string): void {
  out.text("SecRule ").text(variable).text(' "@rx ').text(before);
  for (let node: JsonNode | null = list.child; node; node = node!.next) {
    if (node.index > 0) out.byte(0x7c);
    writePattern(out, node.ptr, node.len);
  }
  out.text(after).text('" "');
  if (first) out.text("id:").int(nextId++).text(",phase:1,pass,nolog,");
  out.text("t:none").text(transformations);
  if (--links > 0) out.text(',chain"\n');
}

/** Writes a text with `*` for anything as a regular expression. */
function writePattern(out: Buffer, ptr: usize, len: i32): void {
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c == 0x2a) out.text(".*");
    else {
      if (!isAlnum(c) && c < 0x80) out.byte(0x5c);
      out.byte(c);
    }
  }
}

function writeControls(out: Buffer, entry: JsonNode): void {
  const variables = entry.get("variables");
  const rules = entry.get("rules");
  const tags = entry.get("tags");
  if (rules) for (let node: JsonNode | null = rules.child; node; node = node!.next) writeControl(out, "Id", node, variables);
  if (tags) for (let node: JsonNode | null = tags.child; node; node = node!.next) writeControl(out, "Tag", node, variables);
}

function writeControl(out: Buffer, by: string, node: JsonNode, variables: JsonNode | null): void {
  if (!variables) {
    out.text(",ctl:ruleRemoveBy").text(by).byte(0x3d).bytes(node.ptr, node.len);
    return;
  }
  for (let variable: JsonNode | null = variables.child; variable; variable = variable!.next) {
    out.text(",ctl:'ruleRemoveTargetBy").text(by).byte(0x3d).bytes(node.ptr, node.len);
    out.byte(0x3b).bytes(variable.ptr, variable.len).byte(0x27);
  }
}
