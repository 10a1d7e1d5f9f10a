/** Random requests, ordinary ones and ones that nothing well-meaning sends, and how they reach the filter. */
import type { Call } from "../../cli/host/mesh.ts";
import { encodeMetadata, type Json, type JsonValue } from "../../cli/host/metadata.ts";
import { METADATA, call as ordinary, SPIFFE_IDS, TOKENS } from "../differential/cases.ts";
import type { Random } from "../random.ts";

const GRAPHQL = [
  "query Shop { users { name } }",
  "mutation { deleteAll }",
  "{ a: users { id } ...F } fragment F on Query { name }",
  "query A { x } query B { users }",
  "fragment F on Q { ...F } query { ...F }",
  "{",
  '{ a(x: "}', // nothing ends
];
const BODIES = [
  '{"jsonrpc":"2.0","method":"pay","id":1}',
  '[{"jsonrpc":"2.0","method":"getX","id":1},{"jsonrpc":"2.0","method":"dropAll"}]',
  '{"method":"p\\u0061y"}',
  '{"method":{"x":1}}',
  "",
  "x",
  "{",
  ...GRAPHQL.map((query) => JSON.stringify({ query })),
  JSON.stringify(GRAPHQL.map((query) => ({ query, operationName: "A" }))),
];
const TYPES = ["application/json", "application/graphql", "application/grpc", "application/grpc+proto", "text/plain", "application/json; charset=utf-16"];

const FINDINGS = [
  'inspected=full, score=3, threshold=5, rules=(920350 942100), client="10.0.0.1", user=%"https://id.example/alice"',
  'inspected=headers, score=8, threshold=5, rules=(942100), more, client="::1"',
  "inspected=no",
  'score=99999999999999999999, user=%"%c3%bc"',
  "rules=()",
  "inspected=full, score=x",
];

/** Moments around each hour of a week. */
const WEEK = 7 * 86_400_000;

/** Makes a call that a client can make, with everything that conditions ask about. */
export function plausible(random: Random): Call {
  const { caller, sourceIp, destinationIp, sni, method, path, host, headers, token } = ordinary(random);
  const query = random.chance(0.3) ? `${path.includes("?") ? "&" : "?"}a=${random.pick(["1", "22", "3", "%31"])}` : "";
  const type: [string, string][] = random.chance(0.5) ? [["content-type", random.pick(TYPES)]] : [];
  return {
    sourceIp,
    destinationIp,
    destinationPort: random.pick([80, 443]),
    method,
    path: path + query,
    host,
    headers: [...headers, ...type, ...(random.chance(0.3) ? [["x-bailey-edge", random.pick(FINDINGS)] satisfies [string, string]] : [])],
    metadata: { "envoy.filters.custom": METADATA as Json },
    time: new Date(1_790_000_000_000 + random.between(0, WEEK)),
    ...(caller.includes("://") && { peer: caller }),
    ...(sni !== undefined && { sni }),
    ...(token && { claims: TOKENS[token] as unknown as Json }),
    ...(random.chance(0.4) && { body: random.pick(BODIES), trailers: random.chance(0.3) }),
  };
}

/** A request as the host gives it, piece by piece, in any bytes. */
export interface Raw {
  headers: [Buffer, Buffer][] | undefined;
  properties: Map<string, Buffer>;
  /** Properties that the host fails to give. */
  failing: Set<string>;
  /** Pieces of the body; none where it has none. */
  body: Buffer[];
  trailers: boolean;
  /** True if it is gone before it ends. */
  reset: boolean;
  time: bigint;
}

function noise(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.between(0, most) }, () => random.between(0, 255)));
}

function damaged(random: Random, bytes: Buffer): Buffer {
  const made = Buffer.from(bytes);
  for (let i = random.between(0, 4); i > 0 && made.length > 0; i--) made[random.between(0, made.length - 1)] = random.between(0, 255);
  return random.chance(0.3) ? made.subarray(0, random.between(0, made.length)) : made;
}

/** Something nested deeper than anybody needs. */
function nested(depth: number): JsonValue {
  let value: JsonValue = "r1";
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { roles: value };
  return value;
}

function oddPath(random: Random): Buffer {
  const part = (): string =>
    random.pick(["/", "//", "..", "%2e", "%2f", "%25", "%252e", ";", ";x=", "%", "%u002f", "\\", "a", "api", "admin", "?", "#", "\u0000", "%00", "{*}"]);
  return Buffer.from(`/${Array.from({ length: random.between(0, random.chance(0.05) ? 5000 : 12) }, part).join("")}`, "latin1");
}

function rawHeaders(random: Random): [Buffer, Buffer][] | undefined {
  if (random.chance(0.02)) return undefined;
  const made: [Buffer, Buffer][] = [];
  const put = (name: string, value: Buffer): void => {
    if (random.chance(0.95)) made.push([Buffer.from(name), value]);
    if (random.chance(0.03)) made.push([Buffer.from(name), value]);
  };
  put(":method", random.chance(0.8) ? Buffer.from("POST") : noise(random, 20));
  put(":path", random.chance(0.9) ? oddPath(random) : noise(random, 50));
  put(":authority", random.chance(0.7) ? Buffer.from("a.example") : noise(random, 300));
  put("content-type", Buffer.from(random.pick(TYPES)));
  if (random.chance(0.5)) put("x-bailey-edge", damaged(random, Buffer.from(random.pick(FINDINGS))));
  if (random.chance(0.3)) put("x-request-id", noise(random, 80));
  if (random.chance(0.5)) put("x-forwarded-for", random.chance(0.5) ? Buffer.from("1.2.3.4, 5.6.7.8") : noise(random, 40));
  for (let i = random.between(0, random.chance(0.05) ? 400 : 5); i > 0; i--)
    made.push([random.chance(0.5) ? Buffer.from("x-user") : noise(random, 20), noise(random, random.chance(0.02) ? 60000 : 30)]);
  return made;
}

function rawBody(random: Random): Buffer[] {
  if (random.chance(0.3)) return [];
  const deep = random.between(1, 30000);
  const text = random.chance(0.7)
    ? Buffer.from(random.pick(BODIES))
    : random.pick([
        Buffer.from("[".repeat(deep)),
        Buffer.from(`{"query":"${"{a".repeat(deep)}"}`),
        Buffer.from(`{"query":"{${" a".repeat(deep)}}"}`),
        Buffer.from(`[${Array.from({ length: deep >> 4 }, () => BODIES[0]).join()}]`),
        noise(random, 2000),
      ]);
  const bytes = random.chance(0.4) ? damaged(random, text) : text;
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length || pieces.length === 0; ) {
    const size = random.between(0, bytes.length - at);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
    if (pieces.length > 4) {
      pieces.push(bytes.subarray(at));
      break;
    }
  }
  return pieces;
}

/** Makes a request that breaks rules. */
export function hostile(random: Random): Raw {
  const metadata = encodeMetadata({
    "envoy.filters.http.jwt_authn": { payload: random.chance(0.2) ? ({ realm: nested(random.between(1, 600)) } as Json) : (TOKENS.alice as unknown as Json) },
    "envoy.filters.custom": METADATA as Json,
  });
  const text = (...values: string[]): Buffer => (random.chance(0.7) ? Buffer.from(random.pick(values)) : noise(random, 60));
  const properties: [string, Buffer][] = [
    [
      "connection.uri_san_peer_certificate",
      text(...SPIFFE_IDS, "spiffe://", "spiffe:///ns//sa/", "spiffe://a/ns/b/sa", `spiffe://${"x".repeat(3000)}/ns/a/sa/b`),
    ],
    ["connection.dns_san_peer_certificate", text("web.shop.example")],
    ["connection.subject_peer_certificate", text("CN=web")],
    ["source.address", text("10.0.0.1:1", "[::1]:1", "1.2.3.4", "999.1.1.1:5", "[::", ":", "/run/pipe", "@abstract")],
    ["filter_state.bailey.peer_address", text("10.0.0.1", "::1", "fe80::1%eth0", "")],
    ["destination.address", text("10.0.0.2:80", "[::2]:99999", "x:y")],
    ["connection.requested_server_name", text("a.example")],
    ["metadata", random.chance(0.5) ? damaged(random, metadata) : metadata],
  ];
  return {
    headers: rawHeaders(random),
    properties: new Map(properties.filter(() => random.chance(0.8))),
    failing: new Set(properties.filter(() => random.chance(0.05)).map(([name]) => name)),
    body: rawBody(random),
    trailers: random.chance(0.3),
    reset: random.chance(0.1),
    time: random.chance(0.9)
      ? 1_790_000_000_000_000_000n + BigInt(random.between(0, WEEK)) * 1_000_000n
      : random.pick([0n, 1n, 2n ** 63n - 1n, 2n ** 64n - 1n]),
  };
}
