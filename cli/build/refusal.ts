/** Asks the filter itself what it says of a configuration. */
import { readFile } from "node:fs/promises";
import { configure } from "../host/exchange.ts";
import { instantiate } from "../host/instance.ts";
import { NGFW_WASM } from "../paths.ts";
import { loadEngine } from "../policies/engine.ts";
import type { MeshConfig } from "../policies/model.ts";
import { buildFilter } from "./build.ts";

/** Gives why the filter of a plugin, `bailey.ngfw` or one of the mesh's, refuses a configuration; undefined if it does not. */
export async function refusalOf(pluginName: string, config: object): Promise<string | undefined> {
  if (pluginName !== "bailey.ngfw") return (await loadEngine(config as MeshConfig, pluginName === "bailey.mesh-tcp")).refused;
  await buildFilter();
  const { filter, state } = await instantiate(await readFile(NGFW_WASM));
  return configure(filter, state, JSON.stringify(config));
}
