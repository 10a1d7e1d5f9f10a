/** `bailey build`: the wasm files that Envoy loads. */
import { stat, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { assemble } from "../build/assemble.ts";
import { buildFilter, compileFilter, MESH_FILTERS, WASM } from "../build/build.ts";
import { readRules } from "../files.ts";
import { NGFW_WASM } from "../paths.ts";
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

async function buildMesh(): Promise<void> {
  for (const filter of MESH_FILTERS) {
    await assemble(filter);
    report(WASM[filter], (await stat(WASM[filter])).size);
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
