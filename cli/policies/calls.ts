/** A request between services as people describe it: in options of a command, or in a table of cases. */
import { UserError } from "../errors.ts";
import type { Call, MeshEvent } from "../host/mesh.ts";
import type { Json } from "../host/metadata.ts";

/** The keys are the attributes' in docs/policies.md, shortened. */
export interface Description {
  /** The caller's identity: a SPIFFE ID, with or without `spiffe://`. */
  from?: string;
  method?: string;
  path?: string;
  host?: string;
  headers?: { [name: string]: string | string[] };
  body?: string | Json;
  sourceIp?: string;
  remoteIp?: string;
  destinationIp?: string;
  port?: number;
  sni?: string;
  /** Claims of a verified token. */
  claims?: Json;
  /** Envoy's dynamic metadata by filter. */
  metadata?: { [filter: string]: Json };
  /** When the request comes, in ISO 8601. */
  time?: string;
}

const KEYS = ["from", "method", "path", "host", "headers", "body", "sourceIp", "remoteIp", "destinationIp", "port", "sni", "claims", "metadata", "time"];

/** Makes a call of a description. `place` names it in errors. */
export function toCall(description: Description, place: string): Call {
  for (const key of Object.keys(description)) {
    if (!KEYS.includes(key)) throw new UserError(`${place}.${key}: unknown key, expected one of ${KEYS.join(", ")}`, 2);
  }
  const { from, headers, body, port, time, path, ...rest } = description;
  if (path !== undefined && !path.startsWith("/")) throw new UserError(`${place}.path: found ${JSON.stringify(path)}, expected a path that starts with /`, 2);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536))
    throw new UserError(`${place}.port: found ${JSON.stringify(port)}, expected a port`, 2);
  const when = time === undefined ? new Date() : new Date(time);
  if (Number.isNaN(when.getTime())) throw new UserError(`${place}.time: found ${JSON.stringify(time)}, expected a moment as in 2026-01-31T12:00:00Z`, 2);
  return {
    ...rest,
    time: when,
    ...(path !== undefined && { path }),
    ...(port !== undefined && { destinationPort: port }),
    ...(from !== undefined && { peer: from.includes("://") ? from : `spiffe://${from}` }),
    ...(headers && { headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])) }),
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body), method: description.method ?? "POST" }),
  };
}

/** Says what was decided in lines for people. */
export function linesOf(event: MeshEvent | undefined, allowed: boolean): string[] {
  const lines = [allowed ? "allowed" : "denied"];
  if (!event) return lines;
  const { reason } = event.event;
  const { shadow, nearest, audited } = event.bailey;
  lines.push(`  ${reason}`);
  for (const { field, found } of nearest?.failed ?? []) lines.push(`  failed: ${field}${found === undefined ? "" : `, found ${JSON.stringify(found)}`}`);
  if (shadow)
    lines.push(
      `  with shadow policies enforced: ${shadow.action === "would_deny" ? "denied" : "allowed"}${shadow.policy ? `, by policy ${shadow.policy.name}` : ""}`,
    );
  if (audited) lines.push(`  audited by ${audited.join(", ")}`);
  return lines;
}
