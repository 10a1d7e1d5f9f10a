/** Asks a mesh filter in Node what it decides on one request or connection. */

import { ROOT_CONTEXT } from "./exchange.ts";
import type { Filter, HostState } from "./instance.ts";
import { claimsOf, encodeMetadata, type Json } from "./metadata.ts";

/** A request between services, as policies see it. */
export interface Call {
  method?: string;
  /** Path and query. */
  path?: string;
  host?: string;
  headers?: [string, string][];
  body?: string;
  /** True if trailers end the body. */
  trailers?: boolean;
  /** URI SAN of the peer's certificate; none for plaintext. */
  peer?: string;
  /** Address of the peer, and of the client behind trusted proxies, which is the peer's where nothing is said. */
  sourceIp?: string;
  remoteIp?: string;
  destinationIp?: string;
  destinationPort?: number;
  sni?: string;
  /** Claims of a verified token. */
  claims?: Json;
  /** Envoy's dynamic metadata by filter, beside the claims. */
  metadata?: { [filter: string]: Json };
  /** Properties that the host fails to give, by their names in Envoy. */
  failing?: string[];
  /** When the request comes; a fixed moment where nothing is said. */
  time?: Date;
}

/** The parts of an event that tools read; docs/events.md has all of them. */
export interface MeshEvent {
  event: { action: "denied" | "would_deny" | "allowed" | "audited" | "error"; reason: string };
  http?: { request: { id: string; method: string } };
  bailey: {
    peer?: string | null;
    policy?: PolicyReference;
    shadow?: { action: "would_deny" | "would_allow"; policy?: PolicyReference };
    nearest?: PolicyReference & { failed: { field: string; found?: string }[] };
    audited?: string[];
    edge?: { inspected?: string; score?: number; rules?: string; client?: string; ignored?: string };
    quarantine?: { begins: boolean; until: string };
  };
}

export interface PolicyReference {
  name: string;
  action: string;
  mode: string;
  rule: number;
}

export interface Answer {
  allowed: boolean;
  /** Status of the filter's own reply, if it made one. */
  status: number | undefined;
  body: string;
  event: MeshEvent | undefined;
  /** Headers of the request as they go on. */
  forwarded: [string, string][];
  hostCalls: number;
}

let nextContext = 100_000;

/** Asks about a request. The filter must be configured. */
export function ask(filter: Filter, state: HostState, call: Call): Answer {
  const context = start(filter, state, call);
  const path = call.path ?? "/";
  const headers: [string, string][] = [[":method", call.method ?? "GET"], [":path", path], [":authority", call.host ?? "localhost"], ...(call.headers ?? [])];
  state.maps = new Map([[0, headers.map(([name, value]) => [Buffer.from(name.toLowerCase()), Buffer.from(value, "latin1")])]]);
  const body = call.body === undefined ? undefined : Buffer.from(call.body);
  filter.proxy_on_request_headers(context, headers.length, body ? 0 : 1);
  if (body && !state.reply) {
    state.buffers.set(0, body);
    filter.proxy_on_request_body(context, body.length, call.trailers ? 0 : 1);
    if (call.trailers) filter.proxy_on_request_trailers(context, 1);
  }
  return end(filter, state, context);
}

/** Asks about a connection without HTTP. */
export function askConnection(filter: Filter, state: HostState, call: Call): Answer {
  const context = start(filter, state, call);
  filter.proxy_on_downstream_data(context, 1, 0);
  return end(filter, state, context);
}

function start(filter: Filter, state: HostState, call: Call): number {
  const context = nextContext++;
  const peer = call.sourceIp ?? "192.0.2.1";
  const properties: [string, string | Buffer | undefined][] = [
    ["connection.uri_san_peer_certificate", call.peer],
    ["source.address", endpoint(call.remoteIp ?? peer, 40000)],
    ["filter_state.bailey.peer_address", peer],
    ["destination.address", endpoint(call.destinationIp ?? "192.0.2.2", call.destinationPort ?? 80)],
    ["connection.requested_server_name", call.sni],
    ["metadata", encodeMetadata({ ...call.metadata, ...(call.claims && claimsOf(call.claims)) })],
  ];
  state.properties = new Map(properties.flatMap(([name, value]) => (value === undefined ? [] : [[name, Buffer.from(value as string)]])));
  state.failing = new Set(call.failing);
  state.maps = new Map();
  state.buffers = new Map();
  state.logs = [];
  state.reply = undefined;
  state.closed = false;
  state.calls = 0;
  if (call.time) state.time = BigInt(call.time.getTime()) * 1_000_000n;
  filter.proxy_on_context_create(context, ROOT_CONTEXT);
  return context;
}

function end(filter: Filter, state: HostState, context: number): Answer {
  const calls = state.calls;
  filter.proxy_on_delete(context);
  const line = state.logs.map(({ message }) => message).find((message) => message.startsWith("{"));
  return {
    allowed: !state.reply && !state.closed,
    status: state.reply?.status,
    body: state.reply?.body.toString() ?? "",
    event: line === undefined ? undefined : (JSON.parse(line) as MeshEvent),
    forwarded: state.forwarded,
    hostCalls: calls,
  };
}

function endpoint(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
