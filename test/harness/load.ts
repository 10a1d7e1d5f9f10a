/** Builds and loads the harness: parts of the engine with their exports, for tests in Node. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { instantiate } from "@assemblyscript/loader";
import { BUILD, ROOT } from "../../cli/paths.ts";
import { run } from "../../cli/process.ts";

interface Value {
  value: number;
}

interface Exports {
  memory: WebAssembly.Memory;
  fingerprint: Value;
  fingerprintLen: Value;
  tokenKind: Value;
  tokenPtr: Value;
  tokenLen: Value;
  allocate(size: number): number;
  loadWords(ptr: number, length: number): number;
  detectSqli(ptr: number, length: number): number;
  detectXss(ptr: number, length: number): number;
  foldTokens(ptr: number, length: number, flags: number): number;
  startTokens(ptr: number, length: number, flags: number): void;
  nextToken(slot: number): number;
  tokenAt(i: number): number;
  tokenTextOffset(): number;
  startHtmlText(ptr: number, length: number): void;
  nextHtml(): number;
}

export class Harness {
  readonly wasm: Exports;

  constructor(wasm: Exports) {
    this.wasm = wasm;
  }

  put(bytes: Buffer): { ptr: number; length: number } {
    const ptr = this.wasm.allocate(bytes.length);
    new Uint8Array(this.wasm.memory.buffer, ptr, bytes.length).set(bytes);
    return { ptr, length: bytes.length };
  }

  text(ptr: number, length: number): string {
    return Buffer.from(this.wasm.memory.buffer, ptr, length).toString("latin1");
  }

  token(i: number): { type: number; open: number; close: number; count: number; text: string } {
    const at = this.wasm.tokenAt(i);
    const view = new DataView(this.wasm.memory.buffer, at, 12);
    const length = view.getInt32(4, true);
    return {
      type: view.getUint8(0),
      open: view.getUint8(1),
      close: view.getUint8(2),
      count: view.getUint8(3),
      text: this.text(at + this.wasm.tokenTextOffset(), length),
    };
  }
}

export async function loadHarness(): Promise<Harness> {
  const output = join(BUILD, "harness.wasm");
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  const { code, stdout, stderr } = await run(process.execPath, [compiler, "test/harness/harness.ts", "--config", "asconfig.json", "--target", "harness"], {
    cwd: ROOT,
  });
  if (code !== 0) throw new Error(`the harness does not compile: ${stdout}${stderr}`);
  const { exports } = await instantiate(await readFile(output), { env: { abort: () => 0 } });
  (exports as unknown as { _initialize(): void })._initialize();
  return new Harness(exports as unknown as Exports);
}
