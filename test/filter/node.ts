/** The filter in Node: the frozen wasm, configured, for tests that need no network. */
import { readFile } from "node:fs/promises";
import { buildFilter } from "../../cli/build/build.ts";
import { configure, type Exchange, exchange, type Outcome } from "../../cli/host/exchange.ts";
import { instantiate } from "../../cli/host/instance.ts";
import { NGFW_WASM } from "../../cli/paths.ts";

const built = buildFilter().then(() => readFile(NGFW_WASM));

export interface Configured {
  /** Why the configuration was refused; undefined if it was not. */
  refused: string | undefined;
  send(input?: Partial<Exchange> & { host?: string; headers?: [string, string][]; body?: string }): Outcome;
  metric(name: string): number;
}

/** Configures a filter of its own. */
export async function filterWith(config: object | string): Promise<Configured> {
  const { filter, state } = await instantiate(await built);
  const refused = configure(filter, state, typeof config === "string" ? config : JSON.stringify(config));
  return {
    refused,
    send({ host = "localhost", headers = [], body, ...input } = {}) {
      const all: [string, string][] = [["Host", host], ["User-Agent", "Mozilla/5.0"], ["Accept", "*/*"], ...headers];
      if (body !== undefined) all.push(["Content-Length", String(Buffer.byteLength(body))]);
      return exchange(filter, state, {
        method: body === undefined ? "GET" : "POST",
        path: "/",
        request: { headers: all, ...(body !== undefined && { body: Buffer.from(body) }) },
        ...input,
      });
    },
    metric(name) {
      return [...state.metrics.values()].find((metric) => metric.name === `bailey.ngfw.${name}`)?.value ?? 0;
    },
  };
}

export const SQLI = "/?id=1%27%20OR%201=1--%20";
export const XSS = "/?q=%3Cscript%3Ealert(1)%3C/script%3E";
