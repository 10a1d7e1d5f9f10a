/** The mesh filter that Envoy loads, with policies, to be asked what it decides. */
import { readFile } from "node:fs/promises";
import { assemble } from "../build/assemble.ts";
import { configure } from "../host/exchange.ts";
import { instantiate } from "../host/instance.ts";
import { type Answer, ask, askConnection, type Call } from "../host/mesh.ts";
import { MESH_TCP_WASM, MESH_WASM } from "../paths.ts";
import type { MeshConfig } from "./model.ts";

export interface Engine {
  /** Why the configuration is refused; undefined if it is not. */
  refused: string | undefined;
  ask(call: Call): Answer;
}

/** Loads the filter with a configuration. Every decision is reported, whatever the configuration says of events. */
export async function loadEngine(config: MeshConfig, isTcp = false): Promise<Engine> {
  await assemble(isTcp ? "mesh-tcp" : "mesh");
  const { filter, state } = await instantiate(await readFile(isTcp ? MESH_TCP_WASM : MESH_WASM));
  const loud = { ...config, events: { ...(config.events as object | undefined), decisions: "all", perSecond: 100_000 } };
  return { refused: configure(filter, state, JSON.stringify(loud)), ask: (call) => (isTcp ? askConnection : ask)(filter, state, call) };
}
