/**
 * From events to exclusions: for each rule that matched, where and what it looked at, as narrow as the events allow. What
 * an attacker sent makes the same events as what a user sent, so each proposal carries its evidence for a person to judge.
 */
import type { BaileyEvent, EventMatch } from "../host/exchange.ts";

/** An entry of `exclusions` in pluginConfig. */
export interface Exclusion {
  rules: number[];
  hosts?: string[];
  paths?: string[];
  variables?: string[];
  reason: string;
}

export interface Proposal {
  exclusion: Exclusion;
  /** Messages of the rules. */
  messages: string[];
  /** Some of the values that matched. */
  examples: string[];
}

/** One rule that matched one variable of one request. */
interface Sighting {
  rule: EventMatch;
  variable: string | undefined;
  host: string;
  path: string;
  client: string;
  time: string;
  value: string | undefined;
}

/** Files of CRS whose rules add up what others found: to exclude them would switch all of it off. */
const EVALUATION = /^(REQUEST-949|RESPONSE-959|RESPONSE-980|REQUEST-901|REQUEST-905)/;
/** Paths that differ in one segment from which on they are taken for one. */
const SAME_FROM = 3;
const MOST_EXAMPLES = 3;
const MOST_EXAMPLE = 80;

/** Proposes exclusions for what rules found in these events. */
export function propose(events: BaileyEvent[]): Proposal[] {
  const groups = new Map<string, Sighting[]>();
  for (const sighting of events.flatMap(sightingsOf)) {
    const key = JSON.stringify([sighting.host, sighting.variable ?? "", sighting.path]);
    groups.set(key, [...(groups.get(key) ?? []), sighting]);
  }
  return joined([...groups.values()]).map(toProposal);
}

function sightingsOf(event: BaileyEvent): Sighting[] {
  const base = {
    host: event.url.domain.replace(/:\d+$/, ""),
    path: decoded(event.url.path),
    client: event.source?.ip ?? "",
    time: event["@timestamp"] ?? "",
  };
  return event.bailey.matches
    .filter(({ file }) => !EVALUATION.test(file))
    .flatMap((rule): Sighting[] => {
      const own = rule.values.filter(({ variable }) => !variable.startsWith("TX:"));
      if (own.length === 0) return [{ ...base, rule, variable: undefined, value: undefined }];
      return own.map(({ variable, matched, value }) => ({ ...base, rule, variable: nameable(variable), value: matched ?? value }));
    });
}

/** Paths are compared decoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A name with quotes, commas or line breaks cannot stand in an exclusion: its collection can. */
function nameable(variable: string): string {
  return /['",\r\n]/.test(variable) ? variable.slice(0, variable.indexOf(":")) : variable;
}

/** Joins groups whose paths differ in one segment only, where there are several: `/items/1` and `/items/2`. */
function joined(groups: Sighting[][]): Sighting[][] {
  const families = new Map<string, Map<string, Sighting[]>>();
  for (const group of groups) {
    const [{ host, variable, path }] = group as [Sighting];
    for (const [i] of path.split("/").entries()) {
      const pattern = withStar(path, i);
      if (i === 0 || pattern === path) continue;
      const key = JSON.stringify([host, variable ?? "", pattern]);
      const family = families.get(key) ?? new Map<string, Sighting[]>();
      families.set(key, family.set(path, group));
    }
  }
  const result = new Set(groups);
  for (const [key, family] of [...families].sort(([, a], [, b]) => b.size - a.size)) {
    const left = [...family.values()].filter((group) => result.has(group));
    if (left.length < SAME_FROM) continue;
    const [, , pattern] = JSON.parse(key) as [string, string, string];
    for (const group of left) result.delete(group);
    result.add(left.flat().map((sighting) => ({ ...sighting, path: pattern })));
  }
  return [...result];
}

function withStar(path: string, index: number): string {
  return path
    .split("/")
    .map((segment, i) => (i === index ? "*" : segment))
    .join("/");
}

function toProposal(group: Sighting[]): Proposal {
  const [{ host, path, variable }] = group as [Sighting];
  const rules = [...new Map(group.map(({ rule }) => [rule.id, rule])).values()].sort((a, b) => Number(a.id) - Number(b.id));
  const seen = [...new Set(group.map(({ time }) => time.slice(0, 10)))].filter((day) => day !== "").sort();
  const requests = new Set(group.map(({ time, client }) => `${time} ${client}`)).size;
  const clients = new Set(group.map(({ client }) => client).filter((client) => client !== "")).size;
  const days = [...new Set([...seen.slice(0, 1), ...seen.slice(-1)])].join(" to ");
  const values = [...new Set(group.flatMap(({ value }) => (value === undefined ? [] : [value.slice(0, MOST_EXAMPLE)])))];
  return {
    exclusion: {
      rules: rules.map(({ id }) => Number(id)),
      ...(isPlain(host) && { hosts: [host] }),
      ...(isPlain(path) && { paths: [path] }),
      ...(variable !== undefined && { variables: [variable] }),
      reason: clients === 0 ? "say here why it is fine" : `${requests} requests of ${clients} clients, ${days}; say here why they are fine`,
    },
    messages: rules.map(({ message }) => message),
    examples: values.slice(0, MOST_EXAMPLES),
  };
}

/** What may stand in `hosts` and `paths`. */
function isPlain(text: string): boolean {
  return text !== "" && !/['",\r\n]/.test(text);
}
