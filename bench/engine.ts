/**
 * What the parts of the engine do in a second: the wasm that ships, in Node, with no rules but one. Each figure is the
 * time of requests with that rule less the time of the same requests without it, so what remains is the part.
 */
import { readFile } from "node:fs/promises";
import { UserError } from "../cli/errors.ts";
import { configure } from "../cli/host/exchange.ts";
import { type Filter, type HostState, instantiate } from "../cli/host/instance.ts";
import { NGFW_WASM } from "../cli/paths.ts";
import { type Row, sendInNode } from "./measure.ts";
import type { Work } from "./works.ts";

const BYTES = 64 * 1024;
const ROUNDS = 7;
const REPEATS = 20;

const PROSE = 'The quick brown fox jumps over the lazy dog, and 42 other animals; it is "fun" (really) & safe: a/b\\c %41 <i>&lt;. ';
const TRANSFORMATIONS = [
  "base64Decode base64DecodeExt base64Encode cmdLine compressWhitespace cssDecode escapeSeqDecode hexDecode hexEncode",
  "htmlEntityDecode jsDecode lowercase md5 normalizePath normalizePathWin removeComments removeCommentsChar removeNulls",
  "removeWhitespace replaceComments replaceNulls sha1 sqlHexDecode trim uppercase urlDecode urlDecodeUni urlEncode utf8toUnicode",
].flatMap((line) => line.split(" "));

interface Part {
  name: string;
  /** Its rule. */
  rule: string;
  work: Work;
  /** What is sent without the rule, if not the same. */
  without?: Work;
}

function textWork(): Work {
  const body = PROSE.repeat(Math.ceil(BYTES / PROSE.length)).slice(0, BYTES);
  return { name: "text", method: "POST", path: "/", headers: { Host: "bench.example", "Content-Type": "text/plain" }, body };
}

function bodyWork(type: string, body: string): Work {
  return { name: type, method: "POST", path: "/", headers: { Host: "bench.example", "Content-Type": type }, body };
}

function rule(test: string, actions = "t:none"): string {
  return `SecRule REQUEST_BODY "${test}" "id:1,phase:2,pass,nolog,${actions}"`;
}

function parts(): Part[] {
  const text = textWork();
  const many = Array.from({ length: 2000 }, (_, i) => `phrase${i}xyz`).join(" ");
  const processor = (name: string): string => `SecAction "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=${name}"`;
  const fields = Array.from({ length: 900 }, (_, i) => `field${i}=some+ordinary+value+of+a+field+that+is+number+${i}`);
  const boundary = "----bench";
  const multipart = fields.map((field) => `--${boundary}\r\nContent-Disposition: form-data; name="${field.split("=")[0]}"\r\n\r\n${field}\r\n`).join("");
  const form = `${multipart}--${boundary}--\r\n`;
  return [
    { name: "phrases (@pm, 2,000)", rule: rule(`@pm ${many}`), work: text },
    { name: "regex (@rx, no match)", rule: rule("@rx [a-z]+[0-9]{3}[a-z]+;"), work: text },
    { name: "regex (@rx, words)", rule: rule("@rx (?i)\\b(?:union|select)\\b.{0,20}\\bfrom\\b"), work: text },
    { name: "detectSQLi", rule: rule("@detectSQLi"), work: text },
    { name: "detectXSS", rule: rule("@detectXSS"), work: text },
    ...TRANSFORMATIONS.map((name) => ({ name: `t:${name}`, rule: rule("@endsWith no such end", `t:none,t:${name}`), work: text })),
    { name: "body: urlencoded", rule: processor("URLENCODED"), work: bodyWork("text/plain", fields.join("&")) },
    {
      name: "body: json",
      rule: processor("JSON"),
      work: bodyWork("text/plain", JSON.stringify(Object.fromEntries(fields.map((field) => [field.split("=")[0], field])))),
    },
    { name: "body: xml", rule: processor("XML"), work: bodyWork("text/plain", `<r>${fields.map((field) => `<f a="1">${field}</f>`).join("")}</r>`) },
    {
      name: "body: multipart",
      rule: 'SecAction "id:1,phase:1,pass,nolog"',
      work: bodyWork(`multipart/form-data; boundary=${boundary}`, form),
      without: bodyWork("text/plain", form),
    },
  ];
}

interface Loaded {
  filter: Filter;
  state: HostState;
}

async function loadWith(wasm: Buffer, rules: string[]): Promise<Loaded> {
  const { filter, state } = await instantiate(wasm);
  const refusal = configure(filter, state, JSON.stringify({ mode: "enforce", crs: false, rules: { after: rules }, limits: { arguments: 5000 } }));
  if (refusal) throw new UserError(refusal);
  return { filter, state };
}

/** The fastest of several rounds, in seconds a request: what disturbs only ever makes it slower. */
function fastest({ filter, state }: Loaded, work: Work): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    for (let i = 0; i < REPEATS; i++) sendInNode(filter, state, work);
    best = Math.min(best, (performance.now() - begin) / 1000 / REPEATS);
  }
  return best;
}

/** Measures each part. */
export async function measureEngine(): Promise<Row[]> {
  const wasm = await readFile(NGFW_WASM);
  const rows: Row[] = [];
  for (const { name, rule: text, work, without = work } of parts()) {
    const none = await loadWith(wasm, []);
    const one = await loadWith(wasm, [text]);
    fastest(none, without);
    fastest(one, work);
    const seconds = Math.max(fastest(one, work) - fastest(none, without), 1e-7);
    const value = (work.body ?? "").length / seconds / 2 ** 20;
    rows.push({ work: name, config: "bailey", metric: "engine", unit: "MiB/s", value, ratio_to_bare: null });
  }
  return rows;
}
