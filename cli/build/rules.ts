/** Compiles rules into an instance of the base wasm, with the engine's own compiler. */
import { basename } from "node:path";
import { UserError } from "../errors.ts";
import type { RuleSet, Source } from "../setup/crs.ts";

const SETUP = 0;
const CORE = 1;
const DATA = 2;
const WORDS = 3;

interface Exports {
  memory: WebAssembly.Memory;
  bailey_allocate(size: number): number;
  bailey_free(ptr: number, size: number): void;
  bailey_add_source(kind: number, name: number, nameLength: number, ptr: number, length: number): number;
  bailey_error(): number;
  bailey_error_length(): number;
}

/** Compiles libinjection's tables, data files and rules, in this order. Throws the first error of the rules. */
export function compileInto(instance: WebAssembly.Instance, rules: RuleSet, words: Buffer): void {
  const wasm = instance.exports as unknown as Exports;
  add(wasm, WORDS, { name: "words", text: words });
  for (const source of rules.data) add(wasm, DATA, source);
  for (const source of rules.setup) add(wasm, SETUP, source);
  for (const source of rules.core) add(wasm, CORE, source);
}

function add(wasm: Exports, kind: number, source: Source): void {
  const name = put(wasm, Buffer.from(kind === DATA ? basename(source.name) : source.name));
  const text = put(wasm, source.text);
  const ok = wasm.bailey_add_source(kind, name.ptr, name.length, text.ptr, text.length);
  wasm.bailey_free(name.ptr, name.length);
  wasm.bailey_free(text.ptr, text.length);
  if (ok) return;
  throw new UserError(Buffer.from(wasm.memory.buffer, wasm.bailey_error(), wasm.bailey_error_length()).toString());
}

function put(wasm: Exports, bytes: Buffer): { ptr: number; length: number } {
  const ptr = wasm.bailey_allocate(Math.max(bytes.length, 1));
  new Uint8Array(wasm.memory.buffer, ptr, bytes.length).set(bytes);
  return { ptr, length: bytes.length };
}
