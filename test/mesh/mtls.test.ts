/** Authorization between two sidecars with mutual TLS: who is let through, and what the others are told. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MeshEvent } from "../../cli/host/mesh.ts";
import { bailey } from "../cli/bailey.ts";
import { waitFor } from "../e2e/fixture.ts";
import { type Caller, Sidecars, spiffe } from "./sidecars.ts";

const fromWeb = { from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"] } }] };
const POLICIES = {
  policies: [
    {
      name: "web",
      namespace: "shop",
      spec: {
        rules: [
          { ...fromWeb, to: [{ operation: { methods: ["GET"], paths: ["/items/*"] } }] },
          { ...fromWeb, when: [{ key: "request.grpc.service", values: ["shop.Items"] }] },
          { ...fromWeb, when: [{ key: "request.jsonrpc.method", values: ["list"] }] },
        ],
      },
    },
  ],
  host: { holdHeaders: true },
};
/** Without HTTP only who calls counts. */
const CALLERS_ONLY = { policies: [{ name: "web", namespace: "shop", spec: { rules: [fromWeb] } }] };

describe("two sidecars with mutual TLS", () => {
  let sidecars: Sidecars;
  before(async () => {
    sidecars = await Sidecars.start(POLICIES);
  });
  after(() => sidecars.stop());

  /** Gives the event of the next denial. */
  const nextEvent = async (from: number): Promise<MeshEvent> => waitFor(() => sidecars.events[from], "the event of a denial");

  test("the caller that a policy allows is served", async () => {
    const answer = await sidecars.call("web", { path: "/items/1" });
    assert.deepEqual([answer.status, answer.body], [200, "served"]);
    assert.deepEqual(sidecars.served, ["GET /items/1"]);
  });

  test("what no policy allows it is denied, with an id and no detail, and the event says why", async () => {
    const seen = sidecars.events.length;
    const answer = await sidecars.call("web", { path: "/admin", headers: { "x-request-id": "case-1" } });
    assert.equal(answer.status, 403);
    const id = /^access denied, id (\S+)\n$/.exec(answer.body)?.[1];
    assert.ok(id, answer.body);
    const event = await nextEvent(seen);
    assert.equal((event as unknown as { http: { request: { id: string } } }).http.request.id, id);
    assert.equal(event.bailey.peer, spiffe("web"));
    assert.deepEqual(event.bailey.nearest?.failed, [{ field: "to.operation.paths", found: "/admin" }]);
    assert.equal(sidecars.served.includes("GET /admin"), false);
  });

  const STRANGERS: [Caller, string, string | null][] = [
    ["api", "another identity of the same mesh", spiffe("api")],
    ["twofold", "a certificate with another identity before the allowed one", spiffe("api")],
    ["anonymous", "TLS without a certificate", null],
    ["plaintext", "plaintext", null],
  ];
  for (const [caller, what, peer] of STRANGERS) {
    test(`${what} is denied`, async () => {
      const seen = sidecars.events.length;
      assert.equal((await sidecars.call(caller, { path: "/items/1" })).status, 403);
      const event = await nextEvent(seen);
      assert.equal(event.bailey.peer, peer);
      assert.equal(event.bailey.nearest?.failed[0]?.field, "from.source.principals");
    });
  }

  test("a certificate of another authority gets no connection, whatever it says", async () => {
    const seen = sidecars.served.length;
    const answer = await sidecars.call("foreign", { path: "/items/1" });
    assert.equal(answer.status, 503);
    assert.equal(sidecars.served.length, seen);
  });

  test("headers that claim an identity change nothing", async () => {
    const headers = { "x-forwarded-client-cert": `By=${spiffe("server")};URI=${spiffe("web")}`, "x-forwarded-for": "127.0.0.1" };
    assert.equal((await sidecars.call("api", { path: "/items/1", headers })).status, 403);
    assert.equal((await sidecars.call("plaintext", { path: "/items/1", headers })).status, 403);
  });

  test("gRPC is allowed by service, and denied as PERMISSION_DENIED with an id", async () => {
    assert.deepEqual(await sidecars.grpc("web", "/shop.Items/List"), { status: "0", message: "" });
    const { status, message } = await sidecars.grpc("api", "/shop.Items/List");
    assert.equal(status, "7");
    assert.match(message, /^access denied, id [0-9a-f-]+$/);
  });

  test("a rule about the body decides when it has come, and not before", async () => {
    const post = async (method: string): Promise<number> =>
      (await sidecars.call("web", { method: "POST", path: "/rpc", body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }) })).status;
    assert.equal(await post("list"), 200);
    assert.equal(await post("delete"), 403);
    assert.equal(sidecars.served.filter((line) => line === "POST /rpc").length, 1, "what is denied never reaches the server");
  });

  test("bailey doctor sees it in Envoy", async () => {
    const { code, stdout } = await bailey(["doctor", "--admin", sidecars.admin]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok: bailey: enforce, 1 policies, allow by default, \d+ requests seen$/m);
  });

  test("counters tell decisions apart", async () => {
    assert.ok((await sidecars.metric("requests")) >= 10);
    assert.ok((await sidecars.metric("denied.default")) >= 5);
    assert.ok((await sidecars.metric("policy.shop/web")) >= 3);
  });

  test("a bad policy is refused with its place, and the last good one stays", async () => {
    const seen = sidecars.logs.length;
    const bad = { policies: [{ name: "bad", spec: { rules: [{ to: [{ operation: { ports: ["http"] } }] }] } }] };
    await sidecars.configure(bad);
    const line = await waitFor(() => sidecars.logs.slice(seen).find((text) => text.includes("policies[0]")), "the refusal");
    assert.match(line, /^pluginConfig\.policies\[0\]\.spec\.rules\[0\]\.to\[0\]\.operation\.ports\[0\]: found `http`, expected a port/);
    assert.equal((await sidecars.call("web", { path: "/items/1" })).status, 200);
    assert.equal((await sidecars.call("api", { path: "/items/1" })).status, 403);
  });

  test("new policies are taken up while calls go on, and none fails", async () => {
    let running = true;
    const statuses = new Set<number>();
    const load = async (): Promise<void> => {
      while (running) statuses.add((await sidecars.call("web", { path: "/items/1" })).status);
    };
    const loads = [load(), load()];
    const seen = sidecars.logs.length;
    await sidecars.configure({ ...CALLERS_ONLY, host: { holdHeaders: true } });
    await waitFor(() => (sidecars.logs.slice(seen).filter((text) => text === "bailey mesh: configured").length >= 2 ? true : undefined), "the new policies");
    running = false;
    await Promise.all(loads);
    assert.deepEqual([...statuses], [200]);
    assert.equal((await sidecars.call("web", { path: "/admin" })).status, 200);
  });

  test("a connection without HTTP is echoed to the caller that is allowed, and closed to the others", async () => {
    assert.equal(await sidecars.say("web", "hello"), "hello");
    for (const caller of ["api", "anonymous", "plaintext", "foreign"] as const) assert.equal(await sidecars.say(caller, "hello"), "", caller);
  });
});
