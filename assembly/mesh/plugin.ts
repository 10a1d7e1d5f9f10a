/** Contexts of the mesh filters: a root context has a configuration, a stream has that of its root. */
import { Arena } from "../bytes/arena";
import { allocate, dataLen, dataPtr, getBuffer, LOG_ERROR, LOG_INFO, log, logText, PLUGIN_CONFIGURATION, useArena } from "../host/abi";
import { dropContext, getContext, putContext } from "../host/contexts";
import { configureMesh, MeshConfiguration, refusal } from "../policy/configuration";
import { Policy } from "../policy/model";
import * as metrics from "./metrics";

// Marks beside the address of a configuration, which is a multiple of 8.
/** It belongs to a root context. */
const ROOT: usize = 1;
/** The stream waits for its body. */
const WAITING: usize = 2;
/** The connection is decided. */
const DECIDED: usize = 4;
const MARKS: usize = 7;

/** Where the host's buffers go outside of streams. */
let scratch: Arena = changetype<Arena>(0);

function useScratch(): void {
  if (changetype<usize>(scratch) == 0) scratch = Arena.create(0);
  useArena(scratch);
}

/** Gives the configuration of a stream or root context, null if it has none. */
export function configurationOf(context: u32): MeshConfiguration | null {
  return changetype<MeshConfiguration | null>(getContext(context) & ~MARKS);
}

function mark(context: u32, bit: usize, on: bool): void {
  const value = getContext(context);
  putContext(context, on ? value | bit : value & ~bit);
}

export function isWaiting(context: u32): bool {
  return (getContext(context) & WAITING) != 0;
}

export function setWaiting(context: u32, on: bool): void {
  mark(context, WAITING, on);
}

export function isDecided(context: u32): bool {
  return (getContext(context) & DECIDED) != 0;
}

export function setDecided(context: u32): void {
  mark(context, DECIDED, true);
}

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: i32): usize {
  if (changetype<usize>(scratch) == 0) useScratch();
  return allocate(size);
}

export function proxy_on_vm_start(root: u32, configurationSize: i32): bool {
  return true;
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  if (parent == 0) return;
  const configuration = configurationOf(parent);
  if (!configuration) return;
  configuration.streams++;
  putContext(context, changetype<usize>(configuration));
}

export function proxy_on_delete(context: u32): void {
  const value = getContext(context);
  dropContext(context);
  const configuration = changetype<MeshConfiguration | null>(value & ~MARKS);
  if (!configuration) return;
  if ((value & ROOT) != 0) configuration.retire();
  else configuration.leave();
}

/** Takes a configuration up. A bad one is refused with one line; the host then keeps the one it has. */
export function configureRoot(root: u32, size: i32, isHttp: bool): bool {
  // texts of earlier messages are managed; none is held here, and nothing else frees them
  __collect();
  useScratch();
  metrics.defineMetrics();
  const read = size > 0 && getBuffer(PLUGIN_CONFIGURATION, 0, size);
  const configuration = configureMesh(read ? dataPtr : 0, read ? dataLen : 0, isHttp);
  scratch.release();
  if (!configuration) {
    log(LOG_ERROR, refusal);
    return false;
  }
  for (let policy: Policy | null = configuration.first; policy; policy = policy!.next) metrics.defineFor(policy);
  const old = configurationOf(root);
  putContext(root, changetype<usize>(configuration) | ROOT);
  if (old) old.retire();
  metrics.countConfigured();
  logText(LOG_INFO, "bailey mesh: configured");
  return true;
}
