/** The user's files: SecLang with its includes, and configurations in JSON or YAML. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { type Document, parseDocument } from "yaml";
import { UserError } from "./errors.ts";
import type { Source } from "./setup/crs.ts";

/** Includes within includes. */
const MAX_INCLUDES = 16;

/** Reads a file of the user's; a missing one gets one clear sentence. */
export async function readUserFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : `cannot be read: ${(error as Error).message}`;
    throw new UserError(`${path} ${reason}`, 2);
  }
}

/** Reads a file of the user's, or standard input where none is named, or `-`. */
export async function readInput(path: string | undefined): Promise<Buffer> {
  if (path !== undefined && path !== "-") return readUserFile(path);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads SecLang files with what they include, in order, and the data files that stand beside them. */
export async function readRules(paths: string[]): Promise<{ rules: Source[]; data: Source[] }> {
  const rules: Source[] = [];
  const data = new Map<string, Source>();
  for (const path of paths) {
    if (extname(path) === ".data") data.set(basename(path), { name: basename(path), text: await readUserFile(path) });
    else await readWithIncludes(path, rules, data, 0);
  }
  return { rules, data: [...data.values()] };
}

const INCLUDE = /^[ \t]*Include(Optional)?[ \t]+"?([^"\r\n]+?)"?[ \t]*$/im;

/**
 * Reads one file. The text before and after an `Include` become sources of their own, padded with empty
 * lines, so that errors still have the right line.
 */
async function readWithIncludes(path: string, rules: Source[], data: Map<string, Source>, depth: number): Promise<void> {
  if (depth > MAX_INCLUDES) throw new UserError(`${path}: files include each other more than ${MAX_INCLUDES} deep`, 2);
  let text = (await readUserFile(path)).toString("latin1");
  await readNamedData(path, text, data);
  let line = 0;
  for (let match = INCLUDE.exec(text); match; match = INCLUDE.exec(text)) {
    const [whole, optional, pattern = ""] = match;
    const before = text.slice(0, match.index);
    rules.push({ name: path, text: Buffer.from("\n".repeat(line) + before, "latin1") });
    for (const file of await expand(resolve(dirname(path), pattern), optional !== undefined, path)) await readWithIncludes(file, rules, data, depth + 1);
    line += before.split("\n").length - 1 + (whole.split("\n").length - 1);
    text = text.slice(match.index + whole.length);
  }
  rules.push({ name: path, text: Buffer.from("\n".repeat(line) + text, "latin1") });
}

/** Gives the files that a path with `*` in its last part names, sorted. */
async function expand(pattern: string, optional: boolean, from: string): Promise<string[]> {
  const folder = dirname(pattern);
  const names = existsSync(folder) ? await readdir(folder) : [];
  const expression = new RegExp(
    `^${basename(pattern)
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")}$`,
  );
  const found = names.filter((name) => expression.test(name)).sort();
  if (found.length === 0 && !optional) throw new UserError(`${from}: Include ${pattern} names no file`, 2);
  return found.map((name) => join(folder, name));
}

/** Reads the files that `@pmFromFile` and `@ipMatchFromFile` name and that stand beside the rules. */
async function readNamedData(path: string, text: string, data: Map<string, Source>): Promise<void> {
  for (const [, name = ""] of text.matchAll(/@(?:pmf|pmFromFile|ipMatchF|ipMatchFromFile)\s+([^\s"]+)/gi)) {
    const file = resolve(dirname(path), name);
    if (existsSync(file)) data.set(basename(name), { name: basename(name), text: await readUserFile(file) });
  }
}

/** Gives what a document of a file says. Throws the first thing that is wrong with it. */
export function contentOf(document: Document.Parsed, path: string): unknown {
  const [error] = document.errors;
  if (error) throw new UserError(`${path}: ${error.message.split("\n")[0]}`, 2);
  return document.toJS();
}

/** Reads a file of one document in JSON or YAML. */
export async function readYaml(path: string): Promise<unknown> {
  return contentOf(parseDocument((await readUserFile(path)).toString()), path);
}

/** Reads a configuration in JSON or YAML and gives it as JSON text; no path gives the fallback. */
export async function readConfig(path: string | undefined, fallback: object = {}): Promise<Record<string, unknown>> {
  if (path === undefined) return { ...fallback };
  const value = await readYaml(path);
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new UserError(`${path}: expected an object of settings`, 2);
  return value as Record<string, unknown>;
}

/** Gives the configuration with rules added after CRS. */
export function withRules(config: Record<string, unknown>, rules: Source[]): Record<string, unknown> {
  if (rules.length === 0) return config;
  const own = (config.rules ?? {}) as { before?: string[]; after?: string[] };
  return { ...config, rules: { ...own, after: [...(own.after ?? []), ...rules.map(({ text }) => text.toString("latin1"))] } };
}

/** Writes a file for as long as something uses it. */
export async function withTemporaryFile<T>(name: string, content: string | Buffer, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bailey-"));
  try {
    const path = join(folder, name);
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
