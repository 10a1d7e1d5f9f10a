/**
 * From pluginConfig to profiles: what a stream is inspected with. A profile has its own rules in their own
 * order, while the rules themselves are shared; which profile a request has depends on its host and path.
 */
import { Arena, make } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { lastIndexOf } from "../bytes/span";
import { jsonAt, jsonError } from "../decode/json";
import { now } from "../host/abi";
import { PairWriter } from "../host/pairs";
import { globMatches } from "../match/glob";
import { flushCache } from "../match/regex/dfa";
import { TrustDomains } from "../policy/trust";
import { principalsOf } from "../quarantine/options";
import { prepareQuarantine } from "../quarantine/quarantine";
import { compile, ruleCount } from "../seclang/compiler";
import { clearError, fail, message, setPlace } from "../seclang/errors";
import { link } from "../seclang/link";
import { ENGINE_DETECT, ENGINE_ON, Rule } from "../seclang/model";
import { Program } from "../seclang/program";
import { RuleList } from "../seclang/rulelist";
import { LIMIT_PARTIAL, LIMIT_REJECT, Settings } from "../seclang/settings";
import { configError } from "./check";
import { JsonNode, parseTree } from "./json";
import { Globals, MODE_ENFORCE, Options, readProfile, readRoot } from "./options";
import { writePrelude } from "./prelude";
import { afterRuleSet, baseSettings, coreRules, setupRules } from "./ruleset";

@unmanaged
export class Profile {
  name: usize;
  nameLen: i32;
  /** Patterns, or null for any. */
  hosts: JsonNode | null;
  paths: JsonNode | null;
  options: Options;
  settings: Settings;
  program: Program;
  /** Headers of a block response, encoded; 0 bytes for none. */
  blockHeaders: Buffer;
  next: Profile | null;
}

@unmanaged
export class Configuration {
  arena: Arena;
  globals: Globals;
  /** Tried in order; the last one takes all. */
  profiles: Profile | null;
  /** Streams that use it. */
  streams: i32;
  /** True once it was replaced: it goes with its last stream. */
  retired: bool;

  /** Frees it now, or with its last stream. */
  retire(): void {
    this.retired = true;
    if (this.streams > 0) return;
    // programs leave the cache before their memory goes
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

const prelude: Buffer = Buffer.create(4096);

/** Builds a configuration from JSON; no text is an empty object. Null: see `refusal`. */
export function configure(ptr: usize, len: i32): Configuration | null {
  afterRuleSet();
  clearError();
  refusal.clear();
  const arena = Arena.create(0);
  const configuration = make<Configuration>(arena);
  configuration.arena = arena;
  configuration.globals = make<Globals>(arena);
  if (build(arena, configuration, ptr, len)) return configuration;
  arena.destroy();
  return null;
}

const EMPTY: usize = memory.data<u8>([0x7b, 0x7d]);

function build(arena: Arena, configuration: Configuration, ptr: usize, len: i32): bool {
  const blank = len == 0;
  const text = arena.copy(blank ? EMPTY : ptr, blank ? 2 : len);
  const root = parseTree(arena, text, blank ? 2 : len);
  if (!root) {
    refusal.text("pluginConfig: not JSON at byte ").int(jsonAt).text(": ").text(jsonError);
    return false;
  }
  const options = Options.defaults(arena);
  if (!readRoot(arena, root, options, configuration.globals)) return refuse(configError);
  const quarantine = configuration.globals.quarantine;
  if (quarantine) {
    quarantine.exempt = principalsOf(arena, quarantine.except, TrustDomains.create(arena));
    prepareQuarantine(now());
  }
  let last: Profile | null = null;
  const profiles = configuration.globals.profiles;
  if (profiles) {
    for (let node: JsonNode | null = profiles.child; node; node = node!.next) {
      const own = changetype<Options>(arena.copy(changetype<usize>(options), <i32>offsetof<Options>()));
      if (!readProfile(node, own)) return refuse(configError);
      const profile = buildProfile(arena, node, own, options.exclusions);
      if (!profile) return false;
      if (last) last.next = profile;
      else configuration.profiles = profile;
      last = profile;
    }
  }
  const fallback = buildProfile(arena, null, options, null);
  if (!fallback) return false;
  if (last) last.next = fallback;
  else configuration.profiles = fallback;
  return true;
}

function refuse(reason: Buffer): bool {
  refusal.clear();
  refusal.bytes(reason.ptr, reason.len);
  return false;
}

const DEFAULT_NAME: usize = memory.data<u8>([0x64, 0x65, 0x66, 0x61, 0x75, 0x6c, 0x74]);
const PRELUDE_NAME: usize = memory.data<u8>([0x70, 0x6c, 0x75, 0x67, 0x69, 0x6e, 0x43, 0x6f, 0x6e, 0x66, 0x69, 0x67]);

function buildProfile(arena: Arena, node: JsonNode | null, options: Options, inherited: JsonNode | null): Profile | null {
  const profile = make<Profile>(arena);
  const name = node ? node.get("name") : null;
  profile.name = name ? name.ptr : DEFAULT_NAME;
  profile.nameLen = name ? name.len : 7;
  profile.hosts = node ? node.get("hosts") : null;
  profile.paths = node ? node.get("paths") : null;
  profile.options = options;
  profile.settings = baseSettings.copy(arena);
  const list = RuleList.create(arena);
  list.addAll(arena, setupRules);
  writePrelude(prelude, options, inherited);
  const ok =
    compile(arena, list, profile.settings, PRELUDE_NAME, 12, arena.copy(prelude.ptr, prelude.len), prelude.len) &&
    compileTexts(arena, list, profile.settings, options.before, "rules.before") &&
    addCore(arena, list, options) &&
    compileTexts(arena, list, profile.settings, options.after, "rules.after");
  if (!ok) {
    refuse(message);
    return null;
  }
  applyOptions(profile.settings, options);
  profile.program = link(arena, list, ruleCount(), profile.settings);
  profile.blockHeaders = encodeHeaders(options.blockHeaders);
  return profile;
}

function addCore(arena: Arena, list: RuleList, options: Options): bool {
  if (!options.crs) {
    list.shared = list.count;
    return true;
  }
  for (let i = setupRules.count; i < list.count; i++) if (!isNewId(list.at(i))) return false;
  list.addAll(arena, coreRules);
  return true;
}

/** Rules that run before CRS must not have the id of one of its rules. */
function isNewId(rule: Rule): bool {
  if (rule.id == 0) return true;
  for (let i = 0; i < coreRules.count; i++) {
    if (coreRules.at(i).id != rule.id) continue;
    setPlace(rule.file, rule.fileLen, rule.line);
    return fail("id " + rule.id.toString() + " is one of CRS; rules of your own take ids below 100000");
  }
  return true;
}

function compileTexts(arena: Arena, list: RuleList, settings: Settings, texts: JsonNode | null, key: string): bool {
  if (!texts) return true;
  for (let node: JsonNode | null = texts.child; node; node = node!.next) {
    prelude.clear();
    prelude.text("pluginConfig.").text(key).byte(0x5b).int(node.index).byte(0x5d);
    const name = arena.copy(prelude.ptr, prelude.len);
    if (!compile(arena, list, settings, name, prelude.len, node.ptr, node.len)) return false;
  }
  return true;
}

/** What plain options say wins over directives. */
function applyOptions(settings: Settings, options: Options): void {
  settings.engine = options.mode == MODE_ENFORCE ? ENGINE_ON : ENGINE_DETECT;
  settings.requestBodyLimit = options.requestBodyBytes;
  settings.requestBodyLimitAction = options.requestBodyReject ? LIMIT_REJECT : LIMIT_PARTIAL;
  settings.responseBodyLimit = options.responseBodyBytes;
  settings.responseBodyLimitAction = options.responseBodyReject ? LIMIT_REJECT : LIMIT_PARTIAL;
  settings.argumentsLimit = options.arguments;
  settings.jsonDepthLimit = options.jsonDepth;
  settings.responseBodyAccess = settings.responseBodyAccess && options.inspectResponseBody;
}

function encodeHeaders(headers: JsonNode | null): Buffer {
  const out = Buffer.create(64);
  if (!headers) return out;
  const writer = PairWriter.create();
  for (let node: JsonNode | null = headers.child; node; node = node!.next) writer.add(node.key, node.keyLen, node.ptr, node.len);
  writer.finish(out);
  return out;
}

/** Gives the profile for a host (a port is ignored) and a path (a query is ignored). */
export function profileFor(configuration: Configuration, host: usize, hostLen: i32, path: usize, pathLen: i32): Profile {
  let profile = configuration.profiles!;
  while (profile.next) {
    if (anyMatches(profile.hosts, host, withoutPort(host, hostLen), true) && anyMatches(profile.paths, path, pathLen, false)) return profile;
    profile = profile.next!;
  }
  return profile;
}

function withoutPort(host: usize, len: i32): i32 {
  const colon = lastIndexOf(host, len, 0x3a);
  if (colon < 0) return len;
  // the colons of an IPv6 address stand in brackets
  return lastIndexOf(host, len, 0x5d) > colon ? len : colon;
}

function anyMatches(patterns: JsonNode | null, ptr: usize, len: i32, fold: bool): bool {
  if (!patterns) return true;
  for (let node: JsonNode | null = patterns.child; node; node = node!.next) if (globMatches(node.ptr, node.len, ptr, len, fold)) return true;
  return false;
}
