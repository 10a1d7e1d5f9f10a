/** The mesh filters in Node: the wasm that Envoy loads, configured, for tests that need no network. */
import { readMesh } from "../../cli/build/assemble.ts";
import { configure } from "../../cli/host/exchange.ts";
import { type HostState, instantiate } from "../../cli/host/instance.ts";
import { type Answer, ask, askConnection, type Call } from "../../cli/host/mesh.ts";

const http = readMesh();
const tcp = readMesh(true);

export interface Configured {
  /** Why the configuration was refused; undefined if it was not. */
  refused: string | undefined;
  state: HostState;
  ask(call?: Call): Answer;
  metric(name: string): number;
  /** Configures the same plugin again. Gives the refusal. */
  reconfigure(config: object | string): string | undefined;
  /** Bytes of linear memory. */
  memory(): number;
}

const text = (config: object | string): string => (typeof config === "string" ? config : JSON.stringify(config));

/** Configures a filter of its own. */
export async function meshWith(config: object | string, isTcp = false): Promise<Configured> {
  const { filter, state } = await instantiate(await (isTcp ? tcp : http));
  const refused = configure(filter, state, text(config));
  return {
    refused,
    state,
    ask: (call = {}) => (isTcp ? askConnection : ask)(filter, state, call),
    metric: (name) => [...state.metrics.values()].find((metric) => metric.name === `bailey.mesh.${name}`)?.value ?? 0,
    reconfigure: (next) => configure(filter, state, text(next)),
    memory: () => filter.memory.buffer.byteLength,
  };
}

/** One policy of one rule. */
export function policy(rule: object, action = "ALLOW", rest: object = {}): object {
  return { name: "test", namespace: "shop", ...rest, spec: { action, rules: [rule] } };
}

/** A configuration of one policy of one rule. */
export function one(rule: object, action = "ALLOW"): object {
  return { policies: [policy(rule, action)] };
}

export const WEB = "spiffe://cluster.local/ns/shop/sa/web";
