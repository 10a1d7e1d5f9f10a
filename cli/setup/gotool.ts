/** Programs that come as Go modules, built once and kept in the cache. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { CACHE } from "../paths.ts";
import { lastLine, run } from "../process.ts";
import { ensureGo } from "./gomodule.ts";

/** Talks to registries. */
export const CRANE = "github.com/google/go-containerregistry/cmd/crane@v0.21.6";

/** Gives the path of a command of a Go module, `module/path@version`, building it if it is missing. Takes minutes for large ones. */
export async function ensureGoTool(command: string): Promise<string> {
  const [path = "", version = ""] = command.split("@");
  const folder = join(CACHE, "tools", version);
  // a last part such as v5 is a version of the module, not a name
  const binary = join(folder, /^v\d+$/.test(basename(path)) ? basename(join(path, "..")) : basename(path));
  if (existsSync(binary)) return binary;
  const go = await ensureGo();
  await mkdir(folder, { recursive: true });
  const env = { ...process.env, CGO_ENABLED: "0", GOBIN: folder, GOFLAGS: "-mod=mod" };
  const result = await run(go, ["install", "-trimpath", "-ldflags", "-s -w", command], { cwd: folder, env });
  if (result.code !== 0) throw new UserError(`${command} cannot be built; is there a network or a module proxy? go says: ${lastLine(result)}`);
  return binary;
}
