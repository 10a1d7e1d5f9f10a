/**
 * `npm run fuzz`: random configurations and requests for the mesh filters. What must hold of each:
 *
 * - a configuration is taken, or refused with one line; one that is meant to be good is taken; a refused one changes
 *   nothing; the published schema takes what the filter takes;
 * - a request is decided, exactly once, with an event that says why; nothing traps;
 * - the index changes no decision: the same policies in a form that it can do nothing with decide the same.
 */
import { parseArgs } from "node:util";
import { readMesh } from "../../cli/build/assemble.ts";
import { configure, ROOT_CONTEXT } from "../../cli/host/exchange.ts";
import { type Filter, type HostState, instantiate } from "../../cli/host/instance.ts";
import { ask, askConnection, type Call, type MeshEvent } from "../../cli/host/mesh.ts";
import { Random } from "../random.ts";
import { published } from "../schema.ts";
import { hostile, plausible, type Raw } from "./calls.ts";
import { brokenBytes, brokenStructure, configuration, type FuzzConfig, limited, withoutIndex } from "./configurations.ts";

const { validate } = published("mesh");

const BROKEN_OF_A_ROUND = 8;
const CALLS_OF_A_ROUND = 60;

interface Plugin {
  filter: Filter;
  state: HostState;
}

/** What holds, and what does not. */
const counts = { configurations: 0, accepted: 0, requests: 0 };
const failures: string[] = [];

function fail(what: string, detail: unknown): void {
  const text = typeof detail === "string" ? detail : JSON.stringify(detail, (_, value) => (typeof value === "bigint" ? String(value) : value));
  failures.push(`${what}: ${text.slice(0, 2000)}`);
}

/** Every decision is to be reported, at any time of the host's clock. */
function loud(config: FuzzConfig): string {
  return JSON.stringify({ ...config, events: { decisions: "all", perSecond: 100_000 } });
}

/** Configures, and checks how it is taken. Gives the refusal. */
function take({ filter, state }: Plugin, text: string | Buffer): string | undefined {
  counts.configurations++;
  const refused = configure(filter, state, text as string);
  if (refused === undefined) {
    counts.accepted++;
    // nothing at all is an empty configuration
    if (text.length > 0 && !validate(JSON.parse(text.toString())))
      fail("the schema refuses what the filter takes", `${JSON.stringify(validate.errors)} ${text}`);
    return undefined;
  }
  if (refused.includes("\n") || !/^pluginConfig.*: ./.test(refused)) fail("a refusal is not one line with its place", refused);
  return refused;
}

/** Checks what was decided on a request that reached its end. */
function check(what: unknown, state: HostState, denied: boolean): void {
  counts.requests++;
  const lines = state.logs.map(({ message }) => message).filter((message) => message.startsWith("{"));
  if (lines.length !== 1) fail(`${lines.length} events for one request`, what);
  for (const line of lines) checkEvent(line, state, denied);
}

function checkEvent(line: string, state: HostState, denied: boolean): void {
  const { event, bailey, http } = parsed(line);
  if (!event?.reason || !bailey) {
    fail("no reason", line);
    return;
  }
  if ((event.action === "denied") !== denied && event.action !== "error") fail("the event says something else", line);
  if (denied && event.action === "denied" && !bailey.policy && !/^(no ALLOW policy matches|the caller is in quarantine)/.test(event.reason))
    fail("a denial that names nothing", line);
  if (state.reply) checkReply(state.reply, http?.request.id, line);
}

/** The client gets a 403 with the id of the event, and nothing else. */
function checkReply({ status, body }: NonNullable<HostState["reply"]>, id: string | undefined, line: string): void {
  const ids = /^access denied, id (\S+)\n?$/.exec(body.toString())?.[1];
  if (status !== 403 || ids === undefined || ids !== id) fail("an answer that is not that of its event", `${status} ${body} ${line}`);
}

function parsed(line: string): Partial<MeshEvent> {
  try {
    return JSON.parse(line) as MeshEvent;
  } catch {
    fail("an event that is not JSON", line);
    return {};
  }
}

/** Sends a request piece by piece, as the host would. */
function send({ filter, state }: Plugin, context: number, raw: Raw): boolean {
  if (raw.headers) state.maps.set(0, raw.headers);
  else state.maps.clear();
  state.properties = raw.properties;
  state.failing = raw.failing;
  state.buffers = new Map();
  state.logs = [];
  state.reply = undefined;
  state.time = raw.time;
  filter.proxy_on_context_create(context, ROOT_CONTEXT);
  filter.proxy_on_request_headers(context, raw.headers?.length ?? 0, raw.body.length === 0 && !raw.trailers ? 1 : 0);
  let size = 0;
  for (const [i, piece] of raw.body.entries()) {
    if (state.reply) break;
    size += piece.length;
    state.buffers.set(0, Buffer.concat(raw.body, size));
    const ends = i === raw.body.length - 1 && !raw.trailers && !raw.reset;
    filter.proxy_on_request_body(context, size, ends ? 1 : 0);
  }
  if (raw.trailers && !raw.reset && !state.reply) filter.proxy_on_request_trailers(context, 1);
  filter.proxy_on_delete(context);
  return state.reply !== undefined;
}

let context = 1_000_000;

/** Hostile requests: each is decided, unless it is gone before it ends, and the same without the index if there is one without. */
function attack(plugin: Plugin, plain: Plugin | undefined, random: Random): void {
  for (let i = 0; i < CALLS_OF_A_ROUND; i++) {
    const raw = hostile(random);
    const denied = send(plugin, context++, raw);
    const isCutShort = raw.reset && (raw.body.length > 0 || raw.trailers);
    if (denied || !isCutShort) check(raw, plugin.state, denied);
    // without the index a body may be waited for that decides nothing
    if (plain && send(plain, context++, raw) !== denied && !isCutShort) fail("the index changes the decision on a hostile request", plugin.state.logs);
  }
}

/** Plausible requests: with and without the index the decision is the same, and so is what shadow policies would do. */
function compare(plugin: Plugin, plain: Plugin, random: Random, isTcp: boolean, config: FuzzConfig): void {
  const put = isTcp ? askConnection : ask;
  for (let i = 0; i < CALLS_OF_A_ROUND; i++) {
    const call = plausible(random);
    const answer = put(plugin.filter, plugin.state, call);
    check(call, plugin.state, !answer.allowed);
    const other = put(plain.filter, plain.state, call);
    const same = answer.allowed === other.allowed && answer.event?.bailey.shadow?.action === other.event?.bailey.shadow?.action;
    if (!same) fail("the index changes the decision", { call, config, indexed: answer.event, plain: other.event });
  }
}

const PROBE: Call = { peer: "spiffe://cluster.local/ns/shop/sa/web", path: "/api/v1", time: new Date(1_790_000_000_000) };

/** Broken configurations: refused with one line or taken, and what is refused changes nothing. */
function damage(plugin: Plugin, random: Random, config: FuzzConfig): void {
  const decided = (): string => {
    const { allowed, event } = ask(plugin.filter, plugin.state, PROBE);
    return JSON.stringify([allowed, event?.event, event?.bailey]);
  };
  const before = decided();
  for (let i = 0; i < BROKEN_OF_A_ROUND; i++) {
    const text = random.chance(0.6) ? brokenStructure(random, config) : brokenBytes(random, config);
    if (take(plugin, text) === undefined) configure(plugin.filter, plugin.state, loud(config));
    else if (decided() !== before) fail("a refused configuration changed a decision", text.toString());
  }
}

/** Two instances of a filter: one for what is tested, one to compare it with. */
async function load(isTcp: boolean): Promise<[Plugin, Plugin]> {
  const wasm = await readMesh(isTcp);
  return [await instantiate(wasm), await instantiate(wasm)];
}

/** One configuration, calls for it, and damage to both. */
function playRound([plugin, plain]: [Plugin, Plugin], isTcp: boolean, random: Random, config: FuzzConfig): void {
  const refused = take(plugin, loud(config)) ?? take(plain, loud(withoutIndex(config)));
  if (refused !== undefined) {
    fail("a good configuration is refused", `${refused} ${JSON.stringify(config)}`);
    return;
  }
  compare(plugin, plain, random, isTcp, config);
  if (isTcp) return;
  damage(plugin, random, config);
  attack(plugin, plain, random);
  const good = loud(limited(random, config));
  if (take(plugin, good) !== undefined) fail("a good configuration is refused", good);
  attack(plugin, undefined, random);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "400" }, seed: { type: "string", default: "1" } } });
  const random = new Random(Number(values.seed));
  const [http, tcp] = [await load(false), await load(true)];
  for (let round = 0; round < Number(values.rounds); round++) {
    const isTcp = random.chance(0.2);
    const config = configuration(random);
    try {
      playRound(isTcp ? tcp : http, isTcp, random, config);
    } catch (error) {
      fail(`round ${round} trapped`, `${error instanceof Error ? error.stack : error} ${JSON.stringify(config)}`);
      break;
    }
  }
  for (const failure of failures.slice(0, 20)) console.log(failure);
  const { configurations, accepted, requests } = counts;
  console.log(`seed ${values.seed}: ${configurations} configurations (${accepted} accepted), ${requests} requests`);
  console.log(`fuzz: ${configurations + requests - failures.length} passed, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}

await main();
