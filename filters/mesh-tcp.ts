/**
 * Authorization of connections without HTTP as a proxy-wasm network plugin: the callbacks of the host, and nothing
 * else. What they mean is in assembly/mesh/tcp.ts.
 */
import { CONTINUE } from "../assembly/host/abi";
import { configurationOf, configureRoot, isDecided, setDecided } from "../assembly/mesh/plugin";
import { onFirstData } from "../assembly/mesh/tcp";

export {
  proxy_abi_version_0_2_1,
  proxy_on_context_create,
  proxy_on_delete,
  proxy_on_memory_allocate,
  proxy_on_vm_start,
} from "../assembly/mesh/plugin";

export function proxy_on_configure(root: u32, configurationSize: i32): bool {
  return configureRoot(root, configurationSize, false);
}

function onData(context: u32, size: i32): i32 {
  if (size == 0 || isDecided(context)) return CONTINUE;
  const configuration = configurationOf(context);
  if (!configuration) return CONTINUE;
  setDecided(context);
  return onFirstData(configuration);
}

export function proxy_on_downstream_data(context: u32, size: i32, endOfStream: i32): i32 {
  return onData(context, size);
}

export function proxy_on_upstream_data(context: u32, size: i32, endOfStream: i32): i32 {
  return onData(context, size);
}
