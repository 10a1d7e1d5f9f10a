/** Compiles the filters' AssemblyScript; the firewall's becomes the base wasm: the engine, without rules. */
import { existsSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { UserError } from "../errors.ts";
import { BASE_WASM, MESH_TCP_WASM, MESH_WASM, ROOT } from "../paths.ts";
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

/** Each filter's entry in filters/, and what it is compiled to. */
const OUTPUTS = { ngfw: BASE_WASM, mesh: MESH_WASM, "mesh-tcp": MESH_TCP_WASM };
export type FilterName = keyof typeof OUTPUTS;

/** Compiles a filter if a source is newer than the result. True if it did. */
export async function assemble(filter: FilterName = "ngfw"): Promise<boolean> {
  const output = OUTPUTS[filter];
  if (existsSync(output) && statSync(output).mtimeMs > (await newestSource())) return false;
  // a process of its own: loading the compiler takes seconds, and most commands do not need it
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  const entry = `filters/${filter}.ts`;
  const args = [compiler, entry, "--config", "asconfig.json", "--target", "filter", "--outFile", relative(ROOT, output)];
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: ROOT });
  if (code !== 0) throw new UserError(`${entry} does not compile:\n${stdout}${stderr}`);
  return true;
}

/** Gives a mesh filter as Envoy loads it, compiled if it is not. `isTcp`: that for connections without HTTP. */
export async function readMesh(isTcp = false): Promise<Buffer> {
  const filter = isTcp ? "mesh-tcp" : "mesh";
  await assemble(filter);
  return readFile(OUTPUTS[filter]);
}
