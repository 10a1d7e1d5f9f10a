/** Requests as people have them: raw HTTP, a curl command, a HAR. */

import { UserError } from "./errors.ts";
import type { Exchange } from "./host/exchange.ts";

/** Recognizes what the text is, and reads it. A HAR can hold several exchanges. */
export function readRequests(text: Buffer): Exchange[] {
  const start = text.subarray(0, 64).toString("latin1").trimStart();
  if (start.startsWith("{")) return readHar(text.toString());
  if (/^curl\s/.test(start)) return [readCurl(text.toString())];
  return [readRaw(text)];
}

/** Reads a raw HTTP/1 request; line ends may be LF. */
export function readRaw(bytes: Buffer): Exchange {
  const text = bytes.toString("latin1");
  const end = /\r?\n\r?\n/.exec(text);
  const head = end ? text.slice(0, end.index) : text.trimEnd();
  const [line = "", ...rest] = head.split(/\r?\n/);
  const [, method, path, protocol] = /^(\S+) (\S+)(?: (HTTP\/\S+))?$/.exec(line) ?? [];
  if (!method || !path) throw new UserError(`the first line is \`${line.slice(0, 80)}\`, expected a request line as in: GET /path HTTP/1.1`, 2);
  const headers = rest.map((header): [string, string] => {
    const colon = header.indexOf(":");
    if (colon < 1) throw new UserError(`header line \`${header.slice(0, 80)}\` has no name and colon`, 2);
    return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()];
  });
  const body = end ? bytes.subarray(end.index + end[0].length) : Buffer.alloc(0);
  return { method, path, protocol: protocol ?? "HTTP/1.1", request: { headers, body } };
}

/** Splits a command as a POSIX shell does: quotes, backslashes, `$'...'`. */
export function splitCommand(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let i = 0;
  const add = (text: string): void => {
    word = (word ?? "") + text;
  };
  while (i < command.length) {
    const c = command[i] ?? "";
    if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      i++;
    } else if (c === "'" || (c === "$" && command[i + 1] === "'")) {
      const escapes = c === "$";
      const start = i + (escapes ? 2 : 1);
      let end = start;
      while (end < command.length && command[end] !== "'") end += escapes && command[end] === "\\" ? 2 : 1;
      if (end >= command.length) throw new UserError("the curl command has a quote that is not closed", 2);
      const text = command.slice(start, end);
      add(escapes ? unescaped(text) : text);
      i = end + 1;
    } else if (c === '"') {
      let end = i + 1;
      while (end < command.length && command[end] !== '"') end += command[end] === "\\" ? 2 : 1;
      if (end >= command.length) throw new UserError("the curl command has a quote that is not closed", 2);
      add(command.slice(i + 1, end).replace(/\\(["\\$`\n])/g, (_, escaped: string) => (escaped === "\n" ? "" : escaped)));
      i = end + 1;
    } else if (c === "\\") {
      if (command[i + 1] !== "\n" && i + 1 < command.length) add(command[i + 1] ?? "");
      i += 2;
    } else {
      add(c);
      i++;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function unescaped(text: string): string {
  const letters: Record<string, string> = { n: "\n", r: "\r", t: "\t", "0": "\0" };
  return text
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter);
}

/** Options of curl that have an argument and change nothing that rules see. */
const IGNORED_WITH_VALUE = new Set([
  "-o",
  "--output",
  "-m",
  "--max-time",
  "--connect-timeout",
  "-w",
  "--write-out",
  "--resolve",
  "--cacert",
  "-E",
  "--cert",
  "--key",
  "-x",
  "--proxy",
  "--retry",
]);

/** Reads a curl command. */
export function readCurl(command: string): Exchange {
  const words = splitCommand(command.trim());
  const headers: [string, string][] = [];
  const data: string[] = [];
  const form: string[] = [];
  let method: string | undefined;
  let url: string | undefined;
  let get = false;
  let protocol = "HTTP/1.1";
  for (let i = 1; i < words.length; i++) {
    let word = words[i] ?? "";
    const value = (): string => {
      const following = words[++i];
      if (following === undefined) throw new UserError(`curl option ${word} has no argument`, 2);
      return following;
    };
    // --option=value, and -Xvalue
    const long = /^(--[a-z-]+)=(.*)$/s.exec(word);
    const short = /^(-[XHdbAeuF])(.+)$/s.exec(word);
    if (long ?? short) {
      const [, name = "", rest = ""] = long ?? short ?? [];
      words.splice(i, 1, name, rest);
      word = name;
    }
    if (word === "-X" || word === "--request") method = value();
    else if (word === "-H" || word === "--header") {
      const header = value();
      const colon = header.indexOf(":");
      if (colon > 0) headers.push([header.slice(0, colon), header.slice(colon + 1).trim()]);
    } else if (word === "-d" || word === "--data" || word === "--data-raw" || word === "--data-binary" || word === "--data-ascii") data.push(value());
    else if (word === "--json") {
      data.push(value());
      headers.push(["Content-Type", "application/json"], ["Accept", "application/json"]);
    } else if (word === "--data-urlencode") data.push(urlencode(value()));
    else if (word === "-F" || word === "--form") form.push(value());
    else if (word === "-b" || word === "--cookie") headers.push(["Cookie", value()]);
    else if (word === "-A" || word === "--user-agent") headers.push(["User-Agent", value()]);
    else if (word === "-e" || word === "--referer") headers.push(["Referer", value()]);
    else if (word === "-u" || word === "--user") headers.push(["Authorization", `Basic ${Buffer.from(value()).toString("base64")}`]);
    else if (word === "--url") url = value();
    else if (word === "-I" || word === "--head") method = "HEAD";
    else if (word === "-G" || word === "--get") get = true;
    else if (word === "--http2" || word === "--http2-prior-knowledge") protocol = "HTTP/2";
    else if (word === "-0" || word === "--http1.0") protocol = "HTTP/1.0";
    else if (IGNORED_WITH_VALUE.has(word)) value();
    else if (!word.startsWith("-")) url = word;
  }
  if (url === undefined) throw new UserError("the curl command has no URL", 2);
  return curlExchange({ url, method, protocol, headers, data, form, get });
}

function urlencode(argument: string): string {
  const equals = argument.indexOf("=");
  if (equals < 0) return encodeURIComponent(argument);
  return `${argument.slice(0, equals + 1)}${encodeURIComponent(argument.slice(equals + 1))}`.replace(/^=/, "");
}

interface Curl {
  url: string;
  method: string | undefined;
  protocol: string;
  headers: [string, string][];
  data: string[];
  form: string[];
  get: boolean;
}

function curlExchange(curl: Curl): Exchange {
  // not through URL, which would rewrite what an attacker wrote
  const [, host = "", rest = ""] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)([^#]*)/is.exec(curl.url) ?? [];
  let path = rest.startsWith("/") ? rest : `/${rest}`;
  const headers = curl.headers;
  const has = (name: string): boolean => headers.some(([other]) => other.toLowerCase() === name);
  let body = Buffer.from(curl.data.join("&"), "utf8");
  if (curl.get && body.length > 0) {
    path += (path.includes("?") ? "&" : "?") + body.toString();
    body = Buffer.alloc(0);
  }
  if (curl.form.length > 0) {
    const boundary = "------------------------bailey";
    const parts = curl.form.map(
      (field) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${field.slice(0, field.indexOf("="))}"\r\n\r\n${field.slice(field.indexOf("=") + 1)}\r\n`,
    );
    body = Buffer.from(`${parts.join("")}--${boundary}--\r\n`);
    headers.push(["Content-Type", `multipart/form-data; boundary=${boundary}`]);
  }
  if (!has("host")) headers.unshift(["Host", host.replace(/^.*@/, "")]);
  if (!has("user-agent")) headers.push(["User-Agent", "curl/8.5.0"]);
  if (!has("accept")) headers.push(["Accept", "*/*"]);
  if (body.length > 0) {
    if (!has("content-type") && curl.form.length === 0) headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
    if (!has("content-length")) headers.push(["Content-Length", String(body.length)]);
  }
  const method = curl.method ?? (body.length > 0 ? "POST" : "GET");
  return { method, path, protocol: curl.protocol, request: { headers, body } };
}

interface HarEntry {
  request: {
    method: string;
    url: string;
    httpVersion: string;
    headers: { name: string; value: string }[];
    postData?: { text?: string; encoding?: string };
  };
  response?: { status: number; headers: { name: string; value: string }[]; content?: { text?: string; encoding?: string } };
}

/** Reads the exchanges of a HAR 1.2. */
export function readHar(text: string): Exchange[] {
  let entries: HarEntry[];
  try {
    entries = (JSON.parse(text) as { log: { entries: HarEntry[] } }).log.entries;
    if (!Array.isArray(entries)) throw new TypeError("no entries");
  } catch {
    throw new UserError("the file starts like JSON but is no HAR: expected an object with log.entries", 2);
  }
  return entries.map(({ request, response }) => {
    const [, path = "/"] = /^[a-z]+:\/\/[^/?#]*([^#]*)/i.exec(request.url) ?? [];
    const headers = pairs(request.headers);
    if (!headers.some(([name]) => name.toLowerCase() === "host")) headers.unshift(["Host", new URL(request.url).host]);
    return {
      method: request.method,
      path: path === "" ? "/" : path,
      protocol: request.httpVersion.toUpperCase().replace("H2", "HTTP/2").replace("HTTP/2.0", "HTTP/2"),
      request: { headers, body: content(request.postData) },
      ...(response && response.status > 0 && { response: { status: response.status, headers: pairs(response.headers), body: content(response.content) } }),
    };
  });
}

function pairs(headers: { name: string; value: string }[]): [string, string][] {
  return headers.filter(({ name }) => !name.startsWith(":")).map(({ name, value }): [string, string] => [name, value]);
}

function content(part: { text?: string; encoding?: string } | undefined): Buffer {
  return Buffer.from(part?.text ?? "", part?.encoding === "base64" ? "base64" : "utf8");
}
