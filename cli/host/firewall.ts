/** The firewall as Envoy loads it, in Node. */
import { readFile } from "node:fs/promises";
import { buildFilter } from "../build/build.ts";
import { NGFW_WASM } from "../paths.ts";
import { configure, type Exchange, exchange, type Outcome } from "./exchange.ts";
import { instantiate } from "./instance.ts";

export interface Firewall {
  /** Why it refuses its configuration; undefined if it does not. */
  refused: string | undefined;
  send: (input: Exchange) => Outcome;
}

/** Builds the firewall if need be, and gives it a configuration. */
export async function loadFirewall(config: object): Promise<Firewall> {
  await buildFilter();
  const { filter, state } = await instantiate(await readFile(NGFW_WASM));
  const refused = configure(filter, state, JSON.stringify(config));
  return { refused, send: (input) => exchange(filter, state, input) };
}
