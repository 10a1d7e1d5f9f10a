/** What the firewall tells the mesh, and quarantine for who sends attacks. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outcome } from "../../cli/host/exchange.ts";
import { meshWith } from "../policies/node.ts";
import { filterWith, SQLI } from "./node.ts";

const HEADER = "x-bailey-edge";
const WEB = "spiffe://cluster.local/ns/shop/sa/web";
const send = { findings: { header: "send" } };

function findings({ forwarded }: Outcome): string[] {
  return forwarded.filter(([name]) => name === HEADER).map(([, value]) => value);
}

describe("findings", () => {
  test("a header that a client made up goes, whatever is configured, but on a sidecar", async () => {
    const headers: [string, string][] = [
      [HEADER, "inspected=full"],
      ["X-Bailey-Edge", "score=0"],
    ];
    for (const config of [{}, { mode: "enforce" }, { sampling: 0 }, { findings: { header: "remove" } }]) {
      const { send, metric } = await filterWith(config);
      assert.deepEqual(findings(send({ headers })), [], JSON.stringify(config));
      assert.equal(metric("findings.removed"), 1);
    }
    const sidecar = await filterWith({ findings: { header: "pass" } });
    assert.deepEqual(findings(sidecar.send({ headers })), ["inspected=full", "score=0"]);
  });

  test("score, rules and client of what passes", async () => {
    const filter = await filterWith({ ...send, mode: "enforce" });
    assert.deepEqual(findings(filter.send({ headers: [[HEADER, "inspected=no"]] })), ['inspected=full, score=0, threshold=5, client="192.0.2.1"']);
    assert.deepEqual(findings(filter.send({ host: "192.0.2.80" })), ['inspected=full, score=3, threshold=5, rules=(920350), client="192.0.2.1"']);
    const watching = await filterWith({ ...send, mode: "detect", thresholds: { inbound: 7 } });
    const [value = ""] = findings(watching.send({ path: SQLI }));
    assert.match(value, /^inspected=full, score=5, threshold=7, rules=\((\d+ )*942100( \d+)*\), client="192\.0\.2\.1"$/);
    assert.deepEqual(findings(filter.send({ path: SQLI })), [], "what is blocked goes nowhere");
  });

  test("a body counts only where headers wait for it", async () => {
    const form: [string, string] = ["Content-Type", "application/x-www-form-urlencoded"];
    const body = "a=<script>alert(1)</script>";
    const going = await filterWith(send);
    assert.match(findings(going.send({ headers: [form], body }))[0] ?? "", /^inspected=headers, score=0/);
    const holding = await filterWith({ ...send, host: { holdHeaders: true } });
    assert.match(findings(holding.send({ headers: [form], body }))[0] ?? "", /^inspected=full, score=20, threshold=5, rules=\(941100 /);
    const short = await filterWith({ ...send, host: { holdHeaders: true }, limits: { requestBody: 10, requestBodyAction: "partial" } });
    assert.match(findings(short.send({ headers: [form], body }))[0] ?? "", /^inspected=partial, score=/);
  });

  test("a compressed body was not looked at, and past a cap not everything was", async () => {
    const form: [string, string] = ["Content-Type", "application/x-www-form-urlencoded"];
    const filter = await filterWith({ ...send, mode: "detect", host: { holdHeaders: true }, limits: { arguments: 3 } });
    assert.match(findings(filter.send({ headers: [form, ["Content-Encoding", "gzip"]], body: "x" }))[0] ?? "", /^inspected=headers, /);
    assert.match(findings(filter.send({ headers: [form], body: "a=1&b=2&c=3&d=4" }))[0] ?? "", /^inspected=partial, /);
    assert.match(findings(filter.send({ headers: [["Cookie", "a=1; b=2; c=3; d=4"]] }))[0] ?? "", /^inspected=partial, /);
  });

  test("what was not looked at says so", async () => {
    assert.deepEqual(findings((await filterWith({ ...send, sampling: 0 })).send()), ["inspected=no"]);
    const off = await filterWith({ ...send, rules: { before: ['SecAction "id:1,phase:1,pass,nolog,ctl:ruleEngine=Off"'] } });
    assert.match(findings(off.send())[0] ?? "", /^inspected=no, score=0/);
  });

  test("where headers cannot be read, a request that passes all the same was not inspected", async () => {
    const forged = { headers: [[HEADER, "inspected=full"] as [string, string]], failing: ["map.0"] };
    const closed = await filterWith({ ...send, mode: "enforce" });
    assert.equal(closed.send(forged).status, 500);
    const open = await filterWith({ ...send, mode: "enforce", failure: "open" });
    const outcome = open.send(forged);
    assert.equal(outcome.status, undefined);
    assert.equal(outcome.events[0]?.event.action, "error");
    assert.match(findings(outcome).join(), /^inspected=no/);
  });

  test("the user of a verified token, if that is wanted", async () => {
    const claims = { iss: "https://id.example", sub: "ann" };
    assert.doesNotMatch(findings((await filterWith(send)).send({ claims }))[0] ?? "", /user/);
    const filter = await filterWith({ findings: { header: "send", user: true } });
    assert.match(findings(filter.send({ claims }))[0] ?? "", /, user=%"https:\/\/id\.example\/ann"$/);
    assert.doesNotMatch(findings(filter.send({ claims: { iss: "x" } }))[0] ?? "", /user/);
  });

  test("more rules than are listed: the mesh cannot know all of them", async () => {
    const rules = Array.from({ length: 70 }, (_, i) => `SecAction "id:${i + 1},phase:1,pass,log,msg:'x'"`);
    const filter = await filterWith({ ...send, crs: false, rules: { before: rules } });
    const [value = ""] = findings(filter.send());
    assert.match(value, /, rules=\(1 2 .* 64\), more, client=/);
  });

  test("the mesh filter understands what the firewall writes", async () => {
    const gateway = "spiffe://cluster.local/ns/istio-system/sa/gateway";
    const when = [
      { key: "edge.inspected", values: ["full"] },
      { key: "edge.score", values: ["3"] },
      { key: "edge.rule", values: ["920350"] },
      { key: "edge.client", values: ["2001:db8::/32"] },
      { key: "edge.user", values: ["https://id.example/\u00e4nn"] },
    ];
    const mesh = await meshWith({ policies: [{ name: "a", spec: { rules: [{ when }] } }], edge: { gateways: [gateway.slice("spiffe://".length)] } });
    const filter = await filterWith({ findings: { header: "send", user: true } });
    const claims = { iss: "https://id.example", sub: "\u00e4nn" };
    const { forwarded } = filter.send({ host: "192.0.2.80", client: "[2001:db8::7]:4711", claims });
    assert.equal(mesh.ask({ peer: gateway, headers: forwarded.filter(([name]) => !name.startsWith(":")) }).allowed, true);
  });

  test("costs one host call, and with the user another", async () => {
    const calls = async (config: object): Promise<number> => {
      const { send } = await filterWith({ mode: "enforce", ...config });
      send();
      return send().hostCalls;
    };
    const plain = await calls({});
    assert.equal(await calls(send), plain + 1);
    assert.equal(await calls({ findings: { header: "send", user: true } }), plain + 2);
  });
});

describe("quarantine", () => {
  test("who sends attacks gets no answer any more: by identity on a sidecar", async () => {
    const { send, metric } = await filterWith({ mode: "enforce", quarantine: { violations: 3, except: ["cluster.local/ns/istio-system/sa/gateway"] } });
    for (const peer of ["spiffe://cluster.local/ns/istio-system/sa/gateway", undefined]) {
      for (let i = 0; i < 4; i++) send({ path: SQLI, ...(peer !== undefined && { peer }) });
      assert.equal(send(peer === undefined ? {} : { peer }).status, undefined, peer ?? "no identity");
    }
    send({ path: SQLI, peer: WEB });
    assert.equal(send({ path: SQLI, peer: WEB }).events[0]?.bailey.quarantine, undefined);
    const last = send({ path: SQLI, peer: WEB }).events[0];
    assert.equal(last?.bailey.peer, WEB);
    assert.equal(last?.bailey.quarantine?.begins, true);
    const refused = send({ peer: WEB });
    assert.equal(refused.status, 403);
    assert.equal(refused.events[0]?.event.reason, "the caller is in quarantine");
    assert.equal(refused.events[0]?.bailey.quarantine?.begins, false);
    assert.equal(send({ peer: "spiffe://cluster.local/ns/shop/sa/api" }).status, undefined);
    assert.deepEqual([metric("quarantined"), metric("blocked.quarantine")], [1, 1]);
  });

  test("by address at the edge; a response that leaks is not the client's doing", async () => {
    const { send } = await filterWith({ mode: "enforce", quarantine: { violations: 2, by: "remote.ip" } });
    const leak = {
      status: 200,
      headers: [["content-type", "text/html"] as [string, string]],
      body: Buffer.from("<p>You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version</p>"),
    };
    const outcomes = Array.from({ length: 3 }, () => send({ client: "192.0.2.5:1", response: leak }).status);
    assert.ok(outcomes.every((status) => status === 403));
    assert.equal(send({ client: "192.0.2.5:2" }).status, undefined);
    for (let i = 0; i < 2; i++) send({ path: SQLI, client: `192.0.2.5:${i}` });
    assert.equal(send({ client: "192.0.2.5:3" }).status, 403);
    assert.equal(send({ client: "192.0.2.6:3" }).status, undefined);
  });

  test("while only reporting, it only reports", async () => {
    const { send } = await filterWith({ mode: "detect", quarantine: { violations: 1, by: "remote.ip" } });
    assert.equal(send({ path: SQLI }).events[0]?.bailey.quarantine?.begins, true);
    assert.equal(send().status, undefined);
  });
});
