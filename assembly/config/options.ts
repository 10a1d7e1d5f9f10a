/**
 * pluginConfig, checked: every key is known, every value is what it must be, or one line says which is not.
 * The published schema is manifests/schema/ngfw.schema.json; a test keeps the two together.
 */
import { Arena, make } from "../bytes/arena";
import { parsedInt } from "../bytes/span";
import { J_ARRAY, J_NUMBER, J_STRING, J_TRUE } from "../decode/json";
import { QuarantineOptions, readQuarantine } from "../quarantine/options";
import { expected, isBool, isInt, isList, isObject, unknownKey } from "./check";
import { JsonNode } from "./json";

export const MODE_DETECT: i32 = 0;
export const MODE_ENFORCE: i32 = 1;

// What becomes of the header with findings, see filter/findings.ts.
export const FINDINGS_REMOVE: i32 = 0;
export const FINDINGS_SEND: i32 = 1;
export const FINDINGS_PASS: i32 = 2;

/** What one profile is configured to do. */
@unmanaged
export class Options {
  mode: i32;
  paranoiaLevel: i32;
  /** 0: as paranoiaLevel. */
  detectionParanoiaLevel: i32;
  inboundThreshold: i32;
  outboundThreshold: i32;
  crs: bool;
  /** Lists of SecLang text, null for none. */
  before: JsonNode | null;
  after: JsonNode | null;
  exclusions: JsonNode | null;
  variables: JsonNode | null;
  requestBodyBytes: i32;
  /** True: a larger body is refused with 413 when enforcing. False: its first part is inspected. */
  requestBodyReject: bool;
  responseBodyBytes: i32;
  responseBodyReject: bool;
  arguments: i32;
  jsonDepth: i32;
  inspectResponseBody: bool;
  failClosed: bool;
  blockStatus: i32;
  blockBody: JsonNode | null;
  blockHeaders: JsonNode | null;
  /** Hundredths of a percent of requests that are inspected: 0 to 10000. */
  sampling: i32;

  static defaults(arena: Arena): Options {
    const options = make<Options>(arena);
    options.mode = MODE_DETECT;
    options.paranoiaLevel = 1;
    options.inboundThreshold = 5;
    options.outboundThreshold = 4;
    options.crs = true;
    options.requestBodyBytes = 1000000;
    options.requestBodyReject = true;
    options.responseBodyBytes = 524288;
    options.arguments = 1000;
    options.jsonDepth = 64;
    options.inspectResponseBody = true;
    options.failClosed = true;
    options.blockStatus = 403;
    options.sampling = 10000;
    return options;
  }
}

/** What holds for the whole plugin. */
@unmanaged
export class Globals {
  profiles: JsonNode | null;
  /** True: rules that match are reported even if nothing is decided. */
  allMatches: bool;
  maxValueBytes: i32;
  mask: JsonNode | null;
  /** True if the host lets headers wait for the body (`allow_on_headers_stop_iteration`). */
  holdHeaders: bool;
  /** What becomes of the header with findings: FINDINGS_REMOVE, FINDINGS_SEND or FINDINGS_PASS. */
  findings: i32;
  /** True if the findings name the user of a verified token. */
  sendsUser: bool;
  /** Null if nobody is ever put in quarantine. */
  quarantine: QuarantineOptions | null;
  /** Bytes that one stream, and all streams together, may hold. */
  streamBytes: i32;
  vmBytes: i32;
}

/** Reads the root of the configuration. False: see `configError`. */
export function readRoot(arena: Arena, root: JsonNode, options: Options, globals: Globals): bool {
  globals.maxValueBytes = 128;
  globals.streamBytes = 32 * 1024 * 1024;
  globals.vmBytes = 256 * 1024 * 1024;
  if (!isObject(root)) return false;
  for (let node: JsonNode | null = root.child; node; node = node!.next) {
    // for editors
    if (node.keyIs("$schema")) continue;
    if (node.keyIs("profiles")) {
      if (!readProfiles(node)) return false;
      globals.profiles = node;
    } else if (node.keyIs("events")) {
      if (!readEvents(node, globals)) return false;
    } else if (node.keyIs("findings")) {
      if (!readFindings(node, globals)) return false;
    } else if (node.keyIs("quarantine")) {
      globals.quarantine = readQuarantine(arena, node);
      if (!globals.quarantine) return false;
    } else if (node.keyIs("host")) {
      if (!readHost(node, globals)) return false;
    } else if (!readOption(node, options)) return false;
  }
  return true;
}

function readProfiles(node: JsonNode): bool {
  if (node.kind != J_ARRAY) return expected(node, "a list of profiles");
  for (let profile: JsonNode | null = node.child; profile; profile = profile!.next) {
    if (!isObject(profile)) return false;
    const name = profile.get("name");
    if (!name || name.kind != J_STRING) return expected(profile, "an object with a name");
    const hosts = profile.get("hosts");
    const paths = profile.get("paths");
    if (!hosts && !paths) return expected(profile, "a profile with hosts, paths or both");
    if (hosts && !isList(hosts, "host names")) return false;
    if (paths && !isList(paths, "paths")) return false;
  }
  return true;
}

/** Reads a profile over options that it inherits. */
export function readProfile(profile: JsonNode, options: Options): bool {
  for (let node: JsonNode | null = profile.child; node; node = node!.next) {
    if (node.keyIs("name") || node.keyIs("hosts") || node.keyIs("paths")) continue;
    if (!readOption(node, options)) return false;
  }
  return true;
}

const OPTION_KEYS: string =
  "mode, paranoiaLevel, detectionParanoiaLevel, thresholds, crs, rules, exclusions, variables, limits, inspectResponseBody, failure, block, sampling; at the root also profiles, events, findings, quarantine, host";

function readOption(node: JsonNode, options: Options): bool {
  if (node.keyIs("mode")) {
    options.mode = node.is("enforce") ? MODE_ENFORCE : MODE_DETECT;
    return node.is("enforce") || node.is("detect") || expected(node, "detect or enforce");
  }
  if (node.keyIs("paranoiaLevel")) {
    if (!isInt(node, 1, 4)) return false;
    options.paranoiaLevel = <i32>parsedInt;
    return true;
  }
  if (node.keyIs("detectionParanoiaLevel")) {
    if (!isInt(node, 1, 4)) return false;
    options.detectionParanoiaLevel = <i32>parsedInt;
    return true;
  }
  if (node.keyIs("thresholds")) return readThresholds(node, options);
  if (node.keyIs("crs")) {
    options.crs = node.kind == J_TRUE;
    return isBool(node);
  }
  if (node.keyIs("rules")) return readRules(node, options);
  if (node.keyIs("exclusions")) {
    options.exclusions = node;
    return readExclusions(node);
  }
  if (node.keyIs("variables")) {
    options.variables = node;
    return readVariables(node);
  }
  if (node.keyIs("limits")) return readLimits(node, options);
  if (node.keyIs("inspectResponseBody")) {
    options.inspectResponseBody = node.kind == J_TRUE;
    return isBool(node);
  }
  if (node.keyIs("failure")) {
    options.failClosed = node.is("closed");
    return node.is("open") || node.is("closed") || expected(node, "open or closed");
  }
  if (node.keyIs("block")) return readBlock(node, options);
  if (node.keyIs("sampling")) return readSampling(node, options);
  return unknownKey(node, OPTION_KEYS);
}

function readThresholds(node: JsonNode, options: Options): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (!child.keyIs("inbound") && !child.keyIs("outbound")) return unknownKey(child, "inbound, outbound");
    if (!isInt(child, 1, 100000)) return false;
    if (child.keyIs("inbound")) options.inboundThreshold = <i32>parsedInt;
    else options.outboundThreshold = <i32>parsedInt;
  }
  return true;
}

function readRules(node: JsonNode, options: Options): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (!child.keyIs("before") && !child.keyIs("after")) return unknownKey(child, "before, after");
    if (!isList(child, "SecLang texts")) return false;
    if (child.keyIs("before")) options.before = child;
    else options.after = child;
  }
  return true;
}

function readExclusions(node: JsonNode): bool {
  if (node.kind != J_ARRAY) return expected(node, "a list of exclusions");
  for (let entry: JsonNode | null = node.child; entry; entry = entry!.next) {
    if (!isObject(entry)) return false;
    for (let child: JsonNode | null = entry.child; child; child = child!.next) if (!readExclusionKey(child)) return false;
    if (!entry.get("rules") && !entry.get("tags")) return expected(entry, "an exclusion that names rules or tags");
  }
  return true;
}

function readExclusionKey(node: JsonNode): bool {
  if (node.keyIs("reason")) return node.kind == J_STRING || expected(node, "a text");
  if (node.keyIs("rules")) {
    if (node.kind != J_ARRAY) return expected(node, "a list of rule ids");
    for (let child: JsonNode | null = node.child; child; child = child!.next) {
      if (!child.isInteger(1, 2147483647) && !isRange(child)) return expected(child, "a rule id or a range as in `942100-942199`");
    }
    return true;
  }
  if (!node.keyIs("tags") && !node.keyIs("hosts") && !node.keyIs("paths") && !node.keyIs("methods") && !node.keyIs("variables"))
    return unknownKey(node, "rules, tags, hosts, paths, methods, variables, reason");
  return isList(node, "texts") && hasPlainTexts(node);
}

function isRange(node: JsonNode): bool {
  if (node.kind != J_STRING || node.len == 0) return false;
  for (let i = 0; i < node.len; i++) {
    const c = load<u8>(node.ptr + i);
    if (c != 0x2d && (c < 0x30 || c > 0x39)) return false;
  }
  return true;
}

/** Texts that become part of a rule must not end it. */
function hasPlainTexts(list: JsonNode): bool {
  for (let child: JsonNode | null = list.child; child; child = child!.next) {
    for (let i = 0; i < child.len; i++) {
      const c = load<u8>(child.ptr + i);
      if (c == 0x22 || c == 0x27 || c == 0x0a || c == 0x0d || (c == 0x2c && !list.keyIs("variables")))
        return expected(child, "a text without quotes, commas and line breaks");
    }
  }
  return true;
}

function readVariables(node: JsonNode): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.kind != J_STRING && child.kind != J_NUMBER) return expected(child, "a text or a number");
    for (let i = 0; i < child.len; i++) {
      const c = load<u8>(child.ptr + i);
      if (c == 0x22 || c == 0x27 || c == 0x0a || c == 0x0d) return expected(child, "a text without quotes and line breaks");
    }
    for (let i = 0; i < child.keyLen; i++) {
      const c = load<u8>(child.key + i);
      const ok = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
      if (!ok && c != 0x5f && !(c >= 0x30 && c <= 0x39)) return unknownKey(child, "names of TX variables: letters, digits and _");
    }
  }
  return true;
}

function readLimits(node: JsonNode, options: Options): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("requestBody")) {
      if (!isInt(child, 1, 134217728)) return false;
      options.requestBodyBytes = <i32>parsedInt;
    } else if (child.keyIs("responseBody")) {
      if (!isInt(child, 1, 134217728)) return false;
      options.responseBodyBytes = <i32>parsedInt;
    } else if (child.keyIs("requestBodyAction") || child.keyIs("responseBodyAction")) {
      if (!child.is("reject") && !child.is("partial")) return expected(child, "reject or partial");
      if (child.keyIs("requestBodyAction")) options.requestBodyReject = child.is("reject");
      else options.responseBodyReject = child.is("reject");
    } else if (child.keyIs("arguments")) {
      if (!isInt(child, 1, 100000)) return false;
      options.arguments = <i32>parsedInt;
    } else if (child.keyIs("jsonDepth")) {
      if (!isInt(child, 1, 8192)) return false;
      options.jsonDepth = <i32>parsedInt;
    } else return unknownKey(child, "requestBody, requestBodyAction, responseBody, responseBodyAction, arguments, jsonDepth");
  }
  return true;
}

function readBlock(node: JsonNode, options: Options): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("status")) {
      if (!isInt(child, 200, 599)) return false;
      options.blockStatus = <i32>parsedInt;
    } else if (child.keyIs("body")) {
      if (child.kind != J_STRING) return expected(child, "a text");
      options.blockBody = child;
    } else if (child.keyIs("headers")) {
      if (!isObject(child)) return false;
      for (let header: JsonNode | null = child.child; header; header = header!.next) if (!isHeader(header)) return false;
      options.blockHeaders = child;
    } else return unknownKey(child, "status, body, headers");
  }
  return true;
}

/** Names are RFC 9110 tokens in any case; values have no control characters. */
function isHeader(node: JsonNode): bool {
  if (node.kind != J_STRING) return expected(node, "a text");
  for (let i = 0; i < node.keyLen; i++) {
    const c = load<u8>(node.key + i);
    const ok = ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || (c >= 0x30 && c <= 0x39) || c == 0x2d || c == 0x5f;
    if (!ok) return unknownKey(node, "header names: letters, digits, - and _");
  }
  for (let i = 0; i < node.len; i++) if (load<u8>(node.ptr + i) < 0x20) return expected(node, "a text without control characters");
  return true;
}

/** A percentage with up to two digits after the point. */
function readSampling(node: JsonNode, options: Options): bool {
  const what = "a percentage from 0 to 100 with up to two decimals";
  if (node.kind != J_NUMBER) return expected(node, what);
  let value = 0;
  let decimals = -1;
  for (let i = 0; i < node.len; i++) {
    const c = load<u8>(node.ptr + i);
    if (c == 0x2e && decimals < 0) decimals = 0;
    else if (c >= 0x30 && c <= 0x39 && value < 100000) {
      value = value * 10 + (c - 0x30);
      if (decimals >= 0) decimals++;
    } else return expected(node, what);
  }
  for (let i = max(decimals, 0); i < 2; i++) value *= 10;
  if (decimals > 2 || value > 10000) return expected(node, what);
  options.sampling = value;
  return true;
}

function readEvents(node: JsonNode, globals: Globals): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("matches")) {
      if (!child.is("decisions") && !child.is("all")) return expected(child, "decisions or all");
      globals.allMatches = child.is("all");
    } else if (child.keyIs("maxValueBytes")) {
      if (!isInt(child, 0, 4096)) return false;
      globals.maxValueBytes = <i32>parsedInt;
    } else if (child.keyIs("mask")) {
      if (!isList(child, "variables")) return false;
      globals.mask = child;
    } else return unknownKey(child, "matches, maxValueBytes, mask");
  }
  return true;
}

function readFindings(node: JsonNode, globals: Globals): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("header")) {
      globals.findings = child.is("send") ? FINDINGS_SEND : child.is("pass") ? FINDINGS_PASS : FINDINGS_REMOVE;
      if (globals.findings == FINDINGS_REMOVE && !child.is("remove")) return expected(child, "remove, send or pass");
    } else if (child.keyIs("user")) {
      if (!isBool(child)) return false;
      globals.sendsUser = child.kind == J_TRUE;
    } else return unknownKey(child, "header, user");
  }
  return true;
}

function readHost(node: JsonNode, globals: Globals): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("holdHeaders")) {
      if (!isBool(child)) return false;
      globals.holdHeaders = child.kind == J_TRUE;
    } else if (child.keyIs("streamBytes")) {
      if (!isInt(child, 65536, 268435456)) return false;
      globals.streamBytes = <i32>parsedInt;
    } else if (child.keyIs("vmBytes")) {
      if (!isInt(child, 1048576, 805306368)) return false;
      globals.vmBytes = <i32>parsedInt;
    } else return unknownKey(child, "holdHeaders, streamBytes, vmBytes");
  }
  return true;
}
