/** `bailey explain`: which rules match a request, and why. Exit code 0: it passes; 3: it is blocked. */
import { UserError } from "../errors.ts";
import { readConfig, readInput, readRules, withRules } from "../files.ts";
import type { BaileyEvent, EventMatch, Exchange, Outcome } from "../host/exchange.ts";
import { loadFirewall } from "../host/firewall.ts";
import { readCurl, readRequests } from "../requests.ts";

export interface ExplainOptions {
  curl?: string;
  config?: string;
  rules: string[];
  format: "text" | "json";
}

const BLOCKED = 3;

export async function explain(file: string | undefined, options: ExplainOptions): Promise<void> {
  const exchanges = options.curl === undefined ? readRequests(await readInput(file)) : [readCurl(options.curl)];
  const config = withRules(await readConfig(options.config, { mode: "enforce" }), (await readRules(options.rules)).rules);
  // values whole and every match, whatever the configuration logs
  const { refused, send } = await loadFirewall({ ...config, events: { ...(config.events as object), matches: "all", maxValueBytes: 1024 } });
  if (refused !== undefined) throw new UserError(refused, 2);
  const results = exchanges.map((input) => ({ input, outcome: send(input) }));
  if (options.format === "json")
    console.log(
      JSON.stringify(
        results.map(({ outcome }) => toJson(outcome)),
        undefined,
        2,
      ),
    );
  else for (const { input, outcome } of results) console.log(toText(input, outcome));
  if (results.some(({ outcome }) => outcome.status !== undefined)) process.exitCode = BLOCKED;
}

function toJson(outcome: Outcome): object {
  return { blocked: outcome.status !== undefined, status: outcome.status ?? null, event: outcome.events[0] ?? null };
}

function verdict(outcome: Outcome, event: BaileyEvent | undefined): string {
  if (outcome.status !== undefined) return `blocked with ${outcome.status} in phase ${event?.bailey.phase ?? "?"}`;
  if (event?.event.action === "would_block") return `would be blocked in phase ${event.bailey.phase} (mode detect)`;
  return "passes";
}

function toText(input: Exchange, outcome: Outcome): string {
  const event = outcome.events[0];
  const lines = [`${input.method} ${input.path}`, `  ${verdict(outcome, event)}`];
  if (event?.rule) lines.push(`  decided by rule ${event.rule.id}${event.rule.name ? `: ${event.rule.name}` : ""}`);
  if (event) lines.push(`  profile ${event.bailey.profile}, score ${event.bailey.score.inbound} inbound, ${event.bailey.score.outbound} outbound`);
  const matches = (event?.bailey.matches ?? []).filter(({ id }) => id !== event?.rule?.id);
  if (matches.length === 0) lines.push("  no rule matched");
  for (const match of matches) lines.push(...matchLines(match));
  return lines.join("\n");
}

function matchLines(match: EventMatch): string[] {
  const lines = [
    "",
    `  rule ${match.id}${match.severity ? ` (${match.severity})` : ""}: ${match.message || "(no message)"}`,
    `    at ${match.file}:${match.line}`,
  ];
  for (const { variable, value, matched, masked } of match.values) {
    if (masked) lines.push(`    ${variable}: (masked)`);
    else lines.push(`    ${variable}: ${JSON.stringify(value)}`, ...(matched !== value ? [`      matched: ${JSON.stringify(matched)}`] : []));
  }
  return lines;
}
