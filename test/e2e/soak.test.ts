/** 100,000 mixed requests, malformed ones among them: Envoy lives, no trap, the VM's memory stays flat. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { Mesh } from "./fixture.ts";

const TOTAL = 100_000;
const CONNECTIONS = 16;

// A linear congruential generator (Numerical Recipes): the same requests each time.
let seed = 1;
function random(below: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function pick<T>(list: T[]): T {
  return list[random(list.length)] as T;
}

const WORDS = [
  "hello",
  "1' OR 1=1--",
  "<script>alert(1)</script>",
  "../../etc/passwd",
  "%00%ff%zz",
  "union select",
  "\u00e9\u4e2d",
  "a".repeat(200),
  "{{7*7}}",
  "$(id)",
  "%u0041%uff1c",
  "\\x41\\u0041",
  "&lt;&#x41;",
];

function get(): string {
  const query = Array.from({ length: random(6) }, () => `${encodeURIComponent(pick(WORDS))}=${encodeURIComponent(pick(WORDS)).replace(/%25/g, "%")}`).join("&");
  return `GET /p/${random(1000)}?${query} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nCookie: a=${encodeURIComponent(pick(WORDS))}\r\n\r\n`;
}

function post(type: string, body: string): string {
  return `POST /p HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function json(depth: number): unknown {
  if (depth === 0 || random(3) === 0) return pick<unknown>([...WORDS, 1, true, null]);
  return random(2) === 0
    ? Array.from({ length: random(4) }, () => json(depth - 1))
    : Object.fromEntries(Array.from({ length: random(4) }, () => [pick(WORDS), json(depth - 1)]));
}

function damage(text: string): string {
  const at = random(text.length);
  return pick([text.slice(0, at), text.slice(0, at) + text.slice(at + 1), `${text.slice(0, at)}\0${text.slice(at)}`]);
}

function multipart(): string {
  const part = `--B\r\nContent-Disposition: form-data; name="${pick(WORDS)}"; filename="${pick(WORDS)}"\r\nContent-Type: ${pick(["text/plain", "x\ty", ""])}\r\n\r\n${pick(WORDS)}\r\n`;
  return `${part.repeat(1 + random(4))}--B--\r\n`;
}

/** One request with a body or without, sometimes damaged inside, always framed as HTTP wants it. */
function wellFramed(): string {
  const broken = random(4) === 0 ? damage : (text: string): string => text;
  switch (random(6)) {
    case 0:
      return post("application/x-www-form-urlencoded", broken(`q=${encodeURIComponent(pick(WORDS))}&r=${pick(WORDS)}`));
    case 1:
      return post("application/json", broken(JSON.stringify(json(6))));
    case 2:
      return post("application/xml", broken(`<a b="${pick(WORDS).replace(/[<&"]/g, "")}"><c>${pick(WORDS).replace(/[<&]/g, "")}</c></a>`));
    case 3:
      return post("multipart/form-data; boundary=B", broken(multipart()));
    default:
      return get();
  }
}

/** Not HTTP, or HTTP that ends in the middle: Envoy or the filter refuse it and the connection ends. */
const MALFORMED = [
  "GET\r\n\r\n",
  "\0\0\0\0",
  "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
  "GET /\u0001 HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nshort",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "GET / HTTP/1.1\r\n: x\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0",
];

/** Sends `count` requests over one connection, each after the answer to the one before. Gives how many were answered. */
function talk(port: number, count: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let answered = 0;
    let rest = "";
    const next = (): void => {
      if (answered >= count) socket.destroy();
      else socket.write(wellFramed());
    };
    socket.on("connect", next);
    socket.on("data", (chunk) => {
      rest += chunk.toString("latin1");
      const end = rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(rest)?.[1] ?? 0);
      const chunked = /transfer-encoding: chunked/i.test(rest.slice(0, end));
      if (chunked ? !rest.endsWith("0\r\n\r\n") : rest.length < end + 4 + length) return;
      const closes = /connection: close/i.test(rest.slice(0, end));
      rest = "";
      answered++;
      if (closes) socket.destroy();
      else next();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answered));
    socket.setTimeout(10_000, () => socket.destroy());
  });
}

function throwAt(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.end(Buffer.from(text, "latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
    socket.setTimeout(2000, () => socket.destroy());
  });
}

async function run(port: number, total: number): Promise<number> {
  let left = total;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      const count = Math.min(200, left);
      left -= count;
      let sent = 0;
      while (sent < count) {
        const answered = await talk(port, count - sent);
        sent += Math.max(answered, 1);
        done += answered;
      }
      await throwAt(port, pick(MALFORMED));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return done;
}

test(`${TOTAL} mixed requests leave Envoy alive and its memory flat`, { timeout: 900_000 }, async () => {
  const mesh = await Mesh.start({ mode: "enforce", paranoiaLevel: 2, events: { maxValueBytes: 32 }, findings: { header: "send", user: true } });
  try {
    let done = await run(mesh.envoy.port, TOTAL / 10);
    const early = await mesh.metric("memory_bytes");
    done += await run(mesh.envoy.port, (TOTAL * 9) / 10);
    const late = await mesh.metric("memory_bytes");
    assert.ok(done > TOTAL * 0.99, `${done} of ${TOTAL} were answered`);
    assert.equal((await mesh.send()).status, 200);
    assert.equal(await mesh.metric("errors"), 0);
    assert.deepEqual(
      mesh.envoy.lines.filter((line) => /Function: proxy_on|Uncaught|wasm: .*fail/i.test(line)),
      [],
    );
    assert.ok(late <= early * 1.02, `memory went from ${early} to ${late} bytes`);
    console.log(`memory after 10,000: ${early} bytes, after ${TOTAL}: ${late} bytes`);
  } finally {
    await mesh.stop();
  }
});
