/** Asks the filter itself what it says of a configuration. */
import { loadFirewall } from "../host/firewall.ts";
import { loadEngine } from "../policies/engine.ts";
import type { MeshConfig } from "../policies/model.ts";

/** Gives why the filter of a plugin, `bailey.ngfw` or one of the mesh's, refuses a configuration; undefined if it does not. */
export async function refusalOf(pluginName: string, config: object): Promise<string | undefined> {
  if (pluginName === "bailey.ngfw") return (await loadFirewall(config)).refused;
  return (await loadEngine(config as MeshConfig, pluginName === "bailey.mesh-tcp")).refused;
}
