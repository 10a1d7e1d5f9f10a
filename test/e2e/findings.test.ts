/** What goes on to the mesh beside a request, in a real Envoy: when the header is there, and what becomes of a client's own. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Mesh, SQLI } from "./fixture.ts";

const HEADER = "x-bailey-edge";
const host = "shop.example";
const form = { host, "content-type": "application/x-www-form-urlencoded" };

describe("findings, headers held", () => {
  let mesh: Mesh;
  before(async () => {
    mesh = await Mesh.start({ mode: "enforce", findings: { header: "send" } });
  });
  after(() => mesh.stop());

  test("a request without a body, and one with", async () => {
    await mesh.send({ headers: { host } });
    assert.equal(mesh.seen.at(-1)?.headers[HEADER], 'inspected=full, score=0, threshold=5, client="127.0.0.1"');
    await mesh.send({ headers: { ...form, host: "192.0.2.80" }, body: "a=b" });
    assert.equal(mesh.seen.at(-1)?.headers[HEADER], 'inspected=full, score=3, threshold=5, rules=(920350), client="127.0.0.1"');
    assert.equal(mesh.seen.at(-1)?.body, "a=b");
    await mesh.send({ headers: form, body: "a=b", trailers: { "x-checksum": "1" } });
    assert.match(String(mesh.seen.at(-1)?.headers[HEADER]), /^inspected=full/);
  });

  test("a body in pieces", async () => {
    await mesh.send({ headers: form, body: "a=b&c=d&e=f", pieces: 3 });
    assert.match(String(mesh.seen.at(-1)?.headers[HEADER]), /^inspected=full, score=0/);
    assert.equal(mesh.seen.at(-1)?.body, "a=b&c=d&e=f");
  });

  test("what a client sends in its place never arrives", async () => {
    await mesh.send({ headers: { host, "X-Bailey-Edge": ["inspected=full, score=0", 'user=%"admin"'] } });
    assert.equal(mesh.seen.at(-1)?.headers[HEADER], 'inspected=full, score=0, threshold=5, client="127.0.0.1"');
    assert.equal(await mesh.metric("findings.removed"), 1);
  });
});

describe("findings, headers going ahead", () => {
  test("a body was not seen yet, and the header says so", async () => {
    const mesh = await Mesh.start({ mode: "enforce", findings: { header: "send" }, host: { holdHeaders: false } }, { holdHeaders: false });
    try {
      await mesh.send({ headers: form, body: "a=b" });
      assert.equal(mesh.seen.at(-1)?.headers[HEADER], 'inspected=headers, score=0, threshold=5, client="127.0.0.1"');
      await mesh.send();
      assert.match(String(mesh.seen.at(-1)?.headers[HEADER]), /^inspected=full/);
    } finally {
      await mesh.stop();
    }
  });
});

describe("quarantine", () => {
  test("a client that attacks gets no answer any more", async () => {
    const mesh = await Mesh.start({ mode: "enforce", quarantine: { violations: 2, duration: 2, by: "remote.ip" } });
    try {
      assert.equal((await mesh.send({ path: SQLI })).status, 403);
      assert.equal((await mesh.send({ path: "/" })).status, 200);
      assert.equal((await mesh.send({ path: SQLI })).status, 403);
      assert.equal((await mesh.send({ path: "/" })).status, 403);
      const event = await mesh.event(({ event }) => event.reason === "the caller is in quarantine");
      assert.ok(Date.parse(event.bailey.quarantine?.until ?? "") > Date.now() - 2000);
      assert.equal(await mesh.metric("blocked.quarantine"), 1);
      await new Promise((resolve) => setTimeout(resolve, 2100));
      assert.equal((await mesh.send({ path: "/" })).status, 200);
    } finally {
      await mesh.stop();
    }
  });
});
