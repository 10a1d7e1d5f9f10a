/** The mesh filter that Envoy loads, with policies, to be asked what it decides. */
import { readMesh } from "../build/assemble.ts";
import { configure } from "../host/exchange.ts";
import { instantiate } from "../host/instance.ts";
import { type Answer, ask, askConnection, type Call } from "../host/mesh.ts";
import type { AuthorizationPolicy, MeshConfig } from "./model.ts";
import { placeInIstio, toPlugin } from "./translate.ts";

export interface Engine {
  /** Why the configuration is refused; undefined if it is not. */
  refused: string | undefined;
  ask(call: Call): Answer;
}

/** Loads the filter with a configuration. Every decision is reported, whatever the configuration says of events. */
export async function loadEngine(config: MeshConfig, isTcp = false): Promise<Engine> {
  const { filter, state } = await instantiate(await readMesh(isTcp));
  const loud = { ...config, events: { ...(config.events as object | undefined), decisions: "all", perSecond: 100_000 } };
  return { refused: configure(filter, state, JSON.stringify(loud)), ask: (call) => (isTcp ? askConnection : ask)(filter, state, call) };
}

/** Loads it with AuthorizationPolicies and further settings; what it refuses names the policy instead of a place in pluginConfig. */
export async function loadIstioEngine(policies: AuthorizationPolicy[], rest: MeshConfig = {}, isTcp = false): Promise<Engine> {
  const { refused, ask } = await loadEngine({ ...rest, policies: toPlugin(policies) }, isTcp);
  return { refused: refused && placeInIstio(refused, policies), ask };
}
