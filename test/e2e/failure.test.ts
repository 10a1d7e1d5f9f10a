/**
 * What happens when the VM itself fails, which nothing that traffic or configuration does can bring about: a filter is made
 * to, and Envoy's failure policies do what docs/istio.md says of them.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildFilter } from "../../cli/build/build.ts";
import { NGFW_WASM } from "../../cli/paths.ts";
import { bailey } from "../cli/bailey.ts";
import { crashingIn } from "./crashing.ts";
import { Mesh, SQLI } from "./fixture.ts";

let folder: string;
let wasm: string;

before(async () => {
  await buildFilter();
  folder = await mkdtemp(join(tmpdir(), "bailey-crash-"));
  wasm = join(folder, "crashing.wasm");
  await writeFile(wasm, crashingIn(await readFile(NGFW_WASM), "proxy_on_request_body"));
});
after(() => rm(folder, { recursive: true }));

/** Sends what makes the VM fail: a request with a body. Gives its status, undefined if there was no answer. */
function crash(mesh: Mesh): Promise<number | undefined> {
  const sent = mesh.send({ headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=b" });
  return sent.then(
    ({ status }) => status,
    () => undefined,
  );
}

describe("a VM that fails", () => {
  test("FAIL_RELOAD: requests are refused until a new one runs, and then attacks are blocked as before; the doctor tells", async () => {
    const mesh = await Mesh.start({ mode: "enforce" }, { wasm, failurePolicy: "FAIL_RELOAD" });
    try {
      assert.equal((await mesh.send({ path: SQLI })).status, 403);
      assert.notEqual(await crash(mesh), 200);
      const statuses: number[] = [];
      for (let i = 0; i < 60 && statuses.at(-1) !== 200; i++) {
        statuses.push((await mesh.send()).status);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.ok(
        statuses.every((status) => status === 503 || status === 200),
        statuses.join(),
      );
      assert.equal(statuses.at(-1), 200);
      assert.equal((await mesh.send({ path: SQLI })).status, 403);
      const { code, stdout } = await bailey(["doctor", "--admin", `127.0.0.1:${mesh.envoy.adminPort}`]);
      assert.equal(code, 1);
      assert.match(stdout, /its VM failed; 1 times a new one was started, 0 times in vain/);
    } finally {
      await mesh.stop();
    }
  });

  test("FAIL_CLOSED: nothing passes any more", async () => {
    const mesh = await Mesh.start({ mode: "enforce" }, { wasm, failurePolicy: "FAIL_CLOSED" });
    try {
      await crash(mesh);
      for (let i = 0; i < 20; i++) {
        assert.equal((await mesh.send()).status, 503);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      await mesh.stop();
    }
  });

  test("FAIL_OPEN: everything passes", async () => {
    const mesh = await Mesh.start({ mode: "enforce" }, { wasm, failurePolicy: "FAIL_OPEN" });
    try {
      assert.equal((await mesh.send({ path: SQLI })).status, 403);
      await crash(mesh);
      assert.equal((await mesh.send({ path: SQLI })).status, 200);
    } finally {
      await mesh.stop();
    }
  });
});
