/** pluginConfig of the mesh filters: how bad values are refused, and that the published schema knows what the filter knows. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { published } from "../schema.ts";
import { meshWith, one, policy, WEB } from "./node.ts";

const { schema, validate } = published("mesh");

const rule = (rest: object): object => one(rest);
const from = (source: object): object => rule({ from: [{ source }] });
const to = (operation: object): object => rule({ to: [{ operation }] });
const when = (key: string, rest: object): object => rule({ when: [{ key, ...rest }] });
const RULE = "pluginConfig\\.policies\\[0\\]\\.spec\\.rules\\[0\\]";

/** What is refused, with what message; and whether only the filter can know. */
const BAD: [string, object | string, RegExp, "filter only"?][] = [
  ["not JSON", '{"mode":', /^pluginConfig: not JSON at byte 8: /],
  ["not an object", "[]", /^pluginConfig: found a list, expected an object$/],
  ["an unknown key", { polices: [] }, /^pluginConfig\.polices: unknown key; known here are policies, mode, default/],
  ["a mode", { mode: "detect" }, /^pluginConfig\.mode: found `detect`, expected enforce or shadow$/],
  ["a default", { default: "DENY" }, /^pluginConfig\.default: found `DENY`, expected allow or deny$/],
  ["a failure", { failure: true }, /^pluginConfig\.failure: found true, expected open or closed$/],
  ["a limit", { limits: { requestBody: 0 } }, /^pluginConfig\.limits\.requestBody: found 0, expected a whole number from 1 to 16777216$/],
  ["a number of events", { events: { perSecond: 1.5 } }, /^pluginConfig\.events\.perSecond: found 1\.5, expected a whole number from 0 to 100000$/],
  ["a form of paths", { normalization: { lowercase: true } }, /^pluginConfig\.normalization\.lowercase: unknown key; known here are dotSegments/],
  ["a gateway that is anybody", { edge: { gateways: ["*"] } }, /^pluginConfig\.edge\.gateways\[0\]: found `\*`, expected an identity, as in/],
  ["a key of edge", { edge: { gateway: [] } }, /^pluginConfig\.edge\.gateway: unknown key; known here are gateways$/],
  ["a quarantine without violations", { quarantine: {} }, /^pluginConfig\.quarantine: found an object, expected a quarantine with violations$/],
  ["a duration", { quarantine: { violations: 1, duration: 0 } }, /^pluginConfig\.quarantine\.duration: found 0, expected a whole number from 1 to 604800$/],
  ["whom to tell apart", { quarantine: { violations: 1, by: "source.ip" } }, /^pluginConfig\.quarantine\.by: .*expected source\.principal or remote\.ip$/],
  ["a key of quarantine", { quarantine: { after: 1 } }, /^pluginConfig\.quarantine\.after: unknown key; known here are violations, /],
  [
    "a score",
    when("edge.score", { values: ["5-"] }),
    new RegExp(`^${RULE}\\.when\\[0\\]\\.values\\[0\\]: found \`5-\`, expected a bound or a range of scores`),
    "filter only",
  ],
  ["how much was inspected", when("edge.inspected", { values: ["all"] }), /expected full, partial, headers or no$/, "filter only"],
  ["a client", when("edge.client", { values: ["x"] }), /values\[0\]: found `x`, expected /, "filter only"],
  ["an alias", { trustDomainAliases: [1] }, /^pluginConfig\.trustDomainAliases\[0\]: found 1, expected a text$/],
  ["a policy without a name", { policies: [{ spec: {} }] }, /^pluginConfig\.policies\[0\]: found an object, expected a policy with a name$/],
  ["a policy without a spec", { policies: [{ name: "a" }] }, /^pluginConfig\.policies\[0\]: found an object, expected a policy with a spec/],
  [
    "a manifest as a policy",
    { policies: [{ name: "a", metadata: {}, spec: {} }] },
    /^pluginConfig\.policies\[0\]\.metadata: unknown key; known here are name, namespace, mode, spec$/,
  ],
  [
    "a selector",
    { policies: [{ name: "a", spec: { selector: {} } }] },
    /^pluginConfig\.policies\[0\]\.spec\.selector: .*the plugin's own selector says for which workloads it is; `bailey convert`/,
  ],
  ["CUSTOM", one({}, "CUSTOM"), /^pluginConfig\.policies\[0\]\.spec\.action: found `CUSTOM`, expected ALLOW, DENY or AUDIT; CUSTOM stays with Istio/],
  [
    "a DENY without rules",
    { policies: [{ name: "a", spec: { action: "DENY" } }] },
    /spec: found an object, expected rules: without them a DENY never holds/,
    "filter only",
  ],
  ["an unknown key of a rule", rule({ form: [] }), new RegExp(`^${RULE}\\.form: unknown key; known here are from, to, when, rateLimit$`)],
  ["no source", rule({ from: [] }), new RegExp(`^${RULE}\\.from: found a list, expected a list with at least one source$`)],
  ["a source without values", from({}), /expected at least one field with values$/],
  ["an unknown field", from({ principal: ["a"] }), new RegExp(`^${RULE}\\.from\\[0\\]\\.source\\.principal: unknown key; known here are principals, `)],
  [
    "an account with a wildcard",
    from({ serviceAccounts: ["shop/*"] }),
    /expected `serviceAccount` or `namespace\/serviceAccount`, without wildcards/,
    "filter only",
  ],
  [
    "accounts beside principals",
    from({ serviceAccounts: ["shop/web"], principals: [WEB] }),
    /expected either serviceAccounts, or principals and namespaces/,
    "filter only",
  ],
  ["a trust domain with a slash", from({ trustDomains: ["a/b"] }), /expected a trust domain without `\/`/, "filter only"],
  ["an address", from({ ipBlocks: ["1.2.3.4/33"] }), /expected an IP address or a network, as in `10\.1\.0\.0\/16`$/, "filter only"],
  ["a port as a number", to({ ports: [80] }), /operation\.ports\[0\]: found 80, expected a text$/],
  ["a port", to({ ports: ["http"] }), /operation\.ports\[0\]: found `http`, expected a port from 0 to 65535, in quotes$/, "filter only"],
  ["a template", to({ paths: ["/a/{id}"] }), /operation\.paths\[0\]: found `\/a\/\{id\}`, expected /, "filter only"],
  ["a template with two ends", to({ paths: ["/{**}/{**}"] }), /operation\.paths\[0\]: found `\/\{\*\*\}\/\{\*\*\}`, expected /, "filter only"],
  [
    "an unknown attribute",
    when("request.url", { values: ["a"] }),
    new RegExp(`^${RULE}\\.when\\[0\\]\\.key: found \`request\\.url\`, expected one of request\\.headers\\[x\\], `),
  ],
  ["a condition without values", when("request.host", {}), /expected a condition with values, notValues, matches or notMatches$/, "filter only"],
  [
    "an expression",
    when("request.host", { matches: ["a(?=b)"] }),
    /matches\[0\]: found `a\(\?=b\)`, expected a regular expression in RE2's syntax: /,
    "filter only",
  ],
  [
    "an expression for addresses",
    when("source.ip", { matches: ["1.*"] }),
    /expected values or notValues: this attribute is not compared with expressions$/,
    "filter only",
  ],
  [
    "a window of time",
    when("request.time", { values: ["9 to 5"] }),
    /values\[0\]: found `9 to 5`, expected a window of time in UTC, as in `Mon-Fri 08:00-18:00`$/,
    "filter only",
  ],
  ["a limit without requests", rule({ rateLimit: { seconds: 1 } }), /rateLimit: found an object, expected a limit with requests$/],
  ["a limit of a DENY", one({ rateLimit: { requests: 1 } }, "DENY"), /expected a rate limit only in rules of ALLOW policies/, "filter only"],
  [
    "a limit by what is not known",
    rule({ rateLimit: { requests: 1, by: "source.ip" } }),
    /rateLimit\.by: found `source\.ip`, expected source\.principal, remote\.ip or request\.auth\.principal$/,
  ],
];

describe("bad values are refused, with their place", () => {
  for (const [name, config, message, only] of BAD) {
    test(name, async () => {
      assert.match((await meshWith(config)).refused ?? "accepted", message);
      const value = typeof config === "string" && config !== "[]" ? undefined : typeof config === "string" ? [] : config;
      if (value !== undefined) assert.equal(validate(value), only !== undefined, "what the published schema says");
    });
  }

  test("the configuration that was there stays", async () => {
    const mesh = await meshWith(from({ principals: ["cluster.local/ns/shop/sa/web"] }));
    assert.match(
      mesh.reconfigure({ policies: [policy({}), policy({ bogus: 1 })] }) ?? "",
      /^pluginConfig\.policies\[1\]\.spec\.rules\[0\]\.bogus: unknown key/,
    );
    assert.equal(mesh.ask({ peer: WEB }).allowed, true);
    assert.equal(mesh.ask().allowed, false);
  });
});

test("the schema accepts what the filter accepts, every key of it", async () => {
  const list = ["a"];
  const full = {
    $schema: "manifests/schema/mesh.schema.json",
    mode: "shadow",
    default: "deny",
    trustDomain: "corp.example",
    trustDomainAliases: ["cluster.local"],
    normalization: { dotSegments: true, mergeSlashes: true, escapedSlashes: false, doubleEncoding: true, parameters: false, ignoreCase: true },
    failure: "open",
    limits: { requestBody: 1024 },
    events: { decisions: "all", perSecond: 10 },
    edge: { gateways: ["cluster.local/ns/istio-system/sa/gateway"] },
    quarantine: { violations: 20, seconds: 60, duration: 600, by: "source.principal", except: list },
    host: { holdHeaders: true },
    policies: [
      {
        name: "a",
        namespace: "shop",
        mode: "enforce",
        spec: {
          action: "ALLOW",
          rules: [
            {
              from: [
                {
                  source: { principals: list, notPrincipals: list, requestPrincipals: list, notRequestPrincipals: list, namespaces: list, notNamespaces: list },
                },
                { source: { serviceAccounts: list, notServiceAccounts: list, trustDomains: list, notTrustDomains: list } },
                { source: { ipBlocks: ["::1"], notIpBlocks: ["10.0.0.0/8"], remoteIpBlocks: ["1.1.1.1"], notRemoteIpBlocks: ["::/0"] } },
              ],
              to: [
                { operation: { hosts: list, notHosts: list, ports: ["1"], notPorts: ["2"], methods: list, notMethods: list, paths: list, notPaths: ["/{*}"] } },
              ],
              when: [
                { key: "request.headers[x]", values: list, notValues: list, matches: list, notMatches: list },
                { key: "request.auth.claims[a][b]", values: list },
                { key: "experimental.envoy.filters.a.b[c]", values: list },
                { key: "request.time", values: ["08:00-09:00"] },
              ],
              rateLimit: { requests: 1, seconds: 60, by: "remote.ip" },
            },
          ],
        },
      },
    ],
  };
  assert.equal((await meshWith(full)).refused, undefined);
  assert.ok(validate(full), JSON.stringify(validate.errors));
  assert.deepEqual(
    Object.keys(schema.properties).filter((key) => !(key in full)),
    [],
  );
});

test("each attribute of `when` is in the schema", async () => {
  const { refused } = await meshWith(when("bogus", { values: ["a"] }));
  const keys = (/expected one of (.*)$/.exec(refused ?? "")?.[1] ?? "").split(", ");
  assert.ok(keys.length > 20);
  for (const key of keys) assert.ok(validate(when(key, { values: ["a"] })), key);
});
