/** Who is put into quarantine by what proxies report. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Offenders } from "../../cli/cluster/offenders.ts";
import { bailey, file } from "./bailey.ts";

const WEB = "cluster.local/ns/shop/sa/web";
const start = Date.parse("2026-11-20T08:00:00Z");

function line(seconds: number, rest: { peer?: string | null; action?: string; module?: string; reason?: string; bailey?: object } = {}): string {
  const { peer = `spiffe://${WEB}`, action = "denied", module = "mesh", reason, bailey: more } = rest;
  const event = { "@timestamp": new Date(start + seconds * 1000).toISOString(), event: { action, module, reason }, bailey: { peer, ...more } };
  return `wasm log x: ${JSON.stringify(event)} thread=1`;
}

const take = (offenders: Offenders, lines: string[]): (string | undefined)[] => lines.map((one) => offenders.take(one));
const threshold = { violations: 3, seconds: 60, except: ["cluster.local/ns/istio-system/sa/gateway"] };

describe("offenders", () => {
  test("so many in so many seconds, over all proxies", () => {
    assert.deepEqual(take(new Offenders(threshold), [line(0), line(30), line(59)]), [undefined, undefined, WEB]);
    assert.deepEqual(take(new Offenders(threshold), [line(0), line(30), line(61), line(62)]), [undefined, undefined, undefined, WEB]);
  });

  test("each caller by itself; gateways, and who has no identity, never", () => {
    const api = { peer: "spiffe://cluster.local/ns/shop/sa/api" };
    assert.deepEqual(take(new Offenders(threshold), [line(0), line(0, api), line(1), line(1, api)]), Array(4).fill(undefined));
    const gateway = { peer: "spiffe://cluster.local/ns/istio-system/sa/gateway" };
    assert.deepEqual(
      take(
        new Offenders(threshold),
        [0, 1, 2, 3].flatMap((i) => [line(i, gateway), line(i, { peer: null })]),
      ),
      Array(8).fill(undefined),
    );
  });

  test("attacks in requests count; leaks in responses, used-up rates, shadow and what quarantine refuses do not", () => {
    const ngfw = (phase: number) => ({ module: "ngfw", action: "blocked", bailey: { phase } });
    assert.deepEqual(take(new Offenders(threshold), [line(0, ngfw(1)), line(1, ngfw(2)), line(2, ngfw(2))]).at(-1), WEB);
    const others = [
      ngfw(4),
      { action: "would_deny" },
      { reason: "policy a, rule 0, allows no more: its rate is used up" },
      { bailey: { quarantine: { begins: false } } },
      { bailey: { policy: { name: "istio-system/quarantine" } } },
    ];
    for (const other of others)
      assert.deepEqual(
        take(
          new Offenders(threshold),
          [0, 1, 2, 3].map((i) => line(i, other)),
        ),
        Array(4).fill(undefined),
      );
  });

  test("a proxy that begins a quarantine has counted already", () => {
    assert.equal(new Offenders(threshold).take(line(0, { bailey: { quarantine: { begins: true } } })), WEB);
  });
});

test("--follow needs a threshold", async () => {
  const { code, stderr } = await bailey(["quarantine", "--follow", file("bailey.yaml", "images: { repository: registry.example/bailey }\n")]);
  assert.equal(code, 2);
  assert.match(stderr, /bailey\.yaml: quarantine is missing: it says how many violations are too many/);
});
