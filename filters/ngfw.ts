/**
 * The edge firewall as a proxy-wasm plugin: the callbacks of the host, and nothing else. What they mean
 * is in assembly/filter/stream.ts.
 */
import { Arena } from "../assembly/bytes/arena";
import { Configuration, configure, refusal } from "../assembly/config/profile";
import { addSource } from "../assembly/config/ruleset";
import * as metrics from "../assembly/filter/metrics";
import { Stream } from "../assembly/filter/state";
import * as stream from "../assembly/filter/stream";
import { allocate, CONTINUE, dataLen, dataPtr, getBuffer, LOG_ERROR, LOG_INFO, log, logText, PLUGIN_CONFIGURATION, useArena } from "../assembly/host/abi";
import { dropContext, getContext, putContext } from "../assembly/host/contexts";
import { message } from "../assembly/seclang/errors";

/** Where the host's buffers go outside of streams. */
let scratch: Arena = changetype<Arena>(0);

/** Marks the address of a configuration, which belongs to a root context; addresses are even. */
const ROOT: usize = 1;

/** Configuration of a root context, null until it is configured. */
function configurationOf(root: u32): Configuration | null {
  return changetype<Configuration | null>(getContext(root) & ~ROOT);
}

function streamOf(context: u32): Stream | null {
  return changetype<Stream | null>(getContext(context));
}

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: i32): usize {
  if (changetype<usize>(scratch) == 0) {
    scratch = Arena.create(0);
    useArena(scratch);
  }
  return allocate(size);
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  if (parent == 0) return;
  const configuration = configurationOf(parent);
  if (configuration) putContext(context, changetype<usize>(Stream.create(configuration)));
}

export function proxy_on_vm_start(root: u32, configurationSize: i32): bool {
  return true;
}

/** A bad configuration is refused with one line; the host then keeps the one it has. */
export function proxy_on_configure(root: u32, configurationSize: i32): bool {
  // texts of earlier messages are managed; none is held here, and nothing else frees them
  __collect();
  if (changetype<usize>(scratch) == 0) scratch = Arena.create(0);
  useArena(scratch);
  metrics.defineMetrics();
  const read = configurationSize > 0 && getBuffer(PLUGIN_CONFIGURATION, 0, configurationSize);
  const configuration = configure(read ? dataPtr : 0, read ? dataLen : 0);
  if (!configuration) {
    log(LOG_ERROR, refusal);
    scratch.release();
    return false;
  }
  replace(root, configuration);
  scratch.release();
  metrics.countConfigured();
  logText(LOG_INFO, "bailey ngfw: configured");
  return true;
}

function replace(root: u32, configuration: Configuration): void {
  const old = configurationOf(root);
  putContext(root, changetype<usize>(configuration) | ROOT);
  if (old) old.retire();
}

export function proxy_on_request_headers(context: u32, count: i32, endOfStream: i32): i32 {
  const s = streamOf(context);
  return s ? stream.onRequestHeaders(s, endOfStream != 0) : CONTINUE;
}

export function proxy_on_request_body(context: u32, size: i32, endOfStream: i32): i32 {
  const s = streamOf(context);
  return s ? stream.onRequestBody(s, size, endOfStream != 0) : CONTINUE;
}

export function proxy_on_request_trailers(context: u32, count: i32): i32 {
  const s = streamOf(context);
  return s ? stream.onRequestTrailers(s) : CONTINUE;
}

export function proxy_on_response_headers(context: u32, count: i32, endOfStream: i32): i32 {
  const s = streamOf(context);
  return s ? stream.onResponseHeaders(s, endOfStream != 0) : CONTINUE;
}

export function proxy_on_response_body(context: u32, size: i32, endOfStream: i32): i32 {
  const s = streamOf(context);
  return s ? stream.onResponseBody(s, size, endOfStream != 0) : CONTINUE;
}

export function proxy_on_response_trailers(context: u32, count: i32): i32 {
  const s = streamOf(context);
  return s ? stream.onResponseTrailers(s) : CONTINUE;
}

export function proxy_on_log(context: u32): void {
  const s = streamOf(context);
  if (s) stream.onLog(s);
}

export function proxy_on_delete(context: u32): void {
  const address = getContext(context);
  dropContext(context);
  if (address == 0) return;
  if ((address & ROOT) != 0) changetype<Configuration>(address & ~ROOT).retire();
  else changetype<Stream>(address).destroy();
}

// For `bailey build`, which compiles rules before the filter is shipped; the host never calls these.

/** Gives `size` bytes that live for ever, for a source to be put in. */
export function bailey_allocate(size: i32): usize {
  return heap.alloc(<usize>size);
}

/** Frees what `bailey_allocate` gave, cleared, so that a frozen filter does not carry it. */
export function bailey_free(ptr: usize, size: i32): void {
  memory.fill(ptr, 0, <usize>size);
  heap.free(ptr);
}

/** Adds a source to the rule set, see ruleset.ts for kinds. False: the error is at `bailey_error`. */
export function bailey_add_source(kind: i32, name: usize, nameLen: i32, ptr: usize, len: i32): bool {
  return addSource(kind, name, nameLen, ptr, len);
}

export function bailey_error(): usize {
  return message.ptr;
}

export function bailey_error_length(): i32 {
  return message.len;
}
