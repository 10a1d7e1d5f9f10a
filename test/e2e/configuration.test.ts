/** Bad configurations: refused with one line, and Envoy goes on serving with the one it had. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Mesh, SQLI, waitFor } from "./fixture.ts";

const HOLD = { host: { holdHeaders: true } };

describe("configuration while Envoy runs", () => {
  let mesh: Mesh;
  before(async () => {
    mesh = await Mesh.start({ mode: "enforce" }, { live: true });
  });
  after(() => mesh.stop());

  const BAD: [string, string, RegExp][] = [
    ["no JSON", "{", /^pluginConfig: not JSON/],
    ["an unknown key", JSON.stringify({ colour: 1 }), /^pluginConfig\.colour: unknown key/],
    ["a bad value", JSON.stringify({ paranoiaLevel: 9 }), /^pluginConfig\.paranoiaLevel: found 9, expected/],
    [
      "a rule that does not compile",
      JSON.stringify({ rules: { after: ['SecRule ARGS "@rx (?=a)" "id:1"'] } }),
      /^pluginConfig\.rules\.after\[0\]:1: SecRule: @rx pattern/,
    ],
    ["a rule with CRS's id", JSON.stringify({ rules: { before: ['SecAction "id:942100,pass"'] } }), /is one of CRS/],
    ["deep nesting", "[".repeat(100_000), /^pluginConfig: not JSON at byte 32: nested too deep/],
  ];
  for (const [name, config, reason] of BAD) {
    test(`${name} is refused with one line, and the old one stays`, async () => {
      const seen = mesh.logs.length;
      await mesh.envoy.reconfigure(config);
      await waitFor(() => mesh.logs.slice(seen).find((line) => reason.test(line)), `the refusal of ${name}`);
      assert.equal((await mesh.send({ path: SQLI })).status, 403);
      assert.equal((await mesh.send()).status, 200);
    });
  }

  test("a good one is taken up, under load, without a failed request", async () => {
    let running = true;
    const statuses = new Map<number, number>();
    const load = async (): Promise<void> => {
      while (running) {
        const { status } = await mesh.send({ path: "/load" });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const loads = [load(), load(), load(), load()];
    // each one new: Envoy keeps the plugins of listeners that still drain, and uses them again
    for (const config of [{ mode: "detect" }, { mode: "enforce", sampling: 99 }, { mode: "detect", sampling: 98 }]) {
      const seen = mesh.logs.length;
      await mesh.envoy.reconfigure(JSON.stringify({ ...config, ...HOLD }));
      await waitFor(() => mesh.logs.slice(seen).find((line) => line === "bailey ngfw: configured"), "the new configuration");
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    running = false;
    await Promise.all(loads);
    assert.deepEqual([...statuses.keys()], [200]);
    assert.equal((await mesh.send({ path: SQLI })).status, 200);
  });
});

test("a bad configuration at the start ends Envoy with the filter's own words", async () => {
  await assert.rejects(Mesh.start({ mode: "bogus" }), /Envoy did not start: pluginConfig\.mode: found `bogus`, expected detect or enforce/);
});
