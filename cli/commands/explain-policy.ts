/** `bailey explain --policy`: what is decided about one request between services, and why. Exit code 3: denied. */
import { UserError } from "../errors.ts";
import type { Call } from "../host/mesh.ts";
import type { Json } from "../host/metadata.ts";
import { type Description, linesOf, toCall } from "../policies/calls.ts";
import { type Destination, loadPolicies } from "../policies/load.ts";
import { readCurl } from "../requests.ts";

export interface ExplainPolicyOptions extends Destination {
  policy: string[];
  tcp?: boolean;
  curl?: string;
  from?: string;
  method?: string;
  path?: string;
  host?: string;
  header: string[];
  body?: string;
  sourceIp?: string;
  remoteIp?: string;
  port?: number;
  sni?: string;
  claims?: string;
  time?: string;
  format: "text" | "json";
}

const DENIED = 3;

export async function explainPolicy(options: ExplainPolicyOptions): Promise<void> {
  const call = readCall(options);
  const { namespace, labels, tcp } = options;
  const policies = await loadPolicies(options.policy, tcp ?? false);
  const { allowed, event } = await policies.ask(call, { namespace, labels });
  if (options.format === "json") console.log(JSON.stringify({ allowed, event: event ?? null }, undefined, 2));
  else
    console.log(
      [
        `${call.method ?? "GET"} ${call.path ?? "/"} from ${call.peer ?? "a caller without a certificate"}`,
        ...linesOf(event, allowed).map((line) => `  ${line}`),
      ].join("\n"),
    );
  if (!allowed) process.exitCode = DENIED;
}

function readCall(options: ExplainPolicyOptions): Call {
  const { from, method, path, host, body, sourceIp, remoteIp, port, sni, time } = options;
  const given: Description = { ...fromCurl(options.curl), ...defined({ from, method, path, host, body, sourceIp, remoteIp, port, sni, time }) };
  for (const header of options.header) {
    const colon = header.indexOf(":");
    if (colon < 1) throw new UserError(`--header ${JSON.stringify(header)}: expected a name, a colon and a value`, 2);
    given.headers = { ...given.headers, [header.slice(0, colon)]: header.slice(colon + 1).trim() };
  }
  if (options.claims !== undefined) given.claims = readClaims(options.claims);
  return toCall(given, "request");
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function fromCurl(command: string | undefined): Description {
  if (command === undefined) return {};
  const { method, path, request } = readCurl(command);
  const headers: { [name: string]: string[] } = {};
  for (const [name, value] of request.headers) headers[name.toLowerCase()] = [...(headers[name.toLowerCase()] ?? []), value.toString()];
  const { host, ...others } = headers;
  return { method, path, headers: others, ...(host?.[0] !== undefined && { host: host[0] }), ...(request.body?.length && { body: request.body.toString() }) };
}

function readClaims(text: string): Json {
  try {
    const claims = JSON.parse(text) as unknown;
    if (typeof claims === "object" && claims !== null && !Array.isArray(claims)) return claims as Json;
  } catch {
    // said below
  }
  throw new UserError(`--claims: found ${JSON.stringify(text.slice(0, 40))}, expected a JSON object, as in {"sub":"alice"}`, 2);
}
