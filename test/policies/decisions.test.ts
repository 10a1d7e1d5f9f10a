/** What policies decide beyond what the differential test compares with Envoy: Bailey's own attributes, modes and paths. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Call } from "../../cli/host/mesh.ts";
import { meshWith, one, policy, WEB } from "./node.ts";

/** Checks that a rule of an ALLOW holds for some calls and not for others. */
async function holds(rule: object, yes: Call[], no: Call[]): Promise<void> {
  const mesh = await meshWith(one(rule));
  assert.equal(mesh.refused, undefined);
  for (const call of yes) assert.equal(mesh.ask(call).allowed, true, `must hold for ${JSON.stringify(call)}`);
  for (const call of no) assert.equal(mesh.ask(call).allowed, false, `must not hold for ${JSON.stringify(call)}`);
}

const when = (key: string, ...values: string[]): object => ({ when: [{ key, values }] });

describe("attributes of its own", () => {
  test("regular expressions match whole values, in RE2's syntax", async () => {
    await holds(
      { when: [{ key: "request.path", matches: ["/users/[0-9]+"] }] },
      [{ path: "/users/42" }, { path: "/users/42?x=1" }],
      [{ path: "/users/me" }, { path: "/users/42/keys" }, { path: "/x/users/42" }],
    );
    await holds(
      { when: [{ key: "request.host", matches: ["shop[0-9]\\.example"], notMatches: ["shop9.*"] }] },
      [{ host: "SHOP1.example" }],
      [{ host: "shop9.example" }, { host: "shop1.example.org" }],
    );
    await holds(
      { when: [{ key: "source.principal", matches: ["spiffe://[^/]+/ns/shop/sa/(web|api)"] }] },
      [{ peer: WEB }],
      [{ peer: "spiffe://cluster.local/ns/shop/sa/admin" }, {}],
    );
  });

  test("query parameters are decoded, and all of one name must fit", async () => {
    await holds(
      when("request.query[format]", "json", "x*"),
      [{ path: "/?format=json" }, { path: "/?a=1&format=x%6dl" }, { path: "/?form%61t=json" }],
      [{ path: "/" }, { path: "/?format=html" }, { path: "/?format=json&format=html" }, { path: "/?format" }],
    );
  });

  test("gRPC service and method", async () => {
    const headers: [string, string][] = [["content-type", "application/grpc"]];
    await holds(
      {
        when: [
          { key: "request.grpc.service", values: ["shop.Cart"] },
          { key: "request.grpc.method", notValues: ["Drop*"] },
        ],
      },
      [{ method: "POST", path: "/shop.Cart/Add", headers }],
      [
        { method: "POST", path: "/shop.Cart/DropAll", headers },
        { method: "POST", path: "/shop.Other/Add", headers },
        { method: "POST", path: "/shop.Cart/Add" },
      ],
    );
  });

  test("windows of time, over midnight too", async () => {
    const at = (time: string): Call => ({ time: new Date(`2026-11-${time}Z`) });
    // the 23rd is a Monday
    await holds(when("request.time", "Mon-Fri 08:00-18:00"), [at("23T08:00"), at("27T17:59")], [at("23T07:59"), at("23T18:00"), at("28T12:00")]);
    await holds(when("request.time", "Mon 22:00-06:00"), [at("23T22:00"), at("24T05:59")], [at("23T05:00"), at("24T06:00"), at("24T23:00")]);
    await holds(when("request.time", "Sat,Sun"), [at("28T00:00"), at("29T23:59")], [at("27T23:59"), at("30T00:00")]);
  });

  test("claims at any depth, as texts and lists", async () => {
    const claims = { iss: "i", sub: "s", realm: { access: { roles: ["reader", "writer"] }, tier: "gold" } };
    await holds(when("request.auth.claims[realm][access][roles]", "writer"), [{ claims }], [{ claims: { realm: { access: {} } } }, {}]);
    await holds(when("request.auth.claims[realm][tier]", "go*"), [{ claims }], [{ claims: { realm: "gold" } }]);
  });

  test("methods of JSON-RPC: all of a batch", async () => {
    const post = (body: string): Call => ({ method: "POST", body });
    await holds(
      when("request.jsonrpc.method", "eth_call", "net_*"),
      [post('{"jsonrpc":"2.0","method":"eth_call","id":1}'), post('[{"method":"eth_call"},{"method":"net_version"}]')],
      [
        post('{"jsonrpc":"2.0","method":"eth_send"}'),
        post('[{"method":"eth_call"},{"method":"eth_send"}]'),
        post('{"method":"eth_call","method":"eth_send"}'),
        post('{"params":{"method":"eth_call"}}'),
        post("not json"),
        {},
      ],
    );
  });

  test("a DENY that asks for a body it cannot read denies", async () => {
    const mesh = await meshWith({ limits: { requestBody: 100 }, ...one(when("request.jsonrpc.method", "admin_*"), "DENY") });
    const ask = (body: string): boolean => mesh.ask({ method: "POST", body }).allowed;
    assert.equal(ask('{"method":"eth_call"}'), true);
    assert.equal(ask('{"method":"\\u0061dmin_x"}'), false);
    assert.equal(ask("method=admin_x"), false);
    assert.equal(ask(`{"method":"eth_call","x":"${"x".repeat(100)}"}`), false);
    assert.equal(mesh.metric("denied.unknown"), 2);
    assert.equal(mesh.metric("body_limit"), 1);
    assert.match(mesh.ask({ method: "POST", body: "x" }).event?.event.reason ?? "", /policy shop\/test, rule 0, denies, since it cannot be evaluated/);
  });

  test("a body that trailers end is judged like any other", async () => {
    const mesh = await meshWith(one(when("request.jsonrpc.method", "admin_*"), "DENY"));
    const ask = (method: string): boolean => mesh.ask({ method: "POST", body: JSON.stringify({ method }), trailers: true }).allowed;
    assert.deepEqual([ask("eth_call"), ask("admin_x")], [true, false]);
  });

  test("operations and fields of GraphQL, through aliases and fragments", async () => {
    const post = (query: string): Call => ({ method: "POST", body: JSON.stringify({ query }) });
    await holds(
      when("request.graphql.rootField", "user", "users"),
      [
        post("{ user { id } }"),
        post('query Q($id: ID = "}") @live { user(id: $id, f: {a: [1]}) { friends { ...F } } } fragment F on User { salary }'),
        post("{ a: user { x } ... on Query { users } # admin\n }"),
        post('{ user(text: """ } \\""" { admin """) { id } }'),
        { path: "/graphql?query=%7Buser%7Bid%7D%7D" },
      ],
      [
        post("{ user: admin { id } }"),
        post("{ ...F } fragment F on Query { admin }"),
        post("{ ...A } fragment A on Query { ...B } fragment B on Query { admin }"),
        post("{ user } query B { admin }"),
        post("{ user "),
        post("{ user } }"),
        { path: "/graphql?query=%7Badmin%7D" },
        { method: "POST", body: '{"extensions":{"persistedQuery":{"sha256Hash":"x"}}}' },
      ],
    );
    await holds(when("request.graphql.type", "query"), [post("{ a }"), post("query { a }")], [post("mutation { a }"), post("query A { a } mutation B { b }")]);
    await holds(when("request.graphql.operation", "Good"), [post("query Good { a }")], [post("query Bad { a }"), post("{ a }")]);
    const mesh = await meshWith(one(when("request.graphql.field", "salary"), "DENY"));
    assert.equal(mesh.ask(post("{ user { name } }")).allowed, true);
    assert.equal(mesh.ask(post("{ user { pay: salary } }")).allowed, false);
    assert.equal(mesh.ask(post("{ user { ...F } } fragment F on User { salary }")).allowed, false);
  });

  test("rate limits by identity", async () => {
    const mesh = await meshWith({ policies: [policy({ from: [{ source: { namespaces: ["shop"] } }], rateLimit: { requests: 3, seconds: 60 } })] });
    const at = (seconds: number, peer = WEB): boolean => mesh.ask({ peer, time: new Date(1_800_000_000_000 + seconds * 1000) }).allowed;
    assert.deepEqual([at(0), at(0), at(0), at(0)], [true, true, true, false]);
    assert.equal(at(0, "spiffe://cluster.local/ns/shop/sa/api"), true, "another caller has its own allowance");
    assert.deepEqual([at(20), at(20)], [true, false]);
    assert.deepEqual([at(200), at(200), at(200), at(200)], [true, true, true, false]);
    assert.equal(mesh.metric("denied.rate"), 3);
    assert.match(mesh.ask({ peer: WEB }).event?.event.reason ?? "", /its rate is used up/);
  });
});

test("a request that is judged again with its body counts once", async () => {
  const limited = policy({ from: [{ source: { namespaces: ["shop"] } }], rateLimit: { requests: 2, seconds: 60 } });
  const trial = policy({ when: [{ key: "request.jsonrpc.method", values: ["x"] }] }, "DENY", { name: "trial", mode: "shadow" });
  const mesh = await meshWith({ policies: [limited, trial] });
  const ask = (): boolean => mesh.ask({ peer: WEB, method: "POST", body: '{"method":"y"}' }).allowed;
  assert.deepEqual([ask(), ask(), ask()], [true, true, false]);
});

describe("paths", () => {
  /** Each way around `/admin`, and the switch that closes it. */
  const WAYS: [string, string][] = [
    ["/public/../admin", "dotSegments"],
    ["/./admin", "dotSegments"],
    ["//admin", "mergeSlashes"],
    ["/%61dmin", "any"],
    ["/public%2f..%2fadmin", "escapedSlashes"],
    ["/public\\..\\admin", "escapedSlashes"],
    ["/%2561dmin", "doubleEncoding"],
    ["/%252561dmin", "doubleEncoding"],
    ["/admin;jsessionid=1", "parameters"],
    ["/admin%3Bx", "parameters"],
    ["/public/..;/admin", "parameters"],
    ["/ADMIN", "ignoreCase"],
  ];
  const OFF = { dotSegments: false, mergeSlashes: false, escapedSlashes: false, doubleEncoding: false, parameters: false, ignoreCase: false };
  const deny = one({ to: [{ operation: { paths: ["/admin"] } }] }, "DENY");

  for (const [path, option] of WAYS) {
    test(`${path} is /admin`, async () => {
      const plain = await meshWith({ ...deny, normalization: OFF });
      assert.equal(plain.ask({ path }).allowed, true, "without normalization it gets past, as with Envoy's own filter");
      const standard = await meshWith(deny);
      assert.equal(standard.ask({ path }).allowed, option === "ignoreCase");
      if (option === "any") return;
      const without = await meshWith({ ...deny, normalization: { [option]: option === "ignoreCase" } });
      assert.equal(without.ask({ path }).allowed, option !== "ignoreCase");
    });
    test(`${path} is not in /public`, async () => {
      const mesh = await meshWith({ ...one({ to: [{ operation: { paths: ["/public*"] } }] }), normalization: { ignoreCase: true } });
      assert.equal(mesh.ask({ path }).allowed, false);
    });
  }

  test("normalization never allows what the path as it came would not", async () => {
    const mesh = await meshWith(one({ to: [{ operation: { paths: ["/admin"] } }] }));
    for (const [path] of WAYS) assert.equal(mesh.ask({ path }).allowed, false, path);
  });

  test("values of policies may have any form", async () => {
    const mesh = await meshWith(one({ to: [{ operation: { paths: ["/a%2Fb", "/x;v=1", "/%41"] } }] }));
    for (const path of ["/a%2Fb", "/x;v=1", "/%41"]) assert.equal(mesh.ask({ path }).allowed, true, path);
    const denies = await meshWith(one({ to: [{ operation: { paths: ["/a%2Fb"] } }] }, "DENY"));
    for (const path of ["/a%2Fb", "/a%2fb", "/a/b"]) assert.equal(denies.ask({ path }).allowed, false, path);
  });
});

describe("modes", () => {
  const shadow = (rule: object, action: string): object => policy(rule, action, { mode: "shadow", name: "trial" });

  test("a shadow DENY lets pass, counts and says what it would do", async () => {
    const mesh = await meshWith({ policies: [shadow({ to: [{ operation: { methods: ["POST"] } }] }, "DENY")] });
    assert.equal(mesh.ask({ method: "GET" }).event, undefined);
    const { allowed, event } = mesh.ask({ method: "POST" });
    assert.equal(allowed, true);
    assert.equal(event?.event.action, "would_deny");
    assert.equal(event?.bailey.shadow?.policy?.name, "shop/trial");
    assert.equal(mesh.metric("would_deny"), 1);
    assert.equal(mesh.metric("policy.shop/trial"), 1);
  });

  test("a shadow ALLOW says what its implicit denial would be", async () => {
    const mesh = await meshWith({ policies: [shadow({ to: [{ operation: { methods: ["GET"] } }] }, "ALLOW")] });
    assert.equal(mesh.ask({ method: "GET" }).event, undefined);
    const { allowed, event } = mesh.ask({ method: "POST" });
    assert.equal(allowed, true);
    assert.equal(event?.event.action, "would_deny");
    assert.match(event?.event.reason ?? "", /no ALLOW policy matches; the nearest is policy shop\/trial, rule 0, which failed on to.operation.methods/);
  });

  test("a shadow ALLOW beside an enforced one says that it would allow", async () => {
    const mesh = await meshWith({
      policies: [policy({ to: [{ operation: { methods: ["GET"] } }] }), shadow({ to: [{ operation: { methods: ["POST"] } }] }, "ALLOW")],
    });
    const { allowed, event } = mesh.ask({ method: "POST" });
    assert.equal(allowed, false);
    assert.equal(event?.bailey.shadow?.action, "would_allow");
    assert.equal(mesh.ask({ method: "PUT" }).event?.bailey.shadow, undefined);
  });

  test("the mode of the plugin is that of policies which do not say theirs", async () => {
    const mesh = await meshWith({ mode: "shadow", ...one({}, "DENY") });
    assert.equal(mesh.ask().allowed, true);
    assert.equal(mesh.ask().event?.event.action, "would_deny");
  });

  test("and that of the default: nothing is denied, and what would be is said", async () => {
    for (const policies of [[], [policy({ to: [{ operation: { methods: ["GET"] } }] })]]) {
      const mesh = await meshWith({ mode: "shadow", default: "deny", policies });
      const { allowed, event } = mesh.ask({ method: "POST" });
      assert.equal(allowed, true);
      assert.equal(event?.event.action, "would_deny");
      assert.equal(mesh.ask({ method: "GET" }).event?.event.action, policies.length === 0 ? "would_deny" : undefined);
    }
    const enforced = await meshWith({ mode: "shadow", default: "deny", policies: [policy({}, "DENY", { mode: "enforce" })] });
    assert.equal(enforced.ask().allowed, false);
  });

  test("AUDIT decides nothing and is reported", async () => {
    const mesh = await meshWith({ policies: [policy({ to: [{ operation: { paths: ["/pay*"] } }] }, "AUDIT")] });
    assert.equal(mesh.ask({ path: "/" }).event, undefined);
    const { allowed, event } = mesh.ask({ path: "/pay/1" });
    assert.equal(allowed, true);
    assert.equal(event?.event.action, "audited");
    assert.deepEqual(event?.bailey.audited, ["shop/test"]);
  });
});

describe("reasons", () => {
  test("the client gets an id and no detail; the event has both", async () => {
    const mesh = await meshWith(one({}, "DENY"));
    const own = mesh.ask({ headers: [["x-request-id", "0af7651916cd43dd"]] });
    assert.equal(own.status, 403);
    assert.equal(own.body, "access denied, id 0af7651916cd43dd\n");
    const made = mesh.ask({ headers: [["x-request-id", "<script>"]] });
    const [, id] = /^access denied, id ([0-9a-f]{16})\n$/.exec(made.body) ?? [];
    assert.ok(id);
    assert.equal((made.event as unknown as { http: { request: { id: string } } }).http.request.id, id);
  });

  test("the nearest rule is the one of which the least fails", async () => {
    const rule = (principal: string, method: string, path: string): object => ({
      from: [{ source: { principals: [`cluster.local/ns/shop/sa/${principal}`] } }],
      to: [{ operation: { methods: [method], paths: [path] } }],
    });
    const mesh = await meshWith({
      policies: [policy(rule("api", "GET", "/a"), "ALLOW", { name: "far" }), policy(rule("web", "GET", "/a"), "ALLOW", { name: "near" })],
    });
    const { event } = mesh.ask({ peer: WEB, method: "POST", path: "/a" });
    assert.equal(event?.bailey.nearest?.name, "shop/near");
    assert.deepEqual(event?.bailey.nearest?.failed, [{ field: "to.operation.methods", found: "POST" }]);
    const other = mesh.ask({ peer: WEB, method: "POST", path: "/b" }).event?.bailey.nearest;
    assert.deepEqual(
      other?.failed.map(({ field }) => field),
      ["to.operation.methods", "to.operation.paths"],
    );
  });

  test("of rules of which as little fails, the nearest is the one of which the most holds", async () => {
    const claim = policy({ when: [{ key: "request.auth.claims[role]", values: ["admin"] }] }, "ALLOW", { name: "claim" });
    const specific = policy(
      { from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"] } }], to: [{ operation: { methods: ["GET"], paths: ["/a"] } }] },
      "ALLOW",
      { name: "specific" },
    );
    const mesh = await meshWith({ policies: [claim, specific] });
    assert.equal(mesh.ask({ peer: WEB, method: "POST", path: "/a" }).event?.bailey.nearest?.name, "shop/specific");
  });

  test("values of headers, queries and claims are not shown", async () => {
    const mesh = await meshWith(one({ when: [{ key: "request.headers[authorization]", values: ["x"] }] }));
    const { event } = mesh.ask({ headers: [["authorization", "secret"]] });
    assert.ok(!JSON.stringify(event).includes("secret"));
    assert.equal(event?.bailey.nearest?.failed[0]?.field, "when.request.headers[authorization]");
  });

  test("events are limited in number, and those left out are counted", async () => {
    const mesh = await meshWith({ events: { perSecond: 2 }, ...one({}, "DENY") });
    assert.equal([1, 2, 3, 4].filter(() => mesh.ask().event).length, 2);
    assert.equal(mesh.metric("events_dropped"), 2);
    assert.equal(mesh.metric("denied.policy"), 4);
  });
});

describe("identity and addresses", () => {
  test("no header makes an identity", async () => {
    await holds(
      { from: [{ source: { principals: ["*"] } }] },
      [{ peer: WEB }],
      [{ headers: [["x-forwarded-client-cert", `URI=${WEB}`]] }, { headers: [["connection.uri_san_peer_certificate", WEB]] }],
    );
  });

  test("the peer's address is unknown, not spoofed, where a header may have replaced it", async () => {
    const mesh = await meshWith(one({ from: [{ source: { ipBlocks: ["10.0.0.1"] } }] }, "DENY"));
    // without the address in filter state, as in an Envoy that does not keep it
    const ask = (headers: [string, string][], address: string): boolean => {
      const call = { headers, sourceIp: "", remoteIp: address };
      return mesh.ask(call).allowed;
    };
    assert.equal(ask([], "10.0.0.2"), true);
    assert.equal(ask([], "10.0.0.1"), false);
    assert.equal(ask([["x-forwarded-for", "10.0.0.2"]], "10.0.0.2"), false);
    assert.equal(mesh.metric("denied.unknown"), 1);
  });

  test("an attribute that the host fails to give: a DENY denies, an ALLOW does not allow", async () => {
    const cases: [object, string][] = [
      [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"] } }] }, "connection.uri_san_peer_certificate"],
      [{ from: [{ source: { namespaces: ["shop"] } }] }, "connection.uri_san_peer_certificate"],
      [{ from: [{ source: { remoteIpBlocks: ["192.0.2.1"] } }] }, "source.address"],
      [{ from: [{ source: { ipBlocks: ["192.0.2.1"] } }] }, "filter_state.bailey.peer_address"],
      [{ from: [{ source: { requestPrincipals: ["*"] } }] }, "metadata"],
      [{ to: [{ operation: { ports: ["80"] } }] }, "destination.address"],
      [when("connection.sni", "a.example"), "connection.requested_server_name"],
    ];
    for (const [rule, name] of cases) {
      const call = { peer: WEB, sni: "a.example", claims: { iss: "a", sub: "b" }, failing: [name] };
      assert.equal((await meshWith(one(rule))).ask({ ...call, failing: [] }).allowed, true, name);
      assert.equal((await meshWith(one(rule))).ask(call).allowed, false, name);
      const { allowed, event } = (await meshWith(one(rule, "DENY"))).ask(call);
      assert.equal(allowed, false, name);
      assert.match(event?.event.reason ?? "", /denies, since it cannot be evaluated$/);
    }
  });

  test("trust domains and their aliases", async () => {
    const rule = { from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"] } }] };
    const mesh = await meshWith({ trustDomain: "new.example", trustDomainAliases: ["old.example"], ...one(rule) });
    const as = (domain: string): boolean => mesh.ask({ peer: `spiffe://${domain}/ns/shop/sa/web` }).allowed;
    assert.deepEqual([as("new.example"), as("old.example"), as("cluster.local"), as("other.example")], [true, true, false, false]);
  });
});

describe("without HTTP", () => {
  test("a rule of an ALLOW that asks for HTTP goes, one of a DENY holds without asking", async () => {
    const rule = { from: [{ source: { namespaces: ["shop"] } }], to: [{ operation: { methods: ["GET"] } }] };
    const allow = await meshWith(one(rule), true);
    assert.equal(allow.ask({ peer: WEB }).allowed, false);
    const deny = await meshWith(one(rule, "DENY"), true);
    assert.equal(deny.ask({ peer: WEB }).allowed, false);
    assert.equal(deny.ask({ peer: "spiffe://cluster.local/ns/bank/sa/web" }).allowed, true);
  });
});

/** Listed in docs/policies.md; the normalization of paths is above. */
describe("differences to Istio", () => {
  test("a workload in a namespace called `ns` is not in one called `sa`", async () => {
    // Istio looks for /ns/sa/ anywhere in spiffe://cluster.local/ns/ns/sa/web
    const peer = "spiffe://cluster.local/ns/ns/sa/web";
    const from = (namespace: string): object => one({ from: [{ source: { namespaces: [namespace] } }] });
    assert.equal((await meshWith(from("sa"))).ask({ peer }).allowed, false);
    assert.equal((await meshWith(from("ns"))).ask({ peer }).allowed, true);
  });

  test("a DENY without anything to evaluate it by denies", async () => {
    const mesh = await meshWith(one({ from: [{ source: { ipBlocks: ["10.0.0.0/8"] } }] }, "DENY"));
    assert.equal(mesh.ask({ sourceIp: "192.0.2.1" }).allowed, true);
    assert.equal(mesh.ask({ sourceIp: "192.0.2.1", failing: ["filter_state.bailey.peer_address"] }).allowed, false);
  });
});

describe("many policies", () => {
  test("5,000 of them decide like one", async () => {
    const policies = Array.from({ length: 5000 }, (_, i) =>
      policy(
        {
          from: [{ source: { principals: [`cluster.local/ns/team-${i % 50}/sa/service-${i}`] } }],
          to: [{ operation: { methods: ["GET"], paths: [`/service-${(i * 7) % 5000}/*`] } }],
        },
        "ALLOW",
        { name: `policy-${i}` },
      ),
    );
    const mesh = await meshWith({ policies, events: { decisions: "all" } });
    for (const i of [0, 1, 4999, 2500]) {
      const peer = `spiffe://cluster.local/ns/team-${i % 50}/sa/service-${i}`;
      const { allowed, event } = mesh.ask({ peer, path: `/service-${(i * 7) % 5000}/x` });
      assert.equal(allowed, true);
      assert.equal(event?.bailey.policy?.name, `shop/policy-${i}`);
      const denied = mesh.ask({ peer, path: `/service-${(i * 7 + 1) % 5000}/x` });
      assert.equal(denied.allowed, false);
      assert.equal(denied.event?.bailey.nearest?.name, `shop/policy-${i}`);
    }
  });

  test("memory stays what it was, over configurations and over requests", async () => {
    const policies = Array.from({ length: 500 }, (_, i) =>
      policy(
        { from: [{ source: { principals: [`cluster.local/ns/shop/sa/s${i}`] } }], when: [{ key: "request.jsonrpc.method", matches: [`m${i}[a-z]+`] }] },
        "ALLOW",
        {
          name: `p${i}`,
        },
      ),
    );
    const mesh = await meshWith({ policies });
    const work = (): void => {
      for (let i = 0; i < 20; i++) assert.equal(mesh.reconfigure({ policies, events: { perSecond: i } }), undefined);
      for (let i = 0; i < 20; i++) assert.notEqual(mesh.reconfigure({ limits: { requestBody: -i } }), undefined);
      for (let i = 0; i < 500; i++)
        mesh.ask({ peer: `spiffe://cluster.local/ns/shop/sa/s${i}`, body: `{"method":"m${i}x${"y".repeat((i * 97) % 60000)}"}`, method: "POST" });
    };
    work();
    const before = mesh.memory();
    for (let i = 0; i < 10; i++) work();
    assert.equal(mesh.memory(), before);
  });
});
