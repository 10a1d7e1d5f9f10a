/**
 * proxy-wasm ABI 0.2.1 in plain functions. Buffers that the host fills are allocated in the arena that
 * `useArena` named last, and belong to it: the host never frees.
 */
import { Arena } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import {
  proxy_add_header_map_value,
  proxy_close_stream,
  proxy_define_metric,
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_pairs,
  proxy_get_property,
  proxy_increment_metric,
  proxy_log,
  proxy_record_metric,
  proxy_remove_header_map_value,
  proxy_send_local_response,
} from "./imports";

export const STATUS_OK: i32 = 0;
export const STATUS_NOT_FOUND: i32 = 1;

export const LOG_INFO: i32 = 2;
export const LOG_WARN: i32 = 3;
export const LOG_ERROR: i32 = 4;

export const REQUEST_BODY_BUFFER: i32 = 0;
export const RESPONSE_BODY_BUFFER: i32 = 1;
export const PLUGIN_CONFIGURATION: i32 = 7;

export const REQUEST_HEADER_MAP: i32 = 0;
export const RESPONSE_HEADER_MAP: i32 = 2;

export const REQUEST_STREAM: i32 = 0;
export const RESPONSE_STREAM: i32 = 1;
export const DOWNSTREAM: i32 = 2;

export const COUNTER: i32 = 0;
export const GAUGE: i32 = 1;
export const HISTOGRAM: i32 = 2;

/** What a callback answers. In a body callback, PAUSE means: stop, and keep the bytes. */
export const CONTINUE: i32 = 0;
export const PAUSE: i32 = 1;

let arena: Arena = changetype<Arena>(0);

/** Says where the host's buffers go from now on. */
export function useArena(target: Arena): void {
  arena = target;
}

/** `proxy_on_memory_allocate`: gives the host `size` bytes. */
export function allocate(size: i32): usize {
  return arena.reserve(<usize>max(size, 1));
}

/** The last result that the host gave: address and length in bytes. */
export let dataPtr: usize = 0;
export let dataLen: i32 = 0;
const outPtr: usize = memory.data(8);
const outLen: usize = memory.data(8);

/** Status of the last call that gives data. */
export let lastStatus: i32 = 0;

function take(status: i32): bool {
  lastStatus = status;
  dataPtr = load<u32>(outPtr);
  dataLen = load<i32>(outLen);
  return status == STATUS_OK;
}

/** Gets all pairs of a header map, see pairs.ts, in one call. An empty map is `dataLen` 0. */
export function getPairs(map: i32): bool {
  store<u32>(outPtr, 0);
  store<u32>(outLen, 0);
  return take(proxy_get_header_map_pairs(map, outPtr, outLen));
}

/** Adds a header. False where the host cannot any more: the headers have gone on. */
export function addHeader(map: i32, name: usize, nameLen: i32, value: Buffer): bool {
  return proxy_add_header_map_value(map, name, nameLen, value.ptr, value.len) == STATUS_OK;
}

/** Removes all values of a header. False where the host cannot any more. */
export function removeHeader(map: i32, name: usize, nameLen: i32): bool {
  return proxy_remove_header_map_value(map, name, nameLen) == STATUS_OK;
}

/** Gets `length` bytes of a buffer from `offset` on. */
export function getBuffer(buffer: i32, offset: i32, length: i32): bool {
  store<u32>(outPtr, 0);
  store<u32>(outLen, 0);
  return take(proxy_get_buffer_bytes(buffer, offset, length, outPtr, outLen));
}

const path: usize = memory.data(64);

/** Gets a property by its path, `source.address`; values are text or little-endian integers. */
export function getProperty(dotted: string): bool {
  const n = dotted.length;
  for (let i = 0; i < n; i++) {
    const c = dotted.charCodeAt(i);
    store<u8>(path + i, <u8>(c == 0x2e ? 0 : c));
  }
  store<u32>(outPtr, 0);
  store<u32>(outLen, 0);
  return take(proxy_get_property(path, n, outPtr, outLen));
}

/** Gets a property of two parts, of which the second may hold dots: `filter_state`, `bailey.peer_address`. */
export function getNamedProperty(kind: string, name: string): bool {
  let n = 0;
  for (let i = 0; i < kind.length; i++) store<u8>(path + n++, <u8>kind.charCodeAt(i));
  store<u8>(path + n++, 0);
  for (let i = 0; i < name.length; i++) store<u8>(path + n++, <u8>name.charCodeAt(i));
  store<u32>(outPtr, 0);
  store<u32>(outLen, 0);
  return take(proxy_get_property(path, n, outPtr, outLen));
}

const outTime: usize = memory.data(8);

/** Gives nanoseconds since 1970. */
export function now(): i64 {
  proxy_get_current_time_nanoseconds(outTime);
  return load<i64>(outTime);
}

export function log(level: i32, text: Buffer): void {
  proxy_log(level, text.ptr, text.len);
}

const line: Buffer = Buffer.create(128);

/** Logs ASCII text. */
export function logText(level: i32, text: string): void {
  line.clear();
  log(level, line.text(text));
}

/** Answers the client; the callback must return PAUSE. `headers` is an encoded map, see pairs.ts. */
export function sendLocalResponse(status: i32, details: Buffer, body: usize, bodyLen: i32, headers: Buffer, grpcStatus: i32): bool {
  return proxy_send_local_response(status, details.ptr, details.len, body, bodyLen, headers.ptr, headers.len, grpcStatus) == STATUS_OK;
}

/** Resets a stream. */
export function closeStream(stream: i32): void {
  proxy_close_stream(stream);
}

const outId: usize = memory.data(4);

/** Defines a metric; gives its number, -1 if the host has none. */
export function defineMetric(kind: i32, name: string): i32 {
  line.clear();
  return defineMetricNamed(kind, line.text(name));
}

/** The same for a name that is put together. */
export function defineMetricNamed(kind: i32, name: Buffer): i32 {
  return proxy_define_metric(kind, name.ptr, name.len, outId) == STATUS_OK ? load<i32>(outId) : -1;
}

/**
 * Where AssemblyScript's `abort` goes, since the host has no such import. A trap ends the VM: docs/design.md
 * says why none is reachable from traffic or configuration.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

/** Adds one. */
export function increment(metric: i32): void {
  if (metric >= 0) proxy_increment_metric(metric, 1);
}

/** Records a value in a histogram. */
export function record(metric: i32, value: i64): void {
  if (metric >= 0) proxy_record_metric(metric, value);
}
