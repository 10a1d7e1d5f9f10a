/**
 * `bailey exclude`: proposes exclusions for false positives, from events in a log or from a request that is wrongly
 * blocked, and tries each request again with them, in the wasm that Envoy loads.
 */
import { Document, type YAMLMap } from "yaml";
import { UserError } from "../errors.ts";
import { eventsIn } from "../events.ts";
import { readConfig, readInput } from "../files.ts";
import type { BaileyEvent, Exchange, Outcome } from "../host/exchange.ts";
import { loadFirewall } from "../host/firewall.ts";
import { readRequests } from "../requests.ts";
import { type Exclusion, type Proposal, propose } from "../tuning/exclusions.ts";

export interface ExcludeOptions {
  curl?: string;
  config?: string;
}

type Config = { [key: string]: unknown };

/** Exit code where a request is still blocked, as for `explain`. */
const BLOCKED = 3;

export async function exclude(file: string | undefined, options: ExcludeOptions): Promise<void> {
  const input = options.curl === undefined ? await readInput(file) : Buffer.from(options.curl);
  const config = await readConfig(options.config, { mode: "enforce" });
  const logged = eventsIn<BaileyEvent>(input.toString()).filter(({ bailey }) => bailey.matches !== undefined);
  const requests = logged.length > 0 ? [] : readRequests(input);
  const events = logged.length > 0 ? logged : (await send(config, requests)).flatMap(({ events }) => events.map(withoutOrigin));
  const proposals = propose(events);
  if (proposals.length === 0) throw new UserError(requests.length > 0 ? "no rule matches; there is nothing to exclude" : "no event names a rule");
  process.stdout.write(toYaml(proposals));
  if (requests.length === 0) return;
  const own = (config.exclusions ?? []) as Exclusion[];
  const outcomes = await send({ ...config, exclusions: [...own, ...proposals.map(({ exclusion }) => exclusion)] }, requests);
  for (const [i, { status, events }] of outcomes.entries()) {
    const { method = "", path = "" } = requests[i] ?? {};
    console.log(`# ${method} ${path}: ${status === undefined ? "passes with this" : `is still blocked with ${status}, by rule ${events[0]?.rule?.id ?? "?"}`}`);
    if (status !== undefined) process.exitCode = BLOCKED;
  }
}

/** When, and for whom, a request is tried here says nothing. */
function withoutOrigin({ source, "@timestamp": _, ...event }: BaileyEvent): BaileyEvent {
  return event;
}

/** Sends requests through the filter; every rule that matches is in the events. */
async function send(config: Config, requests: Exchange[]): Promise<Outcome[]> {
  const firewall = await loadFirewall({ ...config, events: { ...(config.events as object), matches: "all" } });
  if (firewall.refused !== undefined) throw new UserError(firewall.refused, 2);
  return requests.map(firewall.send);
}

/** What goes into pluginConfig, each entry under what was seen. */
function toYaml(proposals: Proposal[]): string {
  const document = new Document({ exclusions: proposals.map(({ exclusion }) => exclusion) });
  document.commentBefore = " What was sent by an attacker looks the same: read the values before you take an entry over.";
  const list = document.get("exclusions") as { items: YAMLMap[] };
  for (const [i, { messages, examples }] of proposals.entries()) {
    const lines = [...messages.map((message) => ` ${message}`), ...examples.map((value) => ` seen: ${JSON.stringify(value)}`)];
    const entry = list.items[i];
    if (entry) entry.commentBefore = lines.join("\n");
  }
  return document.toString({ lineWidth: 0 });
}
