/**
 * libinjection's tables from the Go module that carries them, as lines of text: the letter of a table
 * (s: SQL, t: tags, e: events, a: attributes), the type, the word. See assembly/detect/words.ts.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { ensureModule } from "./gomodule.ts";

export const WORDS_MODULE = "github.com/corazawaf/libinjection-go";
export const WORDS_VERSION = "v0.2.2";
const SUM = "h1:Chzodvb6+NXh6wew5/yhD0Ggioif9ACrQGR4qjTCs1g=";

/** Kinds of attributes, in the order of the module's constants. */
const KINDS: Record<string, number> = { attributeTypeBlack: 1, attributeTypeAttrURL: 2, attributeTypeStyle: 3, attributeTypeAttrIndirect: 4 };

/** Gives the folder of the module: it has libinjection's tests too. */
export function ensureLibinjection(): Promise<string> {
  return ensureModule(WORDS_MODULE, WORDS_VERSION, SUM);
}

/** Reads all tables. */
export async function readWords(): Promise<Buffer> {
  const folder = await ensureLibinjection();
  const sql = await readFile(join(folder, "sqli_data.go"), "utf8");
  const html = await readFile(join(folder, "xss_decls.go"), "utf8");
  const lines = [
    ...[...sql.matchAll(/^\t"((?:[^"\\]|\\.)+)":\s*'(.)'/gm)].map(([, word, type]) => `s ${type} ${unescaped(word)}`),
    ...[...between(html, "var blackTags").matchAll(/"([^"]+)"/g)].map(([, word]) => `t 1 ${word}`),
    ...[...between(html, "var blackEvents").matchAll(/"([^"]+)", (\w+)/g)].map(([, word, kind]) => `e ${KINDS[kind ?? ""]} ${word}`),
    ...[...between(html, "var blacks ").matchAll(/"([^"]+)", (\w+)/g)].map(([, word, kind]) => `a ${KINDS[kind ?? ""]} ${word}`),
  ];
  if (lines.length < 9000) throw new UserError(`libinjection's tables have only ${lines.length} words, expected over 9000`);
  return Buffer.from(`${lines.join("\n")}\n`, "latin1");
}

function unescaped(word = ""): string {
  return word.replace(/\\(.)/g, "$1");
}

function between(text: string, start: string): string {
  const from = text.indexOf(start);
  return text.slice(from, text.indexOf("\n}", from));
}
