/** `bailey lint`: what the filters' own compilers say of rules, policies and configurations. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { assemble } from "../build/assemble.ts";
import { refusalOf } from "../build/refusal.ts";
import { compileInto } from "../build/rules.ts";
import { messageOf, UserError } from "../errors.ts";
import { readRules } from "../files.ts";
import { instantiate } from "../host/instance.ts";
import { BASE_WASM } from "../paths.ts";
import { readDocuments } from "../policies/documents.ts";
import { loadIstioEngine } from "../policies/engine.ts";
import { isDecidable } from "../policies/translate.ts";
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

/** What a file of settings is for shows in what it holds: policies, or what the firewall reads. */
async function lintConfig(path: string): Promise<Finding[]> {
  try {
    const { policies, configs } = await readDocuments([path]);
    const decidable = policies.filter(isDecidable);
    const refusals: (string | undefined)[] = [];
    if (decidable.length > 0) refusals.push((await loadIstioEngine(decidable)).refused);
    for (const { config } of configs) refusals.push(await refusalOf(config.policies === undefined ? "bailey.ngfw" : "bailey.mesh", config));
    return refusals.flatMap((refused) => (refused === undefined ? [] : [{ file: path, error: `${path}: ${refused}` }]));
  } catch (error) {
    return [{ file: path, error: messageOf(error) }];
  }
}
