/** Policies about what the gateway found, and quarantine for callers that are denied too often. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Call } from "../../cli/host/mesh.ts";
import { meshWith, one, policy, WEB } from "./node.ts";

const GATEWAY = "spiffe://cluster.local/ns/istio-system/sa/gateway";
const edge = { gateways: ["cluster.local/ns/istio-system/sa/gateway"] };
const HEADER = "x-bailey-edge";
const FULL = 'inspected=full, score=3, threshold=5, rules=(920350 942100), client="192.0.2.7", user=%"https://id.example/ann"';

/** A call of the gateway with these findings. */
const found = (findings = FULL, rest: Call = {}): Call => ({ peer: GATEWAY, ...rest, headers: [[HEADER, findings], ...(rest.headers ?? [])] });

/** Checks that an ALLOW with a condition holds for some findings of the gateway and not for others. */
async function holds(condition: object, yes: string[], no: string[]): Promise<void> {
  const mesh = await meshWith({ ...one({ when: [condition] }), edge });
  assert.equal(mesh.refused, undefined);
  for (const findings of yes) assert.equal(mesh.ask(found(findings)).allowed, true, `must hold for ${findings}`);
  for (const findings of no) assert.equal(mesh.ask(found(findings)).allowed, false, `must not hold for ${findings}`);
}

describe("what the gateway found", () => {
  test("edge.inspected", async () => {
    await holds({ key: "edge.inspected", values: ["full", "partial"] }, [FULL, "inspected=partial"], ["inspected=headers", "inspected=no", "score=1"]);
  });

  test("edge.score, with bounds and ranges", async () => {
    await holds({ key: "edge.score", values: ["<5"] }, [FULL, "score=0"], ["score=5", "inspected=full"]);
    await holds({ key: "edge.score", values: ["0", "3-4"] }, ["score=0", "score=3", "score=4"], ["score=1", "score=5"]);
    await holds({ key: "edge.score", notValues: [">=5"] }, [FULL, "inspected=no"], ["score=5"]);
  });

  test("edge.rule: an ALLOW asks that all fit", async () => {
    await holds({ key: "edge.rule", notValues: ["942*"] }, ["rules=(920350)", "inspected=full"], [FULL]);
    await holds({ key: "edge.rule", matches: ["920..."] }, ["rules=(920350)"], [FULL, "inspected=full", "rules=(920350), more"]);
  });

  test("edge.rule: a DENY that one does, and one that cannot know denies", async () => {
    const mesh = await meshWith({ ...one({ when: [{ key: "edge.rule", values: ["942*"] }] }, "DENY"), edge });
    assert.equal(mesh.ask(found()).allowed, false);
    assert.equal(mesh.ask(found("rules=(920350)")).allowed, true);
    assert.equal(mesh.ask(found("rules=(920350), more")).allowed, false);
  });

  test("edge.client and edge.user", async () => {
    await holds({ key: "edge.client", values: ["192.0.2.0/24"] }, [FULL], ['client="198.51.100.1"', "inspected=full"]);
    await holds({ key: "edge.user", values: ["https://id.example/*"] }, [FULL], ['user=%"https://other.example/ann"', "inspected=full"]);
  });

  test("only a gateway is believed, and from anyone else the header is taken away", async () => {
    const mesh = await meshWith({ ...one({ when: [{ key: "edge.inspected", values: ["full"] }] }), edge });
    const accepted = mesh.ask(found());
    assert.equal(accepted.allowed, true);
    assert.equal(accepted.forwarded.find(([name]) => name === HEADER)?.[1], FULL, "the service may read it");
    for (const peer of [WEB, "spiffe://cluster.local/ns/istio-system/sa/gateway2", "spiffe://other.example/ns/istio-system/sa/gateway", undefined]) {
      const answer = mesh.ask({ ...found(), ...(peer === undefined ? { peer: "" } : { peer }) });
      assert.equal(answer.allowed, false, peer ?? "plaintext");
      assert.deepEqual(answer.event?.bailey.edge, { ignored: "not from a gateway" });
    }
    assert.equal(mesh.metric("findings.removed"), 4);
    const lenient = await meshWith({ edge });
    assert.deepEqual(
      lenient.ask({ ...found(FULL, { headers: [[HEADER, "score=0"]] }), peer: WEB }).forwarded.filter(([name]) => name === HEADER),
      [],
    );
  });

  test("without gateways nobody is believed", async () => {
    const mesh = await meshWith(one({ when: [{ key: "edge.inspected", values: ["full"] }] }));
    const answer = mesh.ask(found());
    assert.equal(answer.allowed, false);
    assert.deepEqual(
      answer.forwarded.filter(([name]) => name === HEADER),
      [],
    );
  });

  test("what is malformed, or comes twice, is unknown: it denies, and is said", async () => {
    const mesh = await meshWith({ ...one({ when: [{ key: "edge.score", values: [">=5"] }] }, "DENY"), edge });
    assert.equal(mesh.ask(found()).allowed, true);
    for (const call of [found("score=x"), found(FULL, { headers: [[HEADER, FULL]] }), { ...found(), failing: ["connection.uri_san_peer_certificate"] }]) {
      const answer = mesh.ask(call);
      assert.equal(answer.allowed, false);
      assert.match(answer.event?.event.reason ?? "", /since it cannot be evaluated/);
    }
    assert.deepEqual(mesh.ask(found("score=x")).event?.bailey.edge, { ignored: "malformed" });
    assert.equal(mesh.metric("findings.malformed"), 3);
    assert.equal(mesh.metric("denied.unknown"), 4);
  });

  test("where headers cannot be read they are taken away all the same, if the request passes at all", async () => {
    for (const failure of ["open", "closed"]) {
      const mesh = await meshWith({ edge, failure });
      const answer = mesh.ask({ ...found(), peer: WEB, failing: ["map.0"] });
      assert.equal(answer.allowed, failure === "open");
      assert.equal(answer.event?.event.action, "error");
      if (answer.allowed)
        assert.deepEqual(
          answer.forwarded.filter(([name]) => name === HEADER),
          [],
        );
    }
  });

  test("the event has them, and the nearest rule says what was missing", async () => {
    const mesh = await meshWith({ ...one({ when: [{ key: "edge.inspected", values: ["full"] }] }), edge });
    const { event } = mesh.ask(found('inspected=headers, score=0, threshold=5, client="192.0.2.7"'));
    assert.deepEqual(event?.bailey.edge, { inspected: "headers", score: 0, client: "192.0.2.7" });
    assert.deepEqual(event?.bailey.nearest?.failed, [{ field: "when.edge.inspected", found: "headers" }]);
  });

  test("without the header nothing is asked of the host for it", async () => {
    const mesh = await meshWith({ edge });
    mesh.ask();
    const plain = mesh.ask({ peer: WEB }).hostCalls;
    assert.equal(mesh.ask({ peer: WEB, headers: [["x-other-edgy", "1"]] }).hostCalls, plain);
    assert.ok(plain <= 3, String(plain));
  });
});

describe("quarantine", () => {
  const deny = policy({ to: [{ operation: { paths: ["/admin*"] } }] }, "DENY");
  const config = { policies: [deny], quarantine: { violations: 3, seconds: 60, duration: 600, except: ["cluster.local/ns/shop/sa/scanner"] }, edge };
  const at = (seconds: number): Date => new Date(1_790_000_000_000 + seconds * 1000);
  const ask = { path: "/items" };

  test("who is denied too often gets no answer for a while", async () => {
    const mesh = await meshWith(config);
    const attack = (seconds: number): ReturnType<typeof mesh.ask> => mesh.ask({ peer: WEB, path: "/admin", time: at(seconds) });
    assert.equal(attack(0).event?.bailey.quarantine, undefined);
    attack(1);
    assert.equal(mesh.ask({ peer: WEB, time: at(2), ...ask }).allowed, true);
    assert.deepEqual(attack(3).event?.bailey.quarantine, { begins: true, until: at(603).toISOString() });
    const refused = mesh.ask({ peer: WEB, time: at(602), ...ask });
    assert.equal(refused.status, 403);
    assert.equal(refused.event?.event.reason, "the caller is in quarantine");
    assert.deepEqual(refused.event?.bailey.quarantine, { begins: false, until: at(603).toISOString() });
    assert.equal(mesh.ask({ peer: "spiffe://cluster.local/ns/shop/sa/api", time: at(5), ...ask }).allowed, true, "others are not concerned");
    assert.equal(mesh.ask({ peer: WEB, time: at(604), ...ask }).allowed, true);
    assert.equal(mesh.metric("quarantined"), 1);
    assert.equal(mesh.metric("denied.quarantine"), 1);
  });

  test("what lies longer ago does not count", async () => {
    const mesh = await meshWith(config);
    for (const seconds of [0, 1, 61, 62]) mesh.ask({ peer: WEB, path: "/admin", time: at(seconds) });
    assert.equal(mesh.ask({ peer: WEB, time: at(63), ...ask }).allowed, true);
  });

  test("gateways, and who is excepted, never get into it; neither does who has no identity", async () => {
    const mesh = await meshWith(config);
    for (const peer of [GATEWAY, "spiffe://cluster.local/ns/shop/sa/scanner", ""]) {
      for (let i = 0; i < 5; i++) assert.equal(mesh.ask({ peer, path: "/admin", time: at(i) }).allowed, false);
      assert.equal(mesh.ask({ peer, time: at(6), ...ask }).allowed, true, peer);
    }
  });

  test("by address, and for connections without HTTP", async () => {
    const mesh = await meshWith({ ...config, quarantine: { violations: 1, by: "remote.ip" } });
    mesh.ask({ remoteIp: "192.0.2.9", path: "/admin", time: at(0) });
    assert.equal(mesh.ask({ remoteIp: "192.0.2.9", time: at(1), ...ask }).allowed, false);
    assert.equal(mesh.ask({ remoteIp: "192.0.2.8", time: at(1), ...ask }).allowed, true);
    const tcp = await meshWith({ policies: [policy({ to: [{ operation: { ports: ["5432"] } }] }, "DENY")], quarantine: { violations: 1 } }, true);
    assert.equal(tcp.ask({ peer: WEB, destinationPort: 80, time: at(0) }).allowed, true);
    assert.equal(tcp.ask({ peer: WEB, destinationPort: 5432, time: at(0) }).allowed, false);
    assert.equal(tcp.ask({ peer: WEB, destinationPort: 80, time: at(1) }).allowed, false);
  });

  test("it outlives another configuration, and a used-up rate is no violation", async () => {
    const limited = policy({ rateLimit: { requests: 1, seconds: 60 } });
    const mesh = await meshWith({ policies: [limited], quarantine: { violations: 2 } });
    for (let i = 0; i < 5; i++) mesh.ask({ peer: WEB, time: at(0), ...ask });
    assert.equal(mesh.metric("denied.quarantine"), 0);
    assert.equal(mesh.reconfigure(config), undefined);
    for (let i = 0; i < 3; i++) mesh.ask({ peer: WEB, path: "/admin", time: at(10) });
    assert.equal(mesh.reconfigure({ ...config, policies: [] }), undefined);
    assert.equal(mesh.ask({ peer: WEB, time: at(11), ...ask }).allowed, false);
    assert.equal(mesh.reconfigure({ policies: [] }), undefined);
    assert.equal(mesh.ask({ peer: WEB, time: at(12), ...ask }).allowed, true, "without the key nobody is in quarantine");
  });

  test("a mode that only reports puts nobody into it", async () => {
    const mesh = await meshWith({ ...config, mode: "shadow" });
    for (let i = 0; i < 5; i++) mesh.ask({ peer: WEB, path: "/admin", time: at(0) });
    assert.equal(mesh.metric("quarantined"), 0);
  });
});
