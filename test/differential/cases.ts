/**
 * Random policies and random calls. Both draw from the same small pools, so that conditions hold about as often as
 * they fail; values of policies are also wildcards and templates of what calls have.
 */

import type { Random } from "../random.ts";
import type { AuthorizationPolicy, Rule, Spec } from "./rbac.ts";

/** URI SANs of the clients that the test has certificates for. */
export const SPIFFE_IDS = [
  "spiffe://cluster.local/ns/shop/sa/web",
  "spiffe://cluster.local/ns/shop/sa/api",
  "spiffe://cluster.local/ns/bank/sa/web",
  "spiffe://other.example/ns/shop/sa/web",
  "spiffe://other.example/ns/shop2/sa/api",
  // not what a workload of Istio has, but what its expressions provide for
  "spiffe://cluster.local/ns/shop/region/eu/sa/web",
  "spiffe://cluster.local/ns/shop/sa/web/pod/1",
  "spiffe://cluster.local/x/ns/bank/ns/shop/sa/api",
] as const;

export const DNS_CLIENT = "web.shop.example";

/** Who calls: a certificate, TLS without one, or plaintext. */
export const CALLERS = [...SPIFFE_IDS, DNS_CLIENT, "anonymous", "plaintext"] as const;
export type Caller = (typeof CALLERS)[number];

export const TOKENS = {
  alice: {
    iss: "https://issuer.example",
    sub: "alice",
    aud: ["shop", "bank"],
    azp: "web",
    groups: ["admin", "dev"],
    realm: { roles: ["r1", "r2"], name: "x" },
    "a[b]": "odd",
    number: 5,
    flag: true,
  },
  bob: { iss: "https://issuer.example", sub: "bob", aud: "shop", groups: "dev", realm: { roles: [] } },
  other: { iss: "other", sub: "alice", azp: ["web"] },
} as const;
export type Token = keyof typeof TOKENS;

/** Metadata that a filter before ours sets: `envoy.filters.custom`. */
export const METADATA = { tier: "gold", tags: ["a", "b"] };

export interface Call {
  caller: Caller;
  sourceIp: string;
  destinationIp: string;
  sni: string | undefined;
  method: string;
  path: string;
  host: string;
  headers: [string, string][];
  token: Token | undefined;
}

const SOURCE_IPS = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.5"];
const DESTINATION_IPS = ["127.0.0.1", "127.0.0.2"];
const METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"];
const HOSTS = ["a.example", "A.Example", "a.example:8080", "sub.a.example", "b.test"];
const SNIS = ["a.example", "b.example", undefined];
const FORWARDED = ["10.1.2.3", "192.0.2.7, 10.1.2.3", "10.1.2.3, 192.0.2.7", "2001:db8::1"];

const PLAIN_PATHS = [
  "/",
  "/api",
  "/api/",
  "/api/v1",
  "/api/v1/users",
  "/api/v1/users/42",
  "/api/v2/users",
  "/admin",
  "/admin/keys",
  "/public/a.png",
  "/public/b/c.png",
  "/shop.Cart/Add",
  "/a%20b",
  "/API/v1",
  "/x(1)/y$z",
];
/** Paths with other forms: a policy may judge these differently, see normalization. */
const ODD_PATHS = [
  "/api//v1",
  "//admin",
  "/public/../admin",
  "/public/%2e%2e/admin",
  "/%61dmin",
  "/admin;x=1",
  "/admin%3bx",
  "/api%2fv1",
  "/api%252fv1",
  "/api\\v1",
  "/./admin/./keys",
  "/api/v1/..",
  "/api/v1/users/{id}",
  '/api/v1/"users"',
];
const QUERIES = ["?", "?a=1", "?x=/admin", "?q=a?b"];

const PRINCIPALS = [
  ...SPIFFE_IDS.map((id) => id.slice("spiffe://".length)),
  "*",
  "cluster.local/*",
  "cluster.local/ns/shop/*",
  "*/sa/web",
  "*/ns/shop/sa/api",
  "other.example/ns/shop/sa/we*",
  "cluster.local/ns/shop/sa/we",
  "shop",
  DNS_CLIENT,
];
const NAMESPACES = ["shop", "bank", "shop2", "sho*", "*op", "*", "s*p", "b*k", "none"];
const ACCOUNTS = ["web", "api", "shop/web", "shop/api", "bank/web", "bank/api", "shop2/api", "none"];
const TRUST_DOMAINS = ["cluster.local", "other.example", "*", "cluster*", "*.example", "*local", "cluster"];
const REQUEST_PRINCIPALS = [
  "https://issuer.example/alice",
  "https://issuer.example/bob",
  "https://issuer.example/*",
  "https://issuer.example/al*",
  "*/alice",
  "*example/bob",
  "*",
  "*ice",
  "https://*",
  "oth*",
  "other/alice",
  "other",
];
const IP_BLOCKS = [
  "127.0.0.1",
  "127.0.0.2",
  "127.0.0.2/31",
  "127.0.0.0/29",
  "127.0.0.0/8",
  "10.0.0.0/8",
  "192.0.2.7",
  "0.0.0.0/0",
  "::1",
  "::/0",
  "2001:db8::/32",
];
const PATH_VALUES = [
  ...PLAIN_PATHS,
  ...PLAIN_PATHS,
  "/api*",
  "/api/*",
  "/api/v1*",
  "/ap*",
  "*",
  "*.png",
  "*/users",
  "/{*}",
  "/{**}",
  "/api/{*}",
  "/api/{*}/users",
  "/api/{*}/users/{**}",
  "/api/{**}",
  "/public/{*}",
  "/api/{*}/",
];
const METHOD_VALUES = [...METHODS, "*", "P*", "*T", "get"];
const HOST_VALUES = [...HOSTS, "*", "*.example", "a.*", "B.TEST", "*.EXAMPLE", "example"];

type WhenPool = [key: string, values: string[]][];

function whenPool(port: number): WhenPool {
  return [
    ["source.ip", IP_BLOCKS],
    ["remote.ip", IP_BLOCKS],
    ["source.namespace", NAMESPACES],
    ["source.serviceAccount", ACCOUNTS],
    ["source.principal", PRINCIPALS],
    ["source.trustDomain", TRUST_DOMAINS],
    ["request.auth.principal", REQUEST_PRINCIPALS],
    ["request.auth.audiences", ["shop", "bank", "sh*", "*", "*nk", "none"]],
    ["request.auth.presenter", ["web", "w*", "*", "none"]],
    ["request.auth.claims[groups]", ["admin", "dev", "a*", "*", "none"]],
    ["request.auth.claims[realm][roles]", ["r1", "r*", "*", "none"]],
    ["request.auth.claims[realm][name]", ["x", "*", "none"]],
    ["request.auth.claims[realm]", ["x", "*"]],
    ["request.auth.claims[number]", ["5", "*"]],
    ["request.auth.claims[flag]", ["true", "*"]],
    ["request.auth.claims[a[b]]", ["odd", "*"]],
    ["request.headers[x-user]", ["alice", "bob", "alice,bob", "al*", "*b", "*"]],
    ["request.headers[X-User]", ["alice", "*"]],
    ["request.headers[x-empty]", ["*", "x"]],
    ["request.headers[host]", ["a.example", "a*", "*"]],
    ["request.headers[:method]", ["GET", "P*"]],
    ["destination.ip", ["127.0.0.1", "127.0.0.2", "127.0.0.0/8", "10.0.0.0/8", "::/0"]],
    ["destination.port", [String(port), "80", "443"]],
    ["connection.sni", ["a.example", "b.example", "a*", "*.example", "*"]],
    ["experimental.envoy.filters.custom[tier]", ["gold", "g*", "*", "[gold]", "silver"]],
    ["experimental.envoy.filters.custom[tags]", ["[a]", "[c]", "[*]", "[b*]", "a", "*"]],
  ];
}

const not = (name: string): string => `not${name[0]?.toUpperCase()}${name.slice(1)}`;

function field(random: Random, into: { [field: string]: string[] }, name: string, values: readonly string[]): void {
  const both = random.chance(0.1);
  const negative = random.chance(0.25);
  if (!negative || both) into[name] = random.some(values, 3);
  if (negative || both) into[not(name)] = random.some(values, 2);
}

function source(random: Random): { [field: string]: string[] } {
  const made: { [field: string]: string[] } = {};
  const accounts = random.chance(0.2);
  if (accounts) field(random, made, "serviceAccounts", ACCOUNTS);
  const pools: [string, readonly string[]][] = [
    ...(accounts
      ? []
      : ([
          ["principals", PRINCIPALS],
          ["principals", PRINCIPALS],
          ["namespaces", NAMESPACES],
        ] as [string, readonly string[]][])),
    ["trustDomains", TRUST_DOMAINS],
    ["requestPrincipals", REQUEST_PRINCIPALS],
    ["ipBlocks", IP_BLOCKS],
    ["remoteIpBlocks", IP_BLOCKS],
  ];
  if (!accounts || random.chance(0.3)) field(random, made, ...random.pick(pools));
  if (random.chance(0.3)) field(random, made, ...random.pick(pools));
  return made;
}

function operation(random: Random, port: number): { [field: string]: string[] } {
  const made: { [field: string]: string[] } = {};
  const pools: [string, readonly string[]][] = [
    ["paths", PATH_VALUES],
    ["paths", PATH_VALUES],
    ["methods", METHOD_VALUES],
    ["hosts", HOST_VALUES],
    ["ports", [String(port), "80", "0443"]],
  ];
  field(random, made, ...random.pick(pools));
  if (random.chance(0.5)) field(random, made, ...random.pick(pools));
  return made;
}

function rule(random: Random, port: number): Rule {
  const made: Rule = {};
  const list = <T>(make: () => T): T[] => Array.from({ length: random.between(1, 2) }, make);
  if (random.chance(0.6)) made.from = list(() => ({ source: source(random) }));
  if (random.chance(0.6)) made.to = list(() => ({ operation: operation(random, port) }));
  if (random.chance(0.4)) {
    made.when = list(() => {
      const [key, values] = random.pick(whenPool(port));
      const lists: { [field: string]: string[] } = {};
      field(random, lists, "values", values);
      return { key, ...lists };
    });
  }
  return made;
}

/** Makes the policies of one workload, which listens on `port`. */
export function policies(random: Random, port: number): AuthorizationPolicy[] {
  return Array.from({ length: random.between(1, 5) }, (_, i) => {
    const action = random.pick(["ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "AUDIT"] as const);
    const count = action === "ALLOW" ? random.between(0, 4) : random.between(1, 2);
    const spec: Spec = { action, rules: Array.from({ length: count }, () => rule(random, port)) };
    return { metadata: { name: `policy-${i}`, namespace: random.pick(["shop", "bank"]) }, spec };
  });
}

/** Makes a call. */
export function call(random: Random): Call {
  const headers: [string, string][] = [];
  if (random.chance(0.5)) headers.push(["x-user", random.pick(["alice", "bob", ""])]);
  if (random.chance(0.2)) headers.push(["x-user", "bob"]);
  if (random.chance(0.2)) headers.push(["x-empty", ""]);
  if (random.chance(0.3)) headers.push(["x-forwarded-for", random.pick(FORWARDED)]);
  const path = random.pick(random.chance(0.15) ? ODD_PATHS : PLAIN_PATHS);
  return {
    caller: random.chance(0.5) ? random.pick(CALLERS.slice(0, 3)) : random.pick(CALLERS),
    sourceIp: random.chance(0.7) ? "127.0.0.1" : random.pick(SOURCE_IPS),
    destinationIp: random.chance(0.8) ? "127.0.0.1" : random.pick(DESTINATION_IPS),
    sni: random.chance(0.8) ? "a.example" : random.pick(SNIS),
    method: random.pick(METHODS),
    path: random.chance(0.2) ? path + random.pick(QUERIES) : path,
    host: random.pick(HOSTS),
    headers,
    token: random.chance(0.4) ? random.pick(Object.keys(TOKENS) as Token[]) : undefined,
  };
}
