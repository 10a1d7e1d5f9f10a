/**
 * Looks for what makes the filter slow, as somebody would who wants to: long runs of one byte, near-misses of every
 * rule's patterns and phrases, deep nesting, ten thousand arguments, names that collide in a hash table. Each input
 * comes in growing sizes; what counts is the time of a byte, and that it does not grow with the size.
 */
import { readFile } from "node:fs/promises";
import { configure } from "../cli/host/exchange.ts";
import { type Filter, type HostState, instantiate } from "../cli/host/instance.ts";
import { NGFW_WASM } from "../cli/paths.ts";
import { readCrs } from "../cli/setup/crs.ts";
import { sendInNode } from "./measure.ts";
import type { Work } from "./works.ts";

export interface Slow {
  name: string;
  /** Nanoseconds for a byte, of the size where that is most. */
  nanosecondsPerByte: number;
  /** How much more a byte costs at the largest size than at the smallest: about 1 if time is linear. */
  growth: number;
}

const SIZES = [16 * 1024, 64 * 1024, 256 * 1024];
const REPEATS = 3;

interface Input {
  name: string;
  type: string;
  /** Gives a body of about that many bytes. */
  make: (bytes: number) => string;
}

const FORM = "application/x-www-form-urlencoded";

function form(name: string, unit: string, split = false): Input {
  const encoded = encodeURIComponent(unit);
  // as one value, or as many short ones
  const make = (bytes: number): string =>
    split
      ? `a=${encoded}&`.repeat(Math.min(9900, Math.ceil(bytes / (encoded.length + 3))))
      : `a=${encoded.repeat(Math.ceil(bytes / Math.max(encoded.length, 1)))}`;
  return { name, type: FORM, make };
}

/** Literal runs of a pattern: what a text must have to come close to matching it. */
function literalsOf(pattern: string): string[] {
  return (pattern.replace(/\\[bBdDsSwWAzZnrtvfx]/g, " ").match(/[a-z0-9_<>/'"();=:.,-]{3,}/gi) ?? []).sort((a, b) => b.length - a.length).slice(0, 3);
}

/** Texts that come close to what rules and lists look for, with the last byte missing, again and again. */
async function nearMisses(): Promise<Input[]> {
  const crs = await readCrs();
  const patterns = crs.core.flatMap(({ name, text }) =>
    [...text.toString().matchAll(/"!?@(?:rx|pm) ((?:[^"\\]|\\.)*)"/g)].map((match, i) => ({ name: `${name.split("/").pop()} ${i}`, pattern: match[1] ?? "" })),
  );
  const inputs = patterns.flatMap(({ name, pattern }) => literalsOf(pattern).map((literal) => form(`near ${name}: ${literal}`, `${literal.slice(0, -1)} `)));
  const lists = crs.data.flatMap(({ name, text }) => {
    const phrases = text
      .toString()
      .split("\n")
      .filter((line) => line.length > 3 && !line.startsWith("#"));
    return phrases.length === 0
      ? []
      : [
          form(
            `near phrases of ${name.split("/").pop()}`,
            phrases
              .slice(0, 400)
              .map((phrase) => phrase.slice(0, -1))
              .join(" "),
          ),
        ];
  });
  return [...inputs, ...lists];
}

function runs(): Input[] {
  const bytes = [..." '\"`<>()[]{}|&;:=+-*/\\%$#@!?.,_~^a0A", "\t", "\n", "\x00", "\x80"];
  const units = ["a ", "a'", "/*", "--", "%", "%u", "&#", "\\u", "../", "<a ", "=(", "a=b;", "$(", "1 or ", "select ", "\\x4", "ab\n", "'a'='", "/**/"];
  return [...bytes, ...units].flatMap((unit) => [form(`run of ${JSON.stringify(unit)}`, unit), form(`many of ${JSON.stringify(unit)}`, unit.repeat(8), true)]);
}

function shapes(): Input[] {
  const random = (): (() => number) => {
    let seed = 1;
    return () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed;
    };
  };
  const printable = (bytes: number, next: () => number): string =>
    Array.from({ length: bytes }, () => String.fromCharCode(0x20 + ((next() >>> 16) % 95))).join("");
  return [
    { name: "random text", type: FORM, make: (bytes) => `a=${encodeURIComponent(printable(bytes / 2, random()))}`.slice(0, bytes) },
    { name: "arguments", type: FORM, make: (bytes) => Array.from({ length: Math.min(9900, bytes / 8) }, (_, i) => `a${i}=b`).join("&") },
    {
      name: "arguments with marks",
      type: FORM,
      make: (bytes) => Array.from({ length: Math.min(9900, bytes / 26) }, (_, i) => `a${i}=%27%3C(%2e%2e%2f;b`).join("&"),
    },
    { name: "nested JSON", type: "application/json", make: (bytes) => `${"[".repeat(bytes / 2)}${"]".repeat(bytes / 2)}` },
    { name: "wide JSON", type: "application/json", make: (bytes) => `[${"1,".repeat(bytes / 2 - 1)}1]` },
    { name: "nested JSON, within the limit", type: "application/json", make: (bytes) => `[${`${"[".repeat(30)}"a"${"]".repeat(30)},`.repeat(bytes / 65)}1]` },
    { name: "nested XML", type: "application/xml", make: (bytes) => "<a>".repeat(bytes / 7) + "</a>".repeat(bytes / 7) },
    { name: "wide XML", type: "application/xml", make: (bytes) => `<r>${'<a b="c">d</a>'.repeat(bytes / 14)}</r>` },
    {
      name: "multipart, near boundaries",
      type: "multipart/form-data; boundary=aaaa",
      make: (bytes) => `--aaaa\r\nContent-Disposition: form-data; name="f"\r\n\r\n${"\r\n--aaa".repeat(bytes / 7)}\r\n--aaaa--\r\n`,
    },
    {
      name: "names that collide",
      type: FORM,
      make: (bytes) =>
        collidingNames(Math.min(9900, Math.ceil(bytes / 12)))
          .map((name) => `${name}=1`)
          .join("&"),
    },
  ];
}

/** Names whose hash has the same low 10 bits: all that the table of names that rules select looks at (seclang/selected.ts). */
function collidingNames(count: number): string[] {
  const names: string[] = [];
  for (let i = 0; names.length < count && i < count * 1500; i++) {
    const name = `n${i.toString(36).padStart(6, "0")}`;
    if ((hashOfSeven(Buffer.from(name)) & 0x3ffn) === 0n) names.push(name);
  }
  return names;
}

/** What `hashFold` (assembly/bytes/span.ts) gives for a name of seven bytes in lower case. */
function hashOfSeven(name: Buffer): bigint {
  const word = BigInt(name.readUInt32LE(0)) | (BigInt(name.readUInt32LE(3)) << 32n) | 0x2020202020202020n;
  return mix(mix(7n) ^ word);
}

function mix(h: bigint): bigint {
  const product = BigInt.asUintN(64, (h ^ (h >> 32n)) * 0xbf58476d1ce4e5b9n);
  return product ^ (product >> 32n);
}

/** The fastest of some tries, in nanoseconds a byte. */
function cost(filter: Filter, state: HostState, input: Input, bytes: number): number {
  const body = input.make(bytes);
  const work: Work = {
    name: input.name,
    method: "POST",
    path: "/",
    headers: { Host: "bench.example", "User-Agent": "bench", Accept: "*/*", "Content-Type": input.type },
    body,
  };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i++) {
    const begin = performance.now();
    sendInNode(filter, state, work);
    best = Math.min(best, performance.now() - begin);
  }
  return (best * 1e6) / body.length;
}

/** Tries all inputs against the filter with CRS at level 1, enforcing, and gives the slowest, slowest first. */
export async function findSlow(count: number): Promise<Slow[]> {
  const { filter, state } = await instantiate(await readFile(NGFW_WASM));
  // what is blocked is decided at the end, so all rules run, and its event is written
  configure(filter, state, JSON.stringify({ mode: "enforce", limits: { arguments: 10000 } }));
  const inputs = [...runs(), ...shapes(), ...(await nearMisses())];
  const slow = inputs.map((input): Slow => {
    const costs = SIZES.map((bytes) => cost(filter, state, input, bytes));
    const [first = 1] = costs;
    const last = costs.at(-1) ?? 1;
    return { name: input.name, nanosecondsPerByte: Math.max(...costs), growth: last / first };
  });
  return slow.sort((a, b) => b.nanosecondsPerByte - a.nanosecondsPerByte).slice(0, count);
}
