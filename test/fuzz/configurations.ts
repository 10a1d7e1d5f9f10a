/** Random configurations of the mesh filters: ones that are meant to be good, and ones with something broken in them. */
import { policies } from "../differential/cases.ts";
import type { Rule } from "../differential/rbac.ts";
import type { Random } from "../random.ts";

interface Condition {
  key: string;
  values?: string[];
  notValues?: string[];
  matches?: string[];
  notMatches?: string[];
}

export interface FuzzRule extends Rule {
  when?: Condition[];
  rateLimit?: { requests: number; seconds?: number; by?: string };
}

export interface FuzzPolicy {
  name: string;
  namespace?: string;
  mode?: string;
  spec: { action?: string; rules?: FuzzRule[] };
}

export interface FuzzConfig {
  policies: FuzzPolicy[];
  [key: string]: unknown;
}

/** Bailey's own conditions, on what the calls of calls.ts have. */
const OWN: Condition[] = [
  { key: "request.path", matches: ["/api/v[0-9]+/.*", "/x.*"] },
  { key: "request.path", notMatches: [".*[.](php|asp)"], values: ["/api*"] },
  { key: "request.method", matches: ["GET|HEAD"] },
  { key: "request.host", matches: ["(?i)[a-c]\\.example(:[0-9]+)?"] },
  { key: "source.principal", matches: ["spiffe://cluster.local/ns/[^/]+/sa/w.*"] },
  { key: "source.namespace", matches: ["sh?o+p"] },
  { key: "source.trustDomain", values: ["cluster.local"], notMatches: ["x+"] },
  { key: "request.query[a]", values: ["1", "2*"] },
  { key: "request.query[a]", notValues: ["3"] },
  { key: "request.headers[x-user]", matches: ["(al|bo)+.*"] },
  { key: "request.grpc.service", values: ["shop.Cart", "shop.*"] },
  { key: "request.grpc.method", notValues: ["Drop*"] },
  { key: "request.time", values: ["Mon-Fri 08:00-18:00"] },
  { key: "request.time", notValues: ["22:00-06:00"] },
  { key: "request.jsonrpc.method", values: ["pay", "get*"] },
  { key: "request.jsonrpc.method", notValues: ["drop*"] },
  { key: "request.graphql.type", values: ["query"] },
  { key: "request.graphql.operation", matches: ["[A-Z][a-z]+"] },
  { key: "request.graphql.rootField", notValues: ["users", "delete*"] },
  { key: "request.graphql.field", values: ["name", "id"] },
  { key: "request.auth.claims[realm][roles]", matches: ["r[0-9]"] },
  { key: "connection.sni", matches: ["[ab][.]example"] },
  { key: "edge.inspected", values: ["full"] },
  { key: "edge.inspected", notValues: ["no", "headers"] },
  { key: "edge.score", values: ["<5", "7-9"] },
  { key: "edge.rule", values: ["942*"], notMatches: [".*5."] },
  { key: "edge.client", notValues: ["10.0.0.0/8"] },
  { key: "edge.user", values: ["*/alice"], matches: [".*b.*"] },
];

const PORT = 80;

function extend(random: Random, policy: FuzzPolicy): void {
  if (random.chance(0.2)) policy.mode = random.pick(["enforce", "shadow"]);
  for (const rule of policy.spec.rules ?? []) {
    if (random.chance(0.3)) rule.when = [...(rule.when ?? []), ...random.some(OWN, 2)];
  }
}

/** Makes a configuration that must be accepted. */
export function configuration(random: Random): FuzzConfig {
  const made = policies(random, PORT).map(
    ({ metadata, spec }): FuzzPolicy => ({ name: metadata.name, namespace: metadata.namespace, spec: structuredClone(spec) }),
  );
  for (const policy of made) extend(random, policy);
  const rest: { [key: string]: unknown } = {};
  const maybe = (key: string, make: () => unknown): void => {
    if (random.chance(0.25)) rest[key] = make();
  };
  maybe("mode", () => random.pick(["enforce", "shadow"]));
  maybe("default", () => random.pick(["allow", "deny"]));
  maybe("failure", () => random.pick(["open", "closed"]));
  maybe("trustDomain", () => "other.example");
  maybe("trustDomainAliases", () => ["cluster.local", "*-old"]);
  maybe("edge", () => ({ gateways: random.some(["cluster.local/ns/shop/sa/web", "cluster.local/ns/bank/*", "*/sa/api"], 2) }));
  maybe("limits", () => ({ requestBody: random.pick([1, 100, 65536]) }));
  maybe("host", () => ({ holdHeaders: random.chance(0.5) }));
  maybe("normalization", () =>
    Object.fromEntries(["dotSegments", "mergeSlashes", "escapedSlashes", "doubleEncoding", "parameters", "ignoreCase"].map((key) => [key, random.chance(0.5)])),
  );
  return { ...rest, policies: made };
}

/** Gives rules limits; such a configuration is not the same for each request. */
export function limited(random: Random, config: FuzzConfig): FuzzConfig {
  for (const { spec } of config.policies) {
    for (const rule of spec.action === "ALLOW" ? (spec.rules ?? []) : []) {
      if (random.chance(0.3))
        rule.rateLimit = {
          requests: random.between(1, 5),
          seconds: random.between(1, 60),
          by: random.pick(["source.principal", "remote.ip", "request.auth.principal"]),
        };
    }
  }
  if (random.chance(0.5))
    config.quarantine = { violations: random.between(1, 5), seconds: random.between(1, 600), by: random.pick(["source.principal", "remote.ip"]) };
  return config;
}

/** A value that nothing has; as a pattern it keeps the index from knowing what a rule requires. */
const NOTHING = "*-none-such";
const INDEXED = ["principals", "namespaces", "methods", "paths"];

/** Gives a configuration that decides the same, and of whose rules the index knows nothing but service accounts. */
export function withoutIndex(config: FuzzConfig): FuzzConfig {
  const made = structuredClone(config);
  for (const rule of made.policies.flatMap(({ spec }) => spec.rules ?? [])) {
    for (const { source } of rule.from ?? []) blur(source);
    for (const { operation } of rule.to ?? []) blur(operation);
    for (const condition of rule.when ?? []) {
      if (condition.values && ["source.principal", "source.namespace", "request.path", "request.method"].includes(condition.key))
        condition.values.push(NOTHING);
    }
  }
  return made;
}

function blur(fields: { [field: string]: string[] }): void {
  for (const name of INDEXED) fields[name]?.push(NOTHING);
}

const ODD_VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1e300,
  4294967296,
  "",
  "*",
  "**",
  "\u0000",
  "é\ud83d\ude00",
  "{*}{**}",
  "/{**}/{*}",
  "(((((",
  "(a{1000}){1000}",
  "(?P<n>a)|\\1",
  "[z-a]",
  "a".repeat(70000),
  "1.2.3.4/99",
  "::ffff:1.2.3.4/200",
  "25:00-99:99",
  "Mon-Bog 1-2",
  [],
  {},
  { gateways: ["*"] },
  { violations: 1, except: ["a*"] },
  ">=18446744073709551616",
  [[[]]],
  [{}],
  { values: ["a"] },
];

/** Breaks something in the structure: a value replaced, a key renamed, an entry twice. */
export function brokenStructure(random: Random, config: FuzzConfig): string {
  const made = structuredClone(config) as object;
  const times = random.between(1, 3);
  for (let i = 0; i < times; i++) breakOne(random, made as { [key: string]: unknown });
  return JSON.stringify(made);
}

function breakOne(random: Random, root: { [key: string]: unknown }): void {
  let at = root;
  for (;;) {
    const keys = Object.keys(at);
    const key = random.pick(keys);
    if (key === undefined) return;
    const inner = at[key];
    if (typeof inner === "object" && inner !== null && Object.keys(inner).length > 0 && random.chance(0.85)) {
      at = inner as { [key: string]: unknown };
      continue;
    }
    const what = random.between(0, 3);
    if (what === 0) delete at[key];
    else if (what === 1 && !Array.isArray(at)) at[`${key}${random.pick(["", "s", "\u0000", "[", "[]", "x".repeat(300)])}`] = inner;
    else if (what === 2 && Array.isArray(at)) at.push(structuredClone(inner));
    else at[key] = structuredClone(random.pick(ODD_VALUES));
    return;
  }
}

/** Breaks bytes: some flipped, cut off, put in, or nested without end. */
export function brokenBytes(random: Random, config: FuzzConfig): Buffer {
  const bytes = Buffer.from(JSON.stringify(config));
  const at = random.between(0, bytes.length - 1);
  switch (random.between(0, 4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      bytes[at] = random.between(0, 255);
      return bytes;
    case 2:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(random.pick(['"', "\\u", "{", "]", ",", "\u0000", "1e", "\\ud800", "\ufeff"])),
        bytes.subarray(at),
      ]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(["[", '{"a":', "[{"]).repeat(random.between(1, 20000)))]);
    default:
      return Buffer.from(Array.from({ length: random.between(0, 200) }, () => random.between(0, 255)));
  }
}
