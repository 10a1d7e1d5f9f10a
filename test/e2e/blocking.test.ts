/** A decision really happens: what is blocked, when, and what the client and the upstream see of it. */
import assert from "node:assert/strict";
import { connect as http2Connect } from "node:http2";
import { after, before, describe, test } from "node:test";
import { Mesh, SQLI, waitFor } from "./fixture.ts";

describe("enforcing, headers held", () => {
  let mesh: Mesh;
  before(async () => {
    mesh = await Mesh.start({ mode: "enforce" });
  });
  after(() => mesh.stop());

  test("an ordinary request passes unchanged", async () => {
    const answer = await mesh.send({ path: "/hello?name=world" });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), "upstream");
    assert.equal(mesh.seen.at(-1)?.url, "/hello?name=world");
  });

  test("an attack in the query gets 403 and never reaches the upstream", async () => {
    const count = mesh.seen.length;
    assert.equal((await mesh.send({ path: SQLI })).status, 403);
    assert.equal(mesh.seen.length, count);
  });

  test("an attack in a header, a cookie, the path", async () => {
    assert.equal((await mesh.send({ headers: { "user-agent": "() { :; }; /bin/cat /etc/passwd" } })).status, 403);
    assert.equal((await mesh.send({ headers: { cookie: "a=1; b=<script>alert(1)</script>" } })).status, 403);
    assert.equal((await mesh.send({ path: "/..%2f..%2f..%2fetc/passwd" })).status, 403);
  });

  test("an attack in a body gets 403, and the upstream sees nothing of the request", async () => {
    const count = mesh.seen.length;
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const json = { "content-type": "application/json" };
    const xml = { "content-type": "application/xml" };
    const multipart = { "content-type": "multipart/form-data; boundary=X" };
    const attack = "1' OR 1=1-- ";
    assert.equal((await mesh.send({ headers: form, body: `a=b&q=${encodeURIComponent(attack)}` })).status, 403);
    assert.equal((await mesh.send({ headers: json, body: JSON.stringify({ a: { b: [attack] } }) })).status, 403);
    assert.equal((await mesh.send({ headers: xml, body: `<a><b>${attack}</b></a>` })).status, 403);
    assert.equal((await mesh.send({ headers: xml, body: '<a b="java.lang.Runtime"/>' })).status, 403);
    const part = `--X\r\nContent-Disposition: form-data; name="q"\r\n\r\n${attack}\r\n--X--\r\n`;
    assert.equal((await mesh.send({ headers: multipart, body: part })).status, 403);
    assert.equal(mesh.seen.length, count);
  });

  test("a body in many pieces, chunked, is inspected as a whole", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = `${"x=1&".repeat(50)}q=${encodeURIComponent("<script>alert(1)</script>")}`;
    assert.equal((await mesh.send({ headers, body, pieces: 40 })).status, 403);
    const harmless = `${"x=1&".repeat(50)}q=hello`;
    assert.equal((await mesh.send({ headers, body: harmless, pieces: 40 })).status, 200);
    assert.equal(mesh.seen.at(-1)?.body, harmless);
  });

  test("trailers after a body: an attack is blocked, what passes arrives whole", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const trailers = { "x-checksum": "1" };
    assert.equal((await mesh.send({ headers, body: "q=%3Cscript%3Ealert(1)%3C/script%3E", trailers })).status, 403);
    assert.equal((await mesh.send({ headers, body: "q=hello", trailers })).status, 200);
    assert.equal(mesh.seen.at(-1)?.body, "q=hello");
  });

  test("uploads take no memory of the filter, and an attack around a file is blocked, in one piece or in many", async () => {
    const headers = { "content-type": "multipart/form-data; boundary=XX" };
    const part = (name: string, content: string, file = ""): string => `--XX\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
    const file = part("f", "a line of a file that is large\r\n--X\n".repeat(24_000), '; filename="a.bin"');
    const before = await mesh.metric("memory_bytes");
    const upload = `${part("note", "hello")}${file}--XX--\r\n`;
    const answers = await Promise.all(Array.from({ length: 16 }, () => mesh.send({ headers, body: upload })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(mesh.seen.at(-1)?.body, upload);
    assert.equal(await mesh.metric("memory_bytes"), before);
    const attack = `${file}${part("note", "<script>alert(1)</script>")}--XX--\r\n`;
    assert.equal((await mesh.send({ headers, body: attack })).status, 403);
    assert.equal((await mesh.send({ headers, body: attack, pieces: 50_000 })).status, 403);
    assert.equal((await mesh.send({ headers, body: upload, pieces: 50_000 })).status, 200);
  });

  test("HTTP/2", async () => {
    const session = http2Connect(`http://127.0.0.1:${mesh.envoy.port}`);
    const get = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path, "user-agent": "Mozilla/5.0", accept: "*/*" });
        stream.on("response", (headers) => resolve(Number(headers[":status"])));
        stream.on("error", reject);
        stream.resume();
        stream.end();
      });
    assert.equal(await get("/"), 200);
    assert.equal(await get(SQLI), 403);
    session.close();
  });

  test("a response that leaks is replaced: no success, none of it, no NULs", async () => {
    mesh.respond = () => ({
      headers: { "content-type": "text/html" },
      body: `<p>${"x".repeat(500)} You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version</p>`,
    });
    const answer = await mesh.send({ path: "/leak" });
    mesh.respond = () => ({});
    assert.equal(answer.status, 403);
    assert.equal(answer.body.length, 0);
    const event = await mesh.event(({ url }) => url.path === "/leak");
    assert.equal(event.bailey.phase, 4);
    assert.equal(event.rule?.id, "959100");
  });

  test("a response that is not looked at flows through as it comes", async () => {
    const image = Buffer.alloc(3_000_000, 1);
    mesh.respond = () => ({ headers: { "content-type": "image/png" }, body: image });
    const answer = await mesh.send({ path: "/image" });
    mesh.respond = () => ({});
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(image));
  });

  test("a text response over the limit is inspected in part and passes whole", async () => {
    const text = Buffer.alloc(900_000, 0x61);
    mesh.respond = () => ({ body: text });
    const answer = await mesh.send({ path: "/large" });
    mesh.respond = () => ({});
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(text));
    assert.ok((await mesh.metric("body_limit.response")) > 0);
  });

  test("metrics count requests, blocks by phase, and families", async () => {
    assert.ok((await mesh.metric("requests")) > 10);
    assert.ok((await mesh.metric("blocked.phase_2")) > 3);
    assert.ok((await mesh.metric("blocked.phase_4")) === 1);
    assert.ok((await mesh.metric("matched.sqli")) > 0);
    assert.ok((await mesh.metric("memory_bytes")) > 1_000_000);
    assert.equal(await mesh.metric("errors"), 0);
  });
});

describe("enforcing, on a host that cannot hold headers, as under a WasmPlugin", () => {
  let mesh: Mesh;
  before(async () => {
    mesh = await Mesh.start({ mode: "enforce", host: { holdHeaders: false } }, { holdHeaders: false });
  });
  after(() => mesh.stop());

  test("what headers tell is blocked before the upstream", async () => {
    const count = mesh.seen.length;
    assert.equal((await mesh.send({ path: SQLI })).status, 403);
    assert.equal(mesh.seen.length, count);
  });

  test("for an attack in a body the client gets 403, and the upstream never gets the body", async () => {
    const body = "q=%3Cscript%3Ealert(1)%3C/script%3E";
    const answer = await mesh.send({ path: "/late", headers: { "content-type": "application/x-www-form-urlencoded" }, body, pieces: 10 });
    assert.equal(answer.status, 403);
    const entry = mesh.seen.find(({ url }) => url === "/late");
    // this is what is lost: the upstream may see the headers of the request
    assert.notEqual(entry?.complete, true);
    assert.equal(entry?.body ?? "", "");
  });

  test("a response that leaks never arrives as a success", async () => {
    mesh.respond = () => ({
      headers: { "content-type": "text/html" },
      body: "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version",
    });
    const outcome = await mesh.send({ path: "/leak" }).then(
      ({ status, body }) => ({ status, body: body.toString() }),
      () => ({ status: 0, body: "" }),
    );
    assert.doesNotMatch(outcome.body, /SQL syntax/);
    assert.doesNotMatch(outcome.body, /\0/);
  });
});

describe("bodies that no rule looks at", () => {
  const rules = { before: ['SecRule REQUEST_HEADERS:X-Bad "@streq 1" "id:1,phase:1,deny"'] };

  test("reach the upstream as they come, and have no limit", async () => {
    const mesh = await Mesh.start({ mode: "enforce", crs: false, rules, limits: { requestBody: 1000 } });
    try {
      let finished = false;
      const body = Buffer.alloc(3_000_000, 0x61);
      const sending = mesh.send({ headers: { "content-type": "application/octet-stream" }, body, pieces: 200_000 }).then((answer) => {
        finished = true;
        return answer;
      });
      await waitFor(() => ((mesh.seen[0]?.body.length ?? 0) > 0 ? true : undefined), "the first bytes at the upstream");
      assert.equal(finished, false);
      assert.equal((await sending).status, 200);
      assert.equal(mesh.seen[0]?.body.length, body.length);
      assert.equal((await mesh.send({ headers: { "x-bad": "1" }, body: "a=b" })).status, 403);
    } finally {
      await mesh.stop();
    }
  });
});

describe("upgrades", () => {
  test("a WebSocket gets through, an attack in its handshake does not", async () => {
    const { createServer } = await import("node:http");
    const { connect } = await import("node:net");
    const upstream = createServer((_request, response) => response.end("no upgrade"));
    upstream.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("data", (data: Buffer) => socket.write(`echo ${data}`));
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const address = upstream.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const mesh = await Mesh.start({ mode: "enforce" }, { upstream: { host: "127.0.0.1", port } });
    const talk = async (request: string, message: string, until: RegExp): Promise<string> => {
      const socket = connect({ port: mesh.envoy.port, host: "127.0.0.1" });
      let seen = "";
      let sent = false;
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        seen += data;
        if (seen.includes("101 Switching") && !sent) {
          sent = true;
          socket.write(message);
        }
      });
      socket.write(request);
      await waitFor(() => (until.test(seen) ? true : undefined), `${until} in what the client got`);
      socket.destroy();
      return seen;
    };
    const handshake = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    try {
      await talk(handshake("/chat"), "hello", /echo hello/);
      await talk(handshake(SQLI), "", /^HTTP\/1.1 403/);
    } finally {
      await mesh.stop();
      upstream.closeAllConnections();
      upstream.close();
    }
  });
});

describe("gRPC", () => {
  test("a bidirectional stream is not held up, and attacks in its metadata are refused", async () => {
    const { createServer } = await import("node:http2");
    const upstream = createServer();
    upstream.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // echoes each message as it comes
      stream.on("data", (chunk: Buffer) => stream.write(chunk));
      stream.on("end", () => stream.end());
      stream.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const address = upstream.address();
    const port = typeof address === "object" && address ? address.port : 0;
    // CRS lets only the content types pass that it is told
    const variables = { allowed_request_content_type: "|application/grpc| |application/json|" };
    const mesh = await Mesh.start({ mode: "enforce", variables }, { upstream: { host: "127.0.0.1", port, http2: true } });
    const session = http2Connect(`http://127.0.0.1:${mesh.envoy.port}`);
    try {
      const headers = {
        ":method": "POST",
        ":path": "/echo.Echo/Chat",
        "content-type": "application/grpc",
        te: "trailers",
        "user-agent": "grpc-node",
        accept: "*/*",
      };
      const stream = session.request(headers);
      const echoed: string[] = [];
      let trailers: Record<string, unknown> = {};
      stream.on("data", (chunk: Buffer) => echoed.push(chunk.subarray(5).toString()));
      stream.on("trailers", (received) => {
        trailers = received;
      });
      const message = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);
      stream.write(message("one"));
      await waitFor(() => echoed[0], "the echo of the first message, before the stream has ended");
      stream.write(message("two"));
      await waitFor(() => echoed[1], "the echo of the second message");
      stream.end();
      await new Promise((resolve) => stream.on("close", resolve));
      assert.deepEqual(echoed, ["one", "two"]);
      assert.equal(trailers["grpc-status"], "0");

      // field 1 holds a message whose field 2 is the text: the third message of a stream, cut into pieces
      const attack = session.request(headers);
      let arrived = "";
      attack.on("data", (chunk: Buffer) => {
        arrived += chunk.toString();
      });
      const text = Buffer.from("1' UNION SELECT password FROM users-- ");
      const inner = Buffer.concat([Buffer.from([0x12, text.length]), text]);
      const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, inner.length + 2, 0x0a, inner.length]), inner]);
      attack.write(Buffer.concat([message("one"), frame.subarray(0, 9)]));
      await waitFor(() => (arrived.includes("one") ? true : undefined), "the echo of the message before the attack");
      attack.write(frame.subarray(9));
      const closed = await new Promise<boolean>((resolve) => {
        attack.on("error", () => resolve(true));
        attack.on("close", () => resolve(true));
      });
      assert.ok(closed);
      assert.doesNotMatch(arrived, /UNION/);
      const event = await mesh.event(({ event: { action } }) => action === "blocked");
      assert.equal(event.bailey.matches.find(({ id }) => id === "942100")?.values[0]?.variable, "ARGS:grpc.1.2");

      const refused = session.request({ ...headers, "x-name": "<script>alert(1)</script>", referer: "http://a/?q=<script>alert(1)</script>" });
      const status = await new Promise<Record<string, unknown>>((resolve) => {
        refused.on("response", resolve);
        refused.end();
        refused.resume();
      });
      // gRPC clients get their own kind of refusal: PERMISSION_DENIED
      assert.equal(status["grpc-status"], "7");
    } finally {
      session.close();
      await mesh.stop();
      upstream.close();
    }
  });
});
