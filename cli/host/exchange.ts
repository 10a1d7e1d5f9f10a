/** Sends one request and its response through a filter in Node, in the order in which Envoy calls it. */
import type { Filter, HostState } from "./instance.ts";
import { claimsOf, encodeMetadata, type Json } from "./metadata.ts";

export interface Message {
  headers: [string, string | Buffer][];
  body?: Buffer;
}

export interface Exchange {
  method: string;
  path: string;
  /** HTTP/1.1 where none is given. */
  protocol?: string;
  request: Message;
  /** Client address and port. */
  client?: string;
  /** URI SAN of the peer's certificate; none for plaintext. */
  peer?: string;
  /** Claims of a token that the host has verified. */
  claims?: Json;
  /** What the host fails to give, see HostState. */
  failing?: string[];
  response?: Message & { status: number };
}

export interface Outcome {
  /** Status of Bailey's own reply; undefined if the request and response passed. */
  status: number | undefined;
  headers: [string, string][];
  body: string;
  /** Headers of the request as they go on. */
  forwarded: [string, string][];
  /** Events that the filter wrote, parsed. */
  events: BaileyEvent[];
  logs: string[];
  hostCalls: number;
}

/** The parts of an event that tools read; docs/events.md has all of them. */
export interface BaileyEvent {
  "@timestamp"?: string;
  source?: { ip: string; port?: number };
  event: { action: "blocked" | "would_block" | "error" | "matched"; reason?: string };
  rule?: { id: string; name?: string };
  http: { request: { id: string; method: string }; response?: { status_code: number } };
  url: { domain: string; path: string };
  bailey: {
    profile: string;
    mode: string;
    phase?: number;
    score: { inbound: number; outbound: number };
    matches: EventMatch[];
    peer?: string;
    quarantine?: { begins: boolean; until: string };
  };
}

export interface EventMatch {
  id: string;
  message: string;
  severity?: string;
  file: string;
  line: number;
  tags: string[];
  data?: string;
  values: { variable: string; value?: string; matched?: string; masked?: boolean }[];
}

export const ROOT_CONTEXT = 1;
const PLUGIN_CONFIGURATION = 7;
let nextContext = 2;

/** Configures the plugin as `root`. Gives the refusal, or undefined if it is accepted. */
export function configure(filter: Filter, state: HostState, config: string): string | undefined {
  const bytes = Buffer.from(config);
  state.buffers.set(PLUGIN_CONFIGURATION, bytes);
  state.logs = [];
  filter.proxy_on_context_create(ROOT_CONTEXT, 0);
  if (filter.proxy_on_configure(ROOT_CONTEXT, bytes.length)) return undefined;
  return state.logs.map(({ message }) => message).join("\n");
}

function toPairs(headers: [string, string | Buffer][]): [Buffer, Buffer][] {
  return headers.map(([name, value]) => [Buffer.from(name.toLowerCase(), "latin1"), Buffer.isBuffer(value) ? value : Buffer.from(value, "latin1")]);
}

/** Runs an exchange through the filter, which must be configured. */
export function exchange(filter: Filter, state: HostState, input: Exchange): Outcome {
  const context = nextContext++;
  const host = input.request.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "localhost";
  const others = input.request.headers.filter(([name]) => name.toLowerCase() !== "host");
  const requestId = `00000000-0000-4000-8000-${String(context).padStart(12, "0")}`;
  state.maps = new Map([
    [0, toPairs([[":method", input.method], [":path", input.path], [":authority", host], [":scheme", "http"], ...others, ["x-request-id", requestId]])],
  ]);
  state.buffers = new Map();
  state.properties = new Map([
    ["request.protocol", Buffer.from(input.protocol ?? "HTTP/1.1")],
    ["source.address", Buffer.from(input.client ?? "192.0.2.1:40000")],
  ]);
  if (input.peer !== undefined) state.properties.set("connection.uri_san_peer_certificate", Buffer.from(input.peer));
  if (input.claims) state.properties.set("metadata", encodeMetadata(claimsOf(input.claims)));
  state.failing = new Set(input.failing);
  state.logs = [];
  state.reply = undefined;
  state.closed = false;
  state.calls = 0;
  filter.proxy_on_context_create(context, ROOT_CONTEXT);
  runRequest(filter, state, context, input);
  if (!state.reply && !state.closed && input.response) runResponse(filter, state, context, input.response);
  filter.proxy_on_log(context);
  filter.proxy_on_delete(context);
  return outcomeOf(state);
}

function runRequest(filter: Filter, state: HostState, context: number, input: Exchange): void {
  const body = input.request.body;
  const count = state.maps.get(0)?.length ?? 0;
  filter.proxy_on_request_headers(context, count, body?.length ? 0 : 1);
  if (state.reply || state.closed || !body?.length) return;
  state.buffers.set(0, body);
  filter.proxy_on_request_body(context, body.length, 1);
}

function runResponse(filter: Filter, state: HostState, context: number, response: Message & { status: number }): void {
  const pairs = toPairs([[":status", String(response.status)], ...response.headers]);
  state.maps.set(2, pairs);
  const body = response.body;
  filter.proxy_on_response_headers(context, pairs.length, body?.length ? 0 : 1);
  if (state.reply || state.closed || !body?.length) return;
  state.buffers.set(1, body);
  filter.proxy_on_response_body(context, body.length, 1);
}

function outcomeOf(state: HostState): Outcome {
  const logs = state.logs.map(({ message }) => message);
  return {
    status: state.reply?.status,
    headers: (state.reply?.headers ?? []).map(([name, value]) => [name.toString(), value.toString()]),
    body: state.reply?.body.toString() ?? "",
    forwarded: state.forwarded,
    events: logs.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as BaileyEvent),
    logs,
    hostCalls: state.calls,
  };
}
