/** `bailey exclude`: from events and requests to exclusions that let just these through. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import type { Exclusion } from "../../cli/tuning/exclusions.ts";
import { bailey, file } from "./bailey.ts";

interface Seen {
  path?: string;
  host?: string;
  client?: string;
  day?: number;
  id?: string;
  variable?: string;
  from?: string;
}

/** A line of a log with an event, as Envoy writes it. */
function line({
  path = "/search",
  host = "shop.example",
  client = "192.0.2.1",
  day = 20,
  id = "942100",
  variable = "ARGS:q",
  from = "REQUEST-942-x",
}: Seen): string {
  const matches = [{ id, message: `rule ${id}`, file: `${from}.conf`, line: 1, tags: [], values: [{ variable, value: "a or 1=1 b", matched: "1=1" }] }];
  const event = {
    "@timestamp": `2026-11-${day}T08:00:00.000Z`,
    event: { action: "would_block", module: "ngfw" },
    url: { domain: host, path },
    source: { ip: client },
    bailey: { matches },
  };
  return `[2026-11-${day} 08:00:00.000][7][warning][wasm] wasm log bailey.ngfw: ${JSON.stringify(event)}\tthread=7`;
}

async function proposed(lines: string[]): Promise<Exclusion[]> {
  const { code, stdout, stderr } = await bailey(["exclude"], lines.join("\n"));
  assert.equal(code, 0, stderr);
  return (parse(stdout) as { exclusions: Exclusion[] }).exclusions;
}

describe("from events", () => {
  test("one entry for what one variable of one path had, with its evidence", async () => {
    const [entry, ...others] = await proposed([
      line({}),
      "something else in the log",
      line({ client: "192.0.2.2", day: 22, id: "942190" }),
      line({ from: "REQUEST-949-BLOCKING-EVALUATION", id: "949110", variable: "TX:score" }),
      '{"@timestamp":"2026-11-20T08:00:00.000Z","event":{"module":"mesh"},"bailey":{}}',
      line({}).slice(0, 200),
    ]);
    assert.deepEqual(entry, {
      rules: [942100, 942190],
      hosts: ["shop.example"],
      paths: ["/search"],
      variables: ["ARGS:q"],
      reason: "2 requests of 2 clients, 2026-11-20 to 2026-11-22; say here why they are fine",
    });
    assert.deepEqual(others, []);
  });

  test("what differs stays apart, and ids in paths come together", async () => {
    const made = await proposed([
      ...[1, 2, 3].map((id) => line({ path: `/items/${id}/note` })),
      line({ path: "/a" }),
      line({ path: "/b" }),
      line({ variable: "ARGS:r" }),
      line({ host: "other.example:8443" }),
    ]);
    assert.deepEqual(made.map(({ hosts, paths, variables }) => `${hosts} ${paths} ${variables}`).sort(), [
      "other.example /search ARGS:q",
      "shop.example /a ARGS:q",
      "shop.example /b ARGS:q",
      "shop.example /items/*/note ARGS:q",
      "shop.example /search ARGS:r",
    ]);
  });

  test("what cannot be said in an exclusion is said more widely, and never breaks one", async () => {
    const [entry] = await proposed([line({ path: "/it's%22", variable: "ARGS:a'b\"c" })]);
    assert.deepEqual([entry?.paths, entry?.variables], [undefined, ["ARGS"]]);
    const config = file("config.json", JSON.stringify({ exclusions: [entry] }));
    assert.equal((await bailey(["lint", config])).code, 0);
  });

  test("a log without events", async () => {
    const { code, stderr } = await bailey(["exclude"], "nothing of the kind\n");
    assert.equal(code, 2);
    assert.match(stderr, /expected a request line/);
  });
});

describe("from a request", () => {
  const curl = "curl 'http://shop.example/search?q=select+*+from+users+where+1=1' -H 'User-Agent: Mozilla/5.0' -H 'Accept: */*'";

  test("it passes with the proposal, which is tried", async () => {
    const { code, stdout } = await bailey(["exclude", "--curl", curl]);
    assert.equal(code, 0);
    assert.match(stdout, /^# GET \/search\?q=\S+: passes with this$/m);
    const config = file("tuned.yaml", `mode: enforce\n${stdout}`);
    assert.equal((await bailey(["explain", "--config", config, "--curl", curl])).code, 0);
    const other = curl.replace("?q=", "?other=");
    assert.equal((await bailey(["explain", "--config", config, "--curl", other])).code, 3, "nothing else is let through");
  });

  test("what an exclusion cannot mend is said", async () => {
    const config = file("deny.yaml", 'mode: enforce\nrules:\n  after:\n    - SecAction "id:7,phase:2,deny,status:406"\n');
    const { code, stdout } = await bailey(["exclude", "--config", config, "--curl", curl]);
    assert.equal(code, 3);
    assert.match(stdout, /^# GET \/search\?q=\S+: is still blocked with 406, by rule 7$/m);
    const harmless = await bailey(["exclude", "--curl", "curl http://shop.example/ -H 'User-Agent: Mozilla/5.0' -H 'Accept: */*'"]);
    assert.match(harmless.stderr, /no rule matches; there is nothing to exclude/);
  });
});
