/** Builds build/ngfw.wasm: the engine with the rule set compiled into its memory. */
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { instantiate } from "../host/instance.ts";
import { BASE_WASM, NGFW_WASM } from "../paths.ts";
import { type RuleSet, readCrs } from "../setup/crs.ts";
import { readWords } from "../setup/words.ts";
import { assemble } from "./assemble.ts";
import { freeze, openGlobals } from "./freeze.ts";
import { compileInto } from "./rules.ts";

/** Gives the wasm with `rules` compiled in. */
export async function compileFilter(rules: RuleSet): Promise<Uint8Array> {
  const base = await readFile(BASE_WASM);
  const { instance } = await instantiate(openGlobals(base));
  compileInto(instance, rules, await readWords());
  return freeze(base, instance);
}

/** Builds the filter with all of CRS if anything it is made of changed. Gives the bytes of the file. */
export async function buildFilter(output = NGFW_WASM): Promise<number> {
  const assembled = await assemble();
  if (!assembled && existsSync(output) && statSync(output).mtimeMs > statSync(BASE_WASM).mtimeMs) return statSync(output).size;
  const wasm = await compileFilter(await readCrs());
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, wasm);
  return wasm.length;
}
