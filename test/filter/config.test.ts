/** pluginConfig: what each key does, and how bad values are refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { published } from "../schema.ts";
import { filterWith, SQLI, XSS } from "./node.ts";

const { schema, validate } = published("ngfw");

describe("mode, levels and thresholds", () => {
  test("detect is the default: it reports and lets pass", async () => {
    const { send } = await filterWith({});
    const outcome = send({ path: SQLI });
    assert.equal(outcome.status, undefined);
    assert.equal(outcome.events[0]?.event.action, "would_block");
    assert.equal(outcome.events[0]?.rule?.id, "949110");
  });

  test("enforce blocks", async () => {
    const { send, metric } = await filterWith({ mode: "enforce" });
    assert.equal(send({ path: SQLI }).status, 403);
    assert.equal(send().status, undefined);
    assert.equal(metric("requests"), 2);
    assert.equal(metric("blocked.phase_2"), 1);
  });

  test("a higher paranoia level has more rules", async () => {
    const path = "/?q=a%3Bb%3Dc%26d";
    const low = await filterWith({ mode: "enforce" });
    const high = await filterWith({ mode: "enforce", paranoiaLevel: 4 });
    assert.equal(low.send({ path }).status, undefined);
    assert.equal(high.send({ path }).status, 403);
  });

  test("detectionParanoiaLevel reports more without blocking more", async () => {
    const { send } = await filterWith({ mode: "enforce", detectionParanoiaLevel: 4, events: { matches: "all" } });
    const outcome = send({ path: "/?q=a%3Bb%3Dc%26d" });
    assert.equal(outcome.status, undefined);
    assert.ok((outcome.events[0]?.bailey.matches.length ?? 0) > 0);
  });

  test("thresholds move the line", async () => {
    const { send } = await filterWith({ mode: "enforce", thresholds: { inbound: 1000, outbound: 1000 } });
    assert.equal(send({ path: SQLI }).status, undefined);
  });
});

describe("rules", () => {
  test("own rules before and after CRS, and without it", async () => {
    const deny = (id: number): string => `SecRule ARGS:x "@streq ${id}" "id:${id},phase:2,deny,status:418,msg:'mine'"`;
    const { send } = await filterWith({ mode: "enforce", rules: { before: [deny(1)], after: [deny(2)] } });
    assert.equal(send({ path: "/?x=1" }).status, 418);
    assert.equal(send({ path: "/?x=2" }).status, 418);
    const bare = await filterWith({ mode: "enforce", crs: false, rules: { after: [deny(3)] } });
    assert.equal(bare.send({ path: SQLI }).status, undefined);
    assert.equal(bare.send({ path: "/?x=3" }).status, 418);
  });

  test("directives change CRS for one profile only", async () => {
    const { send } = await filterWith({
      mode: "enforce",
      profiles: [{ name: "a", hosts: ["a.example"], rules: { after: ["SecRuleRemoveById 942100", 'SecRuleUpdateTargetById 941100-941399 "!ARGS:q"'] } }],
    });
    assert.equal(send({ path: XSS, host: "a.example" }).status, undefined);
    assert.equal(send({ path: XSS, host: "b.example" }).status, 403);
  });

  test("an error in a rule names the place, the directive and the cause", async () => {
    const refused = async (rule: string): Promise<string> => (await filterWith({ rules: { before: [rule] } })).refused ?? "accepted";
    assert.match(await refused('SecRule ARGS "@bogus x" "id:1"'), /^pluginConfig\.rules\.before\[0\]:1: SecRule: operator `bogus` is unknown/);
    assert.match(await refused('\n\nSecRule ARGS "@rx (?=a)" "id:1"'), /\[0\]:3: SecRule: @rx pattern at byte 2 of `\(\?=a\)`: unknown group/);
    assert.match(await refused('SecRule NOSUCH "@rx a" "id:1"'), /unknown variable `NOSUCH`/);
    assert.match(await refused('SecRule ARGS "@rx a" "phase:1"'), /id is missing/);
    assert.match(await refused('SecRule ARGS "@rx a" "id:1,t:bogus"'), /transformation `bogus` is unknown/);
    assert.match(await refused('SecRule ARGS "@rx a" "id:1,exec:/bin/x"'), /action `exec` cannot be honoured by a filter/);
    assert.match(await refused('SecRule ARGS "@rx a" "id:942100"'), /id 942100 is one of CRS; rules of your own take ids below 100000/);
    assert.match(await refused('SecRule ARGS "@geoLookup" "id:1"'), /operator `geoLookup` needs a geography database/);
    assert.match(await refused("SecRemoteRules x y"), /rules from the network are not loaded/);
    assert.match(await refused("SecBogus On"), /SecBogus: unknown directive/);
    assert.match(await refused('SecRule ARGS "@rx a" "id:1,chain"'), /chain without its next rule/);
    assert.match(await refused('SecRule ARGS "@rx a'), /missing closing quote/);
    assert.match(await refused('SecRule ARGS "@pmFromFile nowhere.data" "id:1"'), /file `nowhere.data` is not known/);
    assert.match(await refused('SecRule REMOTE_ADDR "@ipMatch 10.0.0.0/40" "id:1"'), /network `10.0.0.0\/40`: expected/);
  });
});

describe("exclusions", () => {
  test("a rule for one variable on one path of one host", async () => {
    const exclusions = [{ rules: [942100], hosts: ["shop.example"], paths: ["/search*"], methods: ["GET"], variables: ["ARGS:id"], reason: "free text" }];
    const { send } = await filterWith({ mode: "enforce", exclusions });
    const path = "/search?id=1%27%20OR%201=1--%20";
    assert.equal(send({ path, host: "shop.example:8080" }).status, undefined);
    assert.equal(send({ path, host: "other.example" }).status, 403);
    assert.equal(send({ path: "/other?id=1%27%20OR%201=1--%20", host: "shop.example" }).status, 403);
    assert.equal(send({ path: "/search?x=1%27%20OR%201=1--%20", host: "shop.example" }).status, 403);
  });

  test("ranges and tags, everywhere", async () => {
    const byTag = await filterWith({ mode: "enforce", exclusions: [{ tags: ["attack-sqli"] }] });
    assert.equal(byTag.send({ path: SQLI }).status, undefined);
    assert.equal(byTag.send({ path: XSS }).status, 403);
    const byRange = await filterWith({ mode: "enforce", exclusions: [{ rules: ["941000-941999"] }] });
    assert.equal(byRange.send({ path: XSS }).status, undefined);
  });

  test("a path cannot be dressed up to get an exclusion", async () => {
    const { send } = await filterWith({ mode: "enforce", exclusions: [{ rules: ["900000-999999"], paths: ["/health"] }] });
    assert.equal(send({ path: `/health${SQLI.slice(1)}` }).status, undefined);
    assert.equal(send({ path: `/health/../admin${SQLI.slice(1)}` }).status, 403);
    assert.equal(send({ path: `/healthy${SQLI.slice(1)}` }).status, 403);
  });
});

describe("profiles", () => {
  const config = {
    mode: "enforce",
    profiles: [
      { name: "api", hosts: ["api.example", "*.api.example"], paths: ["/v1/*"], mode: "detect" },
      { name: "static", paths: ["/static/*"], crs: false },
    ],
  };
  test("the first that fits host and path is used", async () => {
    const { send } = await filterWith(config);
    assert.equal(send({ path: `/v1/x${SQLI.slice(1)}`, host: "eu.API.example:443" }).events[0]?.bailey.profile, "api");
    assert.equal(send({ path: `/v1/x${SQLI.slice(1)}`, host: "api.example" }).status, undefined);
    assert.equal(send({ path: `/v2/x${SQLI.slice(1)}`, host: "api.example" }).status, 403);
    assert.equal(send({ path: `/static/x${SQLI.slice(1)}` }).status, undefined);
    assert.equal(send({ path: SQLI }).events[0]?.bailey.profile, "default");
  });
});

describe("limits and failure", () => {
  const form: [string, string][] = [["Content-Type", "application/x-www-form-urlencoded"]];
  test("a body over the limit is refused when enforcing, passes when detecting", async () => {
    const body = `q=${"a".repeat(2000)}`;
    const enforce = await filterWith({ mode: "enforce", limits: { requestBody: 1000 } });
    const outcome = enforce.send({ headers: form, body });
    assert.equal(outcome.status, 413);
    assert.equal(outcome.events[0]?.event.reason, "request body over the limit");
    assert.equal(enforce.metric("body_limit.request"), 1);
    const detect = await filterWith({ limits: { requestBody: 1000 } });
    assert.equal(detect.send({ headers: form, body }).status, undefined);
    assert.equal(detect.metric("body_limit.request"), 1);
  });

  test("or its first part is inspected", async () => {
    const { send } = await filterWith({ mode: "enforce", limits: { requestBody: 1000, requestBodyAction: "partial" } });
    const attack = "%3Cscript%3Ealert(1)%3C/script%3E";
    assert.equal(send({ headers: form, body: `q=${attack}&r=${"a".repeat(2000)}` }).status, 403);
    assert.equal(send({ headers: form, body: `r=${"a".repeat(2000)}&q=${attack}` }).status, undefined);
  });

  test("arguments and JSON nesting have limits that rules see", async () => {
    const { send } = await filterWith({ mode: "enforce", limits: { arguments: 10, jsonDepth: 5 } });
    const json: [string, string][] = [["Content-Type", "application/json"]];
    assert.equal(send({ headers: form, body: "a=1&".repeat(11) }).events[0]?.rule?.id, "200002");
    assert.equal(send({ headers: json, body: `${"[".repeat(6)}${"]".repeat(6)}` }).events[0]?.rule?.id, "200002");
    assert.equal(send({ headers: json, body: "[[1]]" }).status, undefined);
  });

  test("when Bailey cannot decide, `failure` does", async () => {
    // 100 kB of arguments take more than 64 kB of memory
    const body = "a=1&".repeat(25_000);
    const host = { streamBytes: 65536 };
    const limits = { arguments: 100_000 };
    const closed = await filterWith({ mode: "enforce", host, limits });
    const outcome = closed.send({ headers: form, body });
    assert.equal(outcome.status, 500);
    assert.equal(outcome.events[0]?.event.action, "error");
    assert.equal(outcome.events[0]?.event.reason, "memory limit of the stream is reached");
    assert.equal(closed.metric("errors"), 1);
    const open = await filterWith({ mode: "enforce", host, limits, failure: "open" });
    const passed = open.send({ headers: form, body });
    assert.equal(passed.status, undefined);
    assert.equal(passed.events[0]?.event.action, "error");
    const detect = await filterWith({ host, limits });
    assert.equal(detect.send({ headers: form, body }).status, undefined);
  });
});

describe("responses to what is blocked, and sampling", () => {
  test("status, body and headers", async () => {
    const { send } = await filterWith({ mode: "enforce", block: { status: 406, body: "no", headers: { "x-blocked": "yes" } } });
    const outcome = send({ path: SQLI });
    assert.equal(outcome.status, 406);
    assert.equal(outcome.body, "no");
    assert.deepEqual(outcome.headers, [["x-blocked", "yes"]]);
  });

  test("a redirect of a rule", async () => {
    const { send } = await filterWith({
      mode: "enforce",
      rules: { before: [`SecRule ARGS:x "@streq 1" "id:1,phase:1,redirect:'https://example.org/%{ARGS.x}'"`] },
    });
    const outcome = send({ path: "/?x=1" });
    assert.equal(outcome.status, 302);
    assert.deepEqual(outcome.headers, [["location", "https://example.org/1"]]);
  });

  test("a percentage of requests, the same ones each time", async () => {
    const { send, metric } = await filterWith({ mode: "enforce", sampling: 25 });
    let blocked = 0;
    for (let i = 0; i < 1000; i++) if (send({ path: SQLI }).status === 403) blocked++;
    assert.ok(blocked > 180 && blocked < 320, `${blocked} of 1000`);
    assert.equal(metric("not_sampled"), 1000 - blocked);
    const none = await filterWith({ mode: "enforce", sampling: 0 });
    assert.equal(none.send({ path: SQLI }).status, undefined);
  });
});

describe("events", () => {
  test("say what matched, where, and how", async () => {
    const { send } = await filterWith({ mode: "enforce" });
    const [event] = send({ path: "/a?x=%3Cscript%3Ealert(1)%3C/script%3E" }).events as unknown as Record<string, never>[];
    assert.deepEqual(Object.keys(event ?? {}), ["@timestamp", "ecs", "event", "http", "url", "source", "rule", "bailey"]);
    const text = JSON.stringify(event);
    assert.match(text, /"@timestamp":"2023-11-14T22:13:20.000Z"/);
    assert.match(text, /"source":\{"ip":"192.0.2.1","port":40000\}/);
    assert.match(text, /"url":\{"domain":"localhost","path":"\/a"\}/);
    assert.match(text, /"response":\{"status_code":403\}/);
    assert.match(text, /"variable":"ARGS:x","value":"<script>alert\(1\)<\/script>","matched":"<script>"/);
  });

  test("values are cut around the match", async () => {
    const { send } = await filterWith({ mode: "enforce", events: { maxValueBytes: 40 } });
    const values = send({ path: `/?x=${"a".repeat(300)}%3Cscript%3E${"b".repeat(300)}` }).events[0]?.bailey.matches.flatMap((match) => match.values) ?? [];
    const value = values.find(({ matched }) => matched === "<script>");
    assert.equal(value?.value?.length, 40);
    assert.match(value?.value ?? "", /<script>/);
  });

  test("masked variables do not appear, nor what rules say of them", async () => {
    const { send } = await filterWith({ mode: "enforce", events: { mask: ["ARGS:secret", "REQUEST_COOKIES"] } });
    const attack = "%3Cscript%3Ealert(31337)%3C/script%3E";
    const outcome = send({ path: `/?secret=${attack}`, headers: [["Cookie", `sid=${decodeURIComponent(attack)}`]] });
    assert.equal(outcome.status, 403);
    const shown = outcome.events[0]?.bailey.matches.filter(({ values }) => values.some(({ masked }) => masked)) ?? [];
    assert.ok(shown.length > 0);
    assert.doesNotMatch(JSON.stringify(shown), /31337/);
  });

  test("a plain request costs at most 10 host calls, and most cost 6", async () => {
    const { send } = await filterWith({ mode: "enforce" });
    const calls = Array.from({ length: 32 }, () => send({ response: { status: 200, headers: [["content-type", "image/png"]] } }).hostCalls);
    // the first one also shows the memory gauge, one in 16 is timed
    assert.ok(Math.max(...calls.slice(1)) <= 10, calls.join(" "));
    assert.ok(calls.filter((count) => count <= 6).length >= 29, calls.join(" "));
  });
});

describe("bad values", () => {
  const CASES: [object | string, RegExp][] = [
    ["{", /^pluginConfig: not JSON at byte 1: unexpected end$/],
    ["[]", /^pluginConfig: found a list, expected an object$/],
    [{ mode: "block" }, /^pluginConfig\.mode: found `block`, expected detect or enforce$/],
    [{ mode: 1 }, /^pluginConfig\.mode: found 1, expected detect or enforce$/],
    [{ paranoiaLevel: 5 }, /^pluginConfig\.paranoiaLevel: found 5, expected a whole number from 1 to 4$/],
    [{ paranoiaLevel: "1" }, /^pluginConfig\.paranoiaLevel: found `1`, expected a whole number/],
    [{ thresholds: { inbound: 0 } }, /^pluginConfig\.thresholds\.inbound: found 0, expected a whole number from 1/],
    [{ thresholds: { inbond: 5 } }, /^pluginConfig\.thresholds\.inbond: unknown key; known here are inbound, outbound$/],
    [{ colour: "red" }, /^pluginConfig\.colour: unknown key; known here are mode, /],
    [{ rules: { before: "SecAction" } }, /^pluginConfig\.rules\.before: found `SecAction`, expected a list of SecLang texts$/],
    [{ exclusions: [{ paths: ["/a"] }] }, /^pluginConfig\.exclusions\[0\]: found an object, expected an exclusion that names rules or tags$/],
    [{ exclusions: [{ rules: ["x"] }] }, /^pluginConfig\.exclusions\[0\]\.rules\[0\]: found `x`, expected a rule id or a range/],
    [{ exclusions: [{ rules: [1], paths: ['/a"b'] }] }, /^pluginConfig\.exclusions\[0\]\.paths\[0\]: .* expected a text without quotes/],
    [{ exclusions: [{ rules: [1], variables: ["BOGUS:x"] }] }, /unknown variable `BOGUS`/],
    [{ profiles: [{ hosts: ["a"] }] }, /^pluginConfig\.profiles\[0\]: found an object, expected an object with a name$/],
    [{ profiles: [{ name: "a" }] }, /expected a profile with hosts, paths or both$/],
    [{ profiles: [{ name: "a", hosts: ["a"], mode: "x" }] }, /^pluginConfig\.profiles\[0\]\.mode: found `x`/],
    [{ limits: { requestBody: -1 } }, /^pluginConfig\.limits\.requestBody: found -1, expected a whole number/],
    [{ limits: { requestBodyAction: "drop" } }, /^pluginConfig\.limits\.requestBodyAction: found `drop`, expected reject or partial$/],
    [{ failure: true }, /^pluginConfig\.failure: found true, expected open or closed$/],
    [{ block: { status: 99 } }, /^pluginConfig\.block\.status: found 99/],
    [{ block: { headers: { "a b": "c" } } }, /^pluginConfig\.block\.headers\.a b: unknown key; known here are header names/],
    [{ block: { headers: { a: "c\r\nd: e" } } }, /expected a text without control characters$/],
    [{ sampling: 101 }, /^pluginConfig\.sampling: found 101, expected a percentage/],
    [{ sampling: 0.001 }, /^pluginConfig\.sampling: found 0.001, expected a percentage/],
    [{ events: { mask: "ARGS" } }, /^pluginConfig\.events\.mask: found `ARGS`, expected a list of variables$/],
    [{ findings: { header: "keep" } }, /^pluginConfig\.findings\.header: found `keep`, expected remove, send or pass$/],
    [{ findings: { user: 1 } }, /^pluginConfig\.findings\.user: found 1, expected true or false$/],
    [{ quarantine: { violations: 0 } }, /^pluginConfig\.quarantine\.violations: found 0, expected a whole number from 1 to 1000000$/],
    [{ quarantine: { violations: 1, except: ["*"] } }, /^pluginConfig\.quarantine\.except\[0\]: found `\*`, expected an identity/],
    [{ variables: { "a-b": 1 } }, /^pluginConfig\.variables\.a-b: unknown key; known here are names of TX variables/],
    [{ host: { holdHeaders: "yes" } }, /^pluginConfig\.host\.holdHeaders: found `yes`, expected true or false$/],
  ];
  for (const [config, expected] of CASES) {
    test(JSON.stringify(config), async () => {
      const { refused } = await filterWith(config);
      assert.match(refused ?? "accepted", expected);
      // the published schema refuses it too; what only the compiler can know is left to it
      if (typeof config === "object" && !/unknown variable/.test(expected.source)) assert.equal(validate(config), false);
    });
  }
});

test("the schema accepts what the filter accepts, every key of it", async () => {
  const full = {
    $schema: "manifests/schema/ngfw.schema.json",
    mode: "enforce",
    paranoiaLevel: 2,
    detectionParanoiaLevel: 3,
    thresholds: { inbound: 5, outbound: 4 },
    crs: true,
    rules: { before: ['SecAction "id:1,phase:1,pass,nolog"'], after: [] },
    exclusions: [
      {
        rules: [942100, "941000-941999"],
        tags: ["attack-rce"],
        hosts: ["*.example.org"],
        paths: ["/a*"],
        methods: ["GET"],
        variables: ["ARGS:q"],
        reason: "why",
      },
    ],
    variables: { allowed_methods: "GET POST", max_num_args: 200 },
    limits: { requestBody: 1000, requestBodyAction: "partial", responseBody: 1000, responseBodyAction: "reject", arguments: 100, jsonDepth: 10 },
    inspectResponseBody: false,
    failure: "open",
    block: { status: 406, body: "no", headers: { "x-a": "b" } },
    sampling: 12.5,
    profiles: [{ name: "p", hosts: ["a.example"], paths: ["/x"], mode: "detect" }],
    events: { matches: "all", maxValueBytes: 64, mask: ["ARGS:password"] },
    findings: { header: "send", user: true },
    quarantine: { violations: 10, seconds: 60, duration: 600, by: "remote.ip", except: ["cluster.local/ns/istio-system/sa/gateway"] },
    host: { holdHeaders: true, streamBytes: 1048576, vmBytes: 134217728 },
  };
  assert.equal((await filterWith(full)).refused, undefined);
  assert.ok(validate(full), JSON.stringify(validate.errors));
  const used = new Set(Object.keys(full));
  assert.deepEqual(
    [...Object.keys(schema.properties)].filter((key) => !used.has(key)),
    [],
  );
});
