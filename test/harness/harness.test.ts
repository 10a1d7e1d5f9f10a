/** libinjection's own test inputs, from the Go module that carries them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { ensureLibinjection, readWords } from "../../cli/setup/words.ts";
import { type Harness, loadHarness } from "./load.ts";

const QUOTE_NONE = 1;
const ANSI = 8;
const MYSQL = 16;
const KINDS = [
  "DATA_TEXT",
  "TAG_NAME_OPEN",
  "TAG_NAME_CLOSE",
  "TAG_NAME_SELFCLOSE",
  "TAG_DATA",
  "TAG_CLOSE",
  "ATTR_NAME",
  "ATTR_VALUE",
  "TAG_COMMENT",
  "DOCTYPE",
];

interface Case {
  name: string;
  input: string;
  expected: string;
}

function readCase(folder: string, name: string): Case {
  const sections: Record<string, string> = {};
  let section = "";
  for (const line of readFileSync(join(folder, name), "latin1").split("\n")) {
    const text = line.trim();
    if (/^--(TEST|INPUT|EXPECTED)--$/.test(text)) section = text;
    else sections[section] = `${sections[section] ?? ""}${text}\n`;
  }
  return { name, input: (sections["--INPUT--"] ?? "").trim(), expected: (sections["--EXPECTED--"] ?? "").trim() };
}

function printToken(harness: Harness, i: number): string {
  const { type, open, close, count, text } = harness.token(i);
  const quoted = (open ? String.fromCharCode(open) : "") + text + (close ? String.fromCharCode(close) : "");
  const letter = String.fromCharCode(type);
  if (letter === "s") return `s ${quoted}`.trim();
  if (letter === "v") return `v ${"@".repeat(count)}${quoted}`.trim();
  return `${letter} ${text}`.trim();
}

describe("libinjection's own tests", async () => {
  const folder = join(await ensureLibinjection(), "tests");
  const cases = readdirSync(folder).map((name) => readCase(folder, name));
  let harness: Harness;
  before(async () => {
    harness = await loadHarness();
    const words = harness.put(await readWords());
    assert.ok(harness.wasm.loadWords(words.ptr, words.length) > 9000);
  });
  const having = (part: string): Case[] => cases.filter(({ name }) => name.includes(part));

  test("there are as many as the module ships", () => assert.equal(cases.length, 485));

  for (const { name, input, expected } of having("-sqli-")) {
    test(name, () => {
      const { ptr, length } = harness.put(Buffer.from(input, "latin1"));
      const found = harness.wasm.detectSqli(ptr, length) ? harness.text(harness.wasm.fingerprint.value, harness.wasm.fingerprintLen.value) : "";
      assert.equal(found, expected);
    });
  }
  for (const { name, input, expected } of having("-folding-")) {
    test(name, () => {
      const { ptr, length } = harness.put(Buffer.from(input, "latin1"));
      const count = harness.wasm.foldTokens(ptr, length, QUOTE_NONE | ANSI);
      assert.equal(Array.from({ length: count }, (_, i) => printToken(harness, i)).join("\n"), expected);
    });
  }
  for (const { name, input, expected } of having("-tokens-")) {
    test(name, () => {
      const { ptr, length } = harness.put(Buffer.from(input, "latin1"));
      harness.wasm.startTokens(ptr, length, name.includes("-tokens_mysql-") ? QUOTE_NONE | MYSQL : QUOTE_NONE | ANSI);
      const tokens: string[] = [];
      while (harness.wasm.nextToken(0)) tokens.push(printToken(harness, 0));
      assert.equal(tokens.join("\n").trim(), expected);
    });
  }
  for (const { name, input, expected } of having("-html5-")) {
    test(name, () => {
      const { ptr, length } = harness.put(Buffer.from(input, "latin1"));
      harness.wasm.startHtmlText(ptr, length);
      const tokens: string[] = [];
      while (harness.wasm.nextHtml()) {
        const { tokenKind, tokenPtr, tokenLen } = harness.wasm;
        tokens.push(`${KINDS[tokenKind.value]},${tokenLen.value},${harness.text(tokenPtr.value, tokenLen.value)}`);
      }
      assert.equal(tokens.join("\n").trim(), expected);
    });
  }
});
