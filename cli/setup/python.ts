/** Python packages in a private virtual environment: Envoy, and a Go toolchain where there is none. */
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { CACHE } from "../paths.ts";
import { lastLine, run } from "../process.ts";

const VENV = join(CACHE, "venv");
const PYTHON = join(VENV, "bin", "python");

async function ensureVenv(): Promise<void> {
  if (existsSync(PYTHON)) return;
  await mkdir(CACHE, { recursive: true });
  const version = await run("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]);
  if (version.code === 127) throw new UserError("python3 is missing: it brings Envoy; install Python 3.8 or newer and run this again");
  if (version.code !== 0) throw new UserError("python3 is too old: Envoy's package needs Python 3.8 or newer");
  const made = await run("python3", ["-m", "venv", VENV]);
  if (made.code !== 0) throw new UserError(`python3 cannot make a virtual environment (on Debian: apt install python3-venv): ${lastLine(made)}`);
}

/** Installs a package, `name==version`, into the private environment. */
export async function ensurePackage(requirement: string): Promise<void> {
  await ensureVenv();
  const installed = await run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]);
  if (installed.code !== 0) {
    throw new UserError(`the Python package ${requirement} cannot be installed; is there a network or a package mirror? pip says: ${lastLine(installed)}`);
  }
}

/** Gives the path of a file in the environment's site-packages. */
export async function sitePackage(...path: string[]): Promise<string> {
  const lib = join(VENV, "lib");
  if (!existsSync(lib)) return join(lib, "none");
  const python = (await readdir(lib)).find((name) => name.startsWith("python")) ?? "none";
  return join(lib, python, "site-packages", ...path);
}
