/** `bailey lint`: what the filter's own compiler says of rules and configurations. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { assemble } from "../build/assemble.ts";
import { buildFilter } from "../build/build.ts";
import { compileInto } from "../build/rules.ts";
import { messageOf, UserError } from "../errors.ts";
import { readConfig, readRules } from "../files.ts";
import { configure } from "../host/exchange.ts";
import { instantiate } from "../host/instance.ts";
import { BASE_WASM, NGFW_WASM } from "../paths.ts";
import { readCrs } from "../setup/crs.ts";
import { readWords } from "../setup/words.ts";

interface Finding {
  file: string;
  error: string;
}

export async function lint(files: string[], options: { format: "text" | "json" }): Promise<void> {
  const findings: Finding[] = [];
  const isConfig = (file: string): boolean => [".json", ".yaml", ".yml"].includes(extname(file));
  const rules = files.filter((file) => !isConfig(file));
  if (rules.length > 0) findings.push(...(await lintRules(rules)));
  for (const file of files.filter(isConfig)) findings.push(...(await lintConfig(file)));
  if (options.format === "json") console.log(JSON.stringify(findings, undefined, 2));
  else for (const { error } of findings) console.log(error);
  if (options.format === "text" && findings.length === 0) console.log(`${files.length} file(s): nothing wrong`);
  if (findings.length > 0) process.exitCode = 1;
}

/** Compiles rules after the recommended settings, without CRS, so that ids of CRS can be used for overrides. */
async function lintRules(paths: string[]): Promise<Finding[]> {
  await assemble();
  const { rules, data } = await readRules(paths);
  const crs = await readCrs();
  const { instance } = await instantiate(await readFile(BASE_WASM));
  try {
    compileInto(instance, { setup: [], core: rules, data: [...crs.data, ...data] }, await readWords());
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ file: error.message.split(":")[0] ?? "", error: error.message }];
  }
}

async function lintConfig(path: string): Promise<Finding[]> {
  await buildFilter();
  try {
    const config = await readConfig(path);
    const { filter, state } = await instantiate(await readFile(NGFW_WASM));
    const refused = configure(filter, state, JSON.stringify(config));
    return refused === undefined ? [] : [{ file: path, error: `${path}: ${refused}` }];
  } catch (error) {
    return [{ file: path, error: messageOf(error) }];
  }
}
