/** Compiles the filter's AssemblyScript to the base wasm: the engine, without rules. */
import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { BASE_WASM, ROOT } from "../paths.ts";
import { run } from "../process.ts";

/** Gives the time of the newest source. */
async function newestSource(): Promise<number> {
  let newest = statSync(join(ROOT, "asconfig.json")).mtimeMs;
  for (const folder of ["assembly", "filters"]) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
      newest = Math.max(newest, statSync(join(ROOT, folder, entry)).mtimeMs);
    }
  }
  return newest;
}

/** Compiles if a source is newer than the result. True if it did. */
export async function assemble(): Promise<boolean> {
  if (existsSync(BASE_WASM) && statSync(BASE_WASM).mtimeMs > (await newestSource())) return false;
  // a process of its own: loading the compiler takes seconds, and most commands do not need it
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  const { code, stdout, stderr } = await run(process.execPath, [compiler, "filters/ngfw.ts", "--config", "asconfig.json", "--target", "ngfw"], { cwd: ROOT });
  if (code !== 0) throw new UserError(`filters/ngfw.ts does not compile:\n${stdout}${stderr}`);
  return true;
}
