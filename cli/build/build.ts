/** Builds build/ngfw.wasm: the engine with the rule set compiled into its memory. */
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { instantiate } from "../host/instance.ts";
import { BASE_WASM, MESH_TCP_WASM, MESH_WASM, NGFW_WASM } from "../paths.ts";
import { type RuleSet, readCrs } from "../setup/crs.ts";
import { readWords } from "../setup/words.ts";
import { assemble, type FilterName } from "./assemble.ts";
import { freeze, openGlobals } from "./freeze.ts";
import { compileInto } from "./rules.ts";

/** What Envoy loads, by filter. */
export const WASM: { readonly [filter in FilterName]: string } = { ngfw: NGFW_WASM, mesh: MESH_WASM, "mesh-tcp": MESH_TCP_WASM };
/** Those that are nothing but their code. */
export const MESH_FILTERS = ["mesh", "mesh-tcp"] as const;

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

/** Builds all filters. */
export async function buildAll(): Promise<void> {
  await buildFilter();
  for (const filter of MESH_FILTERS) await assemble(filter);
}
