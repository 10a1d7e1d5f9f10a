/** `bailey compile` */
import { writeFile } from "node:fs/promises";
import { assemble } from "../build/assemble.ts";
import { compileFilter } from "../build/build.ts";
import { readRules } from "../files.ts";
import { readCrs } from "../setup/crs.ts";

export async function compile(files: string[], options: { output: string; crs?: boolean }): Promise<void> {
  await assemble();
  const own = await readRules(files);
  const crs = await readCrs();
  const rules = options.crs
    ? { setup: crs.setup, core: [...crs.core, ...own.rules], data: [...crs.data, ...own.data] }
    : { setup: [], core: own.rules, data: [...crs.data, ...own.data] };
  const wasm = await compileFilter(rules);
  await writeFile(options.output, wasm);
  console.log(`${options.output}: ${(wasm.length / 1024 / 1024).toFixed(1)} MiB`);
}
