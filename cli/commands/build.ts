/** `bailey build`: the wasm files that Envoy loads. */
import { stat, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { assemble } from "../build/assemble.ts";
import { buildFilter, compileFilter } from "../build/build.ts";
import { readRules } from "../files.ts";
import { MESH_TCP_WASM, MESH_WASM, NGFW_WASM } from "../paths.ts";
import { readCrs } from "../setup/crs.ts";

export interface BuildOptions {
  rules?: string[];
  output?: string;
}

export async function build(options: BuildOptions): Promise<void> {
  const output = options.output ?? NGFW_WASM;
  if (options.rules) await buildWith(options.rules, output);
  else report(output, await buildFilter(output));
  if (!options.output) await buildMesh();
}

/** Builds all filters. */
export async function buildAll(): Promise<void> {
  await buildFilter();
  for (const filter of ["mesh", "mesh-tcp"] as const) await assemble(filter);
}

async function buildMesh(): Promise<void> {
  for (const [filter, wasm] of [
    ["mesh", MESH_WASM],
    ["mesh-tcp", MESH_TCP_WASM],
  ] as const) {
    await assemble(filter);
    report(wasm, (await stat(wasm)).size);
  }
}

async function buildWith(rules: string[], output: string): Promise<void> {
  await assemble();
  const crs = await readCrs();
  const own = await readRules(rules);
  const wasm = await compileFilter({ setup: crs.setup, core: [...crs.core, ...own.rules], data: [...crs.data, ...own.data] });
  await writeFile(output, wasm);
  report(output, wasm.length);
}

function report(output: string, bytes: number): void {
  console.log(`${relative(process.cwd(), output)}: ${(bytes / 1024 / 1024).toFixed(1)} MiB`);
}
