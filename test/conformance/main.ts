/** `npm run conformance`: the unmodified CRS regression tests against Envoy with the filter. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { buildFilter } from "../../cli/build/build.ts";
import { NGFW_WASM } from "../../cli/paths.ts";
import { CRS_VERSION, ensureCrs } from "../../cli/setup/crs.ts";
import { Arena, type Verdict } from "./runner.ts";
import { readSuite, type Test } from "./suite.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Reads the ignored tests: id to reason. */
async function readIgnored(): Promise<Map<string, string>> {
  const file = parse(await readFile(join(HERE, "ignored.yaml"), "utf8")) as { ignored: Record<string, string> | null };
  return new Map(Object.entries(file.ignored ?? {}));
}

async function runAll(tests: Test[], rulesOn: boolean): Promise<Verdict[]> {
  const arena = await Arena.start(NGFW_WASM, rulesOn);
  const verdicts: Verdict[] = [];
  try {
    for (const test of tests) {
      verdicts.push(await arena.run(test));
      if (process.stdout.isTTY) process.stdout.write(`\r${verdicts.length}/${tests.length}`);
    }
  } finally {
    await arena.stop();
  }
  if (process.stdout.isTTY) process.stdout.write("\r");
  return verdicts;
}

async function main(): Promise<void> {
  const only = process.argv[2];
  await buildFilter();
  const all = await readSuite(join(await ensureCrs(), "tests"));
  const ignored = await readIgnored();
  for (const id of ignored.keys()) if (!all.some((test) => test.id === id)) throw new Error(`ignored.yaml names ${id}, which is no test`);
  const tests = all.filter(({ id }) => !ignored.has(id) && (only === undefined || id.startsWith(only)));
  const verdicts = await runAll(tests, true);
  const failed = verdicts.filter(({ passed }) => !passed);
  for (const { test, reason, ids } of failed) console.log(`failed ${test.id} (${test.file}): ${reason} [matched: ${[...new Set(ids)].join(" ")}]`);
  if (only === undefined) {
    const without = await runAll(tests, false);
    const failing = without.filter(({ passed }) => !passed).length;
    console.log(`with the rules switched off: ${failing} of ${without.length} fail, so the suite can`);
    if (failing < without.length / 2) process.exitCode = 1;
  }
  for (const [id, reason] of ignored) console.log(`ignored ${id}: ${reason}`);
  console.log(`CRS ${CRS_VERSION}: ${verdicts.length} run, ${verdicts.length - failed.length} passed, ${failed.length} failed, ${ignored.size} ignored`);
  if (failed.length > 0) process.exitCode = 1;
}

await main();
