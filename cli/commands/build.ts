/** `bailey build` */
import { writeFile } from "node:fs/promises";
import { assemble } from "../build/assemble.ts";
import { buildFilter, compileFilter } from "../build/build.ts";
import { readRules } from "../files.ts";
import { NGFW_WASM } from "../paths.ts";
import { readCrs } from "../setup/crs.ts";

export interface BuildOptions {
  rules?: string[];
  output?: string;
}

export async function build(options: BuildOptions): Promise<void> {
  const output = options.output ?? NGFW_WASM;
  if (!options.rules) {
    report(output, await buildFilter(output));
    return;
  }
  await assemble();
  const crs = await readCrs();
  const own = await readRules(options.rules);
  const wasm = await compileFilter({ setup: crs.setup, core: [...crs.core, ...own.rules], data: [...crs.data, ...own.data] });
  await writeFile(output, wasm);
  report(output, wasm.length);
}

function report(output: string, bytes: number): void {
  console.log(`${output}: ${(bytes / 1024 / 1024).toFixed(1)} MiB`);
}
