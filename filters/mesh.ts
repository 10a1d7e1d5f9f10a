/**
 * Authorization of HTTP requests between services as a proxy-wasm plugin: the callbacks of the host, and nothing else.
 * What they mean is in assembly/mesh/http.ts.
 */

import { CONTINUE } from "../assembly/host/abi";
import { onRequestBody, onRequestHeaders, onRequestTrailers, waits } from "../assembly/mesh/http";
import { configurationOf, configureRoot, isWaiting, setWaiting } from "../assembly/mesh/plugin";

export {
  proxy_abi_version_0_2_1,
  proxy_on_context_create,
  proxy_on_delete,
  proxy_on_memory_allocate,
  proxy_on_vm_start,
} from "../assembly/mesh/plugin";

export function proxy_on_configure(root: u32, configurationSize: i32): bool {
  return configureRoot(root, configurationSize, true);
}

export function proxy_on_request_headers(context: u32, count: i32, endOfStream: i32): i32 {
  const configuration = configurationOf(context);
  if (!configuration) return CONTINUE;
  const answer = onRequestHeaders(configuration, endOfStream != 0);
  if (waits) setWaiting(context, true);
  return answer;
}

export function proxy_on_request_body(context: u32, size: i32, endOfStream: i32): i32 {
  const configuration = configurationOf(context);
  if (!configuration || !isWaiting(context)) return CONTINUE;
  const answer = onRequestBody(configuration, size, endOfStream != 0);
  if (!waits) setWaiting(context, false);
  return answer;
}

export function proxy_on_request_trailers(context: u32, count: i32): i32 {
  const configuration = configurationOf(context);
  if (!configuration || !isWaiting(context)) return CONTINUE;
  setWaiting(context, false);
  return onRequestTrailers(configuration);
}
