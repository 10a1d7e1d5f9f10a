/**
 * pluginConfig of the mesh filters, checked: every key is known, every value is what it must be, or one line says
 * which is not. The published schema is manifests/schema/mesh.schema.json; a test keeps the two together.
 */
import { Arena, make } from "../bytes/arena";
import { parsedInt } from "../bytes/span";
import { expected, isBool, isInt, isList, isObject, unknownKey } from "../config/check";
import { JsonNode } from "../config/json";
import { J_ARRAY, J_STRING, J_TRUE } from "../decode/json";
import { isPrincipals, QuarantineOptions, readQuarantine } from "../quarantine/options";
import { PathOptions } from "./path";
import { TrustDomains } from "./trust";

@unmanaged
export class MeshOptions {
  /** A list, null for none. */
  policies: JsonNode | null;
  /** What policies are that do not say it. */
  shadow: bool;
  allowByDefault: bool;
  trust: TrustDomains;
  paths: PathOptions;
  /** What happens when the request itself cannot be read. */
  failClosed: bool;
  /** Bytes of a body that is read for its JSON-RPC methods or GraphQL operations. */
  bodyBytes: i32;
  /** True: allowed requests are reported too. */
  allEvents: bool;
  /** Events that a VM writes in one second; more are counted. */
  eventsPerSecond: i32;
  /** True if the host lets headers wait for the body (`allow_on_headers_stop_iteration`). */
  holdHeaders: bool;
  /** Identities of gateways whose findings are believed, a list; null for none. */
  gateways: JsonNode | null;
  /** Null if nobody is ever put in quarantine. */
  quarantine: QuarantineOptions | null;

  static defaults(arena: Arena): MeshOptions {
    const options = make<MeshOptions>(arena);
    options.allowByDefault = true;
    options.trust = TrustDomains.create(arena);
    options.paths = make<PathOptions>(arena);
    options.paths.dotSegments = true;
    options.paths.mergeSlashes = true;
    options.paths.escapedSlashes = true;
    options.paths.doubleEncoding = true;
    options.paths.parameters = true;
    options.failClosed = true;
    options.bodyBytes = 65536;
    options.eventsPerSecond = 100;
    return options;
  }
}

const KEYS: string = "policies, mode, default, trustDomain, trustDomainAliases, normalization, failure, limits, events, edge, quarantine, host";

/** Reads the root of the configuration. False: see `configError`. */
export function readMeshOptions(arena: Arena, root: JsonNode, options: MeshOptions): bool {
  if (!isObject(root)) return false;
  for (let node: JsonNode | null = root.child; node; node = node!.next) {
    // for editors
    if (node.keyIs("$schema")) continue;
    if (!readOption(arena, node, options)) return false;
  }
  return true;
}

function readOption(arena: Arena, node: JsonNode, options: MeshOptions): bool {
  if (node.keyIs("policies")) {
    options.policies = node;
    return node.kind == J_ARRAY || expected(node, "a list of policies");
  }
  if (node.keyIs("mode")) {
    options.shadow = node.is("shadow");
    return options.shadow || node.is("enforce") || expected(node, "enforce or shadow");
  }
  if (node.keyIs("default")) {
    options.allowByDefault = node.is("allow");
    return options.allowByDefault || node.is("deny") || expected(node, "allow or deny");
  }
  if (node.keyIs("trustDomain")) {
    options.trust.own = node;
    return (node.kind == J_STRING && node.len > 0) || expected(node, "a trust domain, as in `cluster.local`");
  }
  if (node.keyIs("trustDomainAliases")) {
    options.trust.aliases = node;
    return isList(node, "trust domains");
  }
  if (node.keyIs("normalization")) return readPaths(node, options.paths);
  if (node.keyIs("failure")) {
    options.failClosed = node.is("closed");
    return options.failClosed || node.is("open") || expected(node, "open or closed");
  }
  if (node.keyIs("limits")) return readLimits(node, options);
  if (node.keyIs("events")) return readEvents(node, options);
  if (node.keyIs("edge")) return readEdge(node, options);
  if (node.keyIs("quarantine")) {
    options.quarantine = readQuarantine(arena, node);
    return options.quarantine != null;
  }
  return node.keyIs("host") ? readHost(node, options) : unknownKey(node, KEYS);
}

function readPaths(node: JsonNode, paths: PathOptions): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (!isBool(child)) return false;
    const on = child.kind == J_TRUE;
    if (child.keyIs("dotSegments")) paths.dotSegments = on;
    else if (child.keyIs("mergeSlashes")) paths.mergeSlashes = on;
    else if (child.keyIs("escapedSlashes")) paths.escapedSlashes = on;
    else if (child.keyIs("doubleEncoding")) paths.doubleEncoding = on;
    else if (child.keyIs("parameters")) paths.parameters = on;
    else if (child.keyIs("ignoreCase")) paths.ignoreCase = on;
    else return unknownKey(child, "dotSegments, mergeSlashes, escapedSlashes, doubleEncoding, parameters, ignoreCase");
  }
  return true;
}

function readLimits(node: JsonNode, options: MeshOptions): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (!child.keyIs("requestBody")) return unknownKey(child, "requestBody");
    if (!isInt(child, 1, 16777216)) return false;
    options.bodyBytes = <i32>parsedInt;
  }
  return true;
}

function readEvents(node: JsonNode, options: MeshOptions): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (child.keyIs("decisions")) {
      options.allEvents = child.is("all");
      if (!options.allEvents && !child.is("denied")) return expected(child, "denied or all");
    } else if (child.keyIs("perSecond")) {
      if (!isInt(child, 0, 100000)) return false;
      options.eventsPerSecond = <i32>parsedInt;
    } else return unknownKey(child, "decisions, perSecond");
  }
  return true;
}

function readEdge(node: JsonNode, options: MeshOptions): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (!child.keyIs("gateways")) return unknownKey(child, "gateways");
    if (!isPrincipals(child)) return false;
    options.gateways = child;
  }
  return true;
}

function readHost(node: JsonNode, options: MeshOptions): bool {
  if (!isObject(node)) return false;
  for (let child: JsonNode | null = node.child; child; child = child!.next) {
    if (!child.keyIs("holdHeaders")) return unknownKey(child, "holdHeaders");
    if (!isBool(child)) return false;
    options.holdHeaders = child.kind == J_TRUE;
  }
  return true;
}
