/**
 * A connection without HTTP. It is decided when the first bytes of either side come, which with TLS is after the
 * handshake, so the identity of the peer is known; Envoy's own network RBAC filter waits for the same.
 */
import { Arena } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { CONTINUE, closeStream, DOWNSTREAM, PAUSE, useArena } from "../host/abi";
import { MeshConfiguration } from "../policy/configuration";
import { actual } from "../policy/decide";
import * as request from "../policy/request";
import * as metrics from "./metrics";
import { decideAll } from "./quarantine";
import { report } from "./report";

const arena: Arena = Arena.create(0);
const id: Buffer = Buffer.create(64);

/** Decides on the connection. PAUSE: it is closed. */
export function onFirstData(configuration: MeshConfiguration): i32 {
  metrics.countRequest();
  useArena(arena);
  request.startConnection(arena);
  decideAll(configuration);
  report(configuration, id);
  metrics.showMemory();
  const allowed = actual.allowed;
  arena.reset();
  if (allowed) return CONTINUE;
  closeStream(DOWNSTREAM);
  return PAUSE;
}
