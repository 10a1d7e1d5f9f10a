/**
 * The CRS regression tests: their files as the published schema has them
 * (https://github.com/coreruleset/ftw-tests-schema), and the requests that they describe as bytes.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

export interface Input {
  dest_addr?: string;
  port?: number;
  protocol?: string;
  method?: string;
  uri?: string;
  version?: string;
  headers?: Record<string, string>;
  ordered_headers?: { name: string; value: string }[];
  data?: string;
  encoded_data?: string;
  encoded_request?: string;
  raw_request?: string;
  follow_redirect?: boolean;
  save_cookie?: boolean;
  autocomplete_headers?: boolean;
  /** Old name of `autocomplete_headers: false`. */
  stop_magic?: boolean;
  virtual_host_mode?: boolean;
}

export interface Output {
  status?: number | number[];
  response_contains?: string;
  log_contains?: string;
  no_log_contains?: string;
  log?: { expect_ids?: number[]; no_expect_ids?: number[]; match_regex?: string; no_match_regex?: string };
  expect_error?: boolean;
  retry_once?: boolean;
  isolated?: boolean;
}

export interface Stage {
  input: Input;
  output: Output;
}

export interface Test {
  /** `<rule id>-<test id>`. */
  id: string;
  file: string;
  stages: Stage[];
}

interface TestFile {
  meta?: { enabled?: boolean };
  rule_id: number;
  tests: { test_id: number; test_title?: string; stages: ({ stage?: Stage } & Stage)[] }[];
}

/** Reads all tests in a folder of folders of YAML files. */
export async function readSuite(folder: string): Promise<Test[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.ya?ml$/.test(name)).sort();
  const tests: Test[] = [];
  for (const name of names) {
    const file = parse(await readFile(join(folder, name), "utf8"), { merge: true }) as TestFile | null;
    if (!file?.tests || file.meta?.enabled === false) continue;
    for (const test of file.tests) {
      tests.push({ id: `${file.rule_id}-${test.test_id}`, file: name, stages: test.stages.map((stage) => stage.stage ?? stage) });
    }
  }
  return tests;
}

function has(headers: [string, string][], name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name);
}

function contentType(headers: [string, string][]): string {
  return headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
}

/** Gives the bytes of the request that a stage sends. */
export function requestBytes(input: Input): Buffer {
  if (input.encoded_request) return Buffer.from(input.encoded_request, "base64");
  if (input.raw_request) return Buffer.from(input.raw_request, "utf8");
  const headers: [string, string][] = input.ordered_headers
    ? input.ordered_headers.map(({ name, value }) => [name, String(value)])
    : Object.entries(input.headers ?? {}).map(([name, value]) => [name, String(value)]);
  let body: Buffer = input.encoded_data === undefined ? Buffer.from(input.data ?? "", "utf8") : Buffer.from(input.encoded_data, "base64");
  const complete = input.autocomplete_headers ?? !input.stop_magic;
  if (complete) {
    // what ends a multipart body is a line
    if (body.length > 0 && /^multipart\/form-data/i.test(contentType(headers)) && input.data !== undefined) body = lines(body);
    if (!has(headers, "connection")) headers.push(["Connection", "close"]);
    if (body.length > 0 && !has(headers, "content-type")) headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
    if (body.length > 0 && !has(headers, "content-length") && !has(headers, "transfer-encoding")) headers.push(["Content-Length", String(body.length)]);
  }
  const line = `${input.method ?? "GET"} ${input.uri ?? "/"} ${input.version ?? "HTTP/1.1"}`;
  const head = [line, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "utf8"), body]);
}

/** Gives the text with CRLF line ends and one at its end: YAML block text has LF only. */
function lines(body: Buffer): Buffer {
  const text = body.toString("latin1").replace(/\r?\n/g, "\r\n");
  return Buffer.from(text.endsWith("\r\n") ? text : `${text}\r\n`, "latin1");
}
