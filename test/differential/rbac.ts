/**
 * AuthorizationPolicy as Envoy's RBAC filters, as Istio generates it: the other side of the differential test. That it
 * is what Istio generates is itself a test, against the files that Istio's own tests compare with (golden.test.ts).
 */

type Json = { [key: string]: unknown };

export interface AuthorizationPolicy {
  metadata: { name: string; namespace: string; annotations?: { [key: string]: string } };
  spec: Spec;
}

export interface Spec {
  action?: "ALLOW" | "DENY" | "AUDIT";
  rules?: Rule[];
}

export interface Rule {
  from?: { source: { [field: string]: string[] } }[];
  to?: { operation: { [field: string]: string[] } }[];
  when?: { key: string; values?: string[]; notValues?: string[] }[];
}

export interface Translation {
  forTcp: boolean;
  /** The mesh's trust domain and its aliases. */
  trustDomains: string[];
}

/** An attribute that only HTTP has, on a connection without it. */
class HttpOnly extends Error {}

/** Makes one matcher of the values of a field, or one for each of them. */
type Generate = (key: string, values: string[], context: Context) => Json[];

interface Context extends Translation {
  namespace: string;
}

interface Field {
  generate: Generate;
  /** Whether `generate` gives alternatives that are joined here, or one matcher for all values. */
  joins: boolean;
  /** Whether it is about who calls; otherwise about what is called. */
  isPrincipal: boolean;
}

const each = (make: (value: string, key: string, context: Context) => Json): Generate => {
  return (key, values, context) => values.map((value) => make(value, key, context));
};

const quote = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
const regex = (text: string): Json => ({ safeRegex: { regex: text } });

function stringMatch(value: string, prefix = ""): Json {
  if (value === "*") return regex(".+");
  if (value.startsWith("*")) return prefix === "" ? { suffix: value.slice(1) } : regex(`${prefix}.*${quote(value.slice(1))}`);
  if (value.endsWith("*")) return { prefix: prefix + value.slice(0, -1) };
  return { exact: prefix + value };
}

function headerMatch(name: string, value: string, ignoreCase: boolean): Json {
  if (value === "*") return { name, presentMatch: true };
  const match = value.startsWith("*") ? { suffix: value.slice(1) } : value.endsWith("*") ? { prefix: value.slice(0, -1) } : { exact: value };
  return { name, stringMatch: { ...match, ...(ignoreCase && { ignoreCase: true }) } };
}

const authenticated = (principalName: Json): Json => ({ authenticated: { principalName } });

function cidr(value: string): Json {
  const [addressPrefix, length] = value.split("/");
  return { addressPrefix, prefixLen: length === undefined ? (value.includes(":") ? 128 : 32) : Number(length) };
}

function inBrackets(key: string): string {
  const open = key.indexOf("[");
  return key.slice(open + 1, -1);
}

/** `[a][b]` is a path, anything else one name. */
function claimPath(text: string): string[] {
  if (!/^(\[[^[\]]*\])+$/.test(text)) return [text.slice(1, -1)];
  return [...text.matchAll(/\[([^[\]]*)\]/g)].map(([, name = ""]) => name);
}

const orValue = (matchers: Json[]): Json => (matchers.length === 1 ? (matchers[0] as Json) : { orMatch: { valueMatchers: matchers } });

function jwt(path: string[], value: Json): Json {
  return { metadata: { filter: "envoy.filters.http.jwt_authn", path: ["payload", ...path].map((key) => ({ key })), value } };
}

function claims(path: string[], values: string[]): Json[] {
  const value = orValue(values.map((text) => ({ stringMatch: stringMatch(text) })));
  return [jwt(path, { orMatch: { valueMatchers: [{ listMatch: { oneOf: value } }, value] } })];
}

function requestPrincipal(value: string): Json {
  const slash = value.lastIndexOf("/");
  const [issuer, subject] = slash < 0 ? [value, ""] : [value.slice(0, slash), value.slice(slash + 1)];
  const any = regex(".+");
  let pair: [Json, Json];
  if (value === "*") pair = [any, any];
  else if (value.startsWith("*")) {
    if (slash < 0) pair = [any, { suffix: value.slice(1) }];
    else pair = [issuer === "*" ? any : { suffix: issuer.slice(1) }, { exact: subject }];
  } else if (value.endsWith("*")) {
    if (slash < 0) pair = [{ prefix: value.slice(0, -1) }, any];
    else pair = [{ exact: issuer }, subject === "*" ? any : { prefix: subject.slice(0, -1) }];
  } else pair = [{ exact: issuer }, { exact: subject }];
  return { andIds: { ids: [jwt(["iss"], { stringMatch: pair[0] }), jwt(["sub"], { stringMatch: pair[1] })] } };
}

function envoyFilter(key: string, values: string[]): Json[] {
  const name = key.slice("experimental.".length, key.indexOf("["));
  const matchers = values.map((value) => {
    if (!value.startsWith("[") || !value.endsWith("]")) return { stringMatch: stringMatch(value) };
    return { listMatch: { oneOf: { stringMatch: stringMatch(value.replace(/^[[\]]+|[[\]]+$/g, "")) } } };
  });
  return [{ metadata: { filter: name, path: [{ key: inBrackets(key) }], value: orValue(matchers) } }];
}

function serviceAccount(value: string, namespace: string): string {
  const [ns, sa] = value.includes("/") ? value.split("/") : [namespace, value];
  return `spiffe://.+/ns/${quote(ns ?? "")}/(.+/|)sa/${quote(sa ?? "")}(/.+)?`;
}

function trustDomain(value: string): Json {
  if (value === "*") return { prefix: "spiffe://" };
  if (!value.includes("*")) return { prefix: `spiffe://${value}/` };
  const [before = "", after = ""] = value.split("*");
  return regex(`spiffe://${quote(before)}[^/]*${quote(after)}/.*`);
}

const http = (generate: Generate): Generate => {
  return (key, values, context) => {
    if (context.forTcp) throw new HttpOnly(key);
    return generate(key, values, context);
  };
};

const who = (generate: Generate, joins = true): Field => ({ generate, joins, isPrincipal: true });
const what = (generate: Generate, joins = true): Field => ({ generate, joins, isPrincipal: false });

const principal = who(each((value) => authenticated(stringMatch(value, "spiffe://"))));
const namespaceField = who(each((value) => authenticated(regex(`.*/ns/${value.split("*").map(quote).join(".*")}/.*`))));
const account = who(each((value, _key, { namespace }) => authenticated(regex(serviceAccount(value, namespace)))));
const domain = who(each((value) => authenticated(trustDomain(value))));
const sourceIp = who(each((value) => ({ directRemoteIp: cidr(value) })));
const remoteIp = who(each((value) => ({ remoteIp: cidr(value) })));
const caller = who(
  http((_key, values) => (values.length === 1 ? values.map(requestPrincipal) : [{ orIds: { ids: values.map(requestPrincipal) } }])),
  false,
);
const port = what(each((value) => ({ destinationPort: Number(value) })));

const FIELDS: { [field: string]: Field } = {
  principals: principal,
  requestPrincipals: caller,
  namespaces: namespaceField,
  serviceAccounts: account,
  trustDomains: domain,
  ipBlocks: sourceIp,
  remoteIpBlocks: remoteIp,
  hosts: what(http(each((value) => ({ header: headerMatch(":authority", value, true) })))),
  methods: what(http(each((value) => ({ header: headerMatch(":method", value, false) })))),
  paths: what(http(each((value) => path(value)))),
  ports: port,
};

function path(value: string): Json {
  if (!value.includes("{*}") && !value.includes("{**}")) return { urlPath: { path: stringMatch(value) } };
  return {
    uriTemplate: {
      name: "uri-template",
      typedConfig: {
        "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
        pathTemplate: value.replaceAll("{*}", "*").replaceAll("{**}", "**"),
      },
    },
  };
}

const KEYS: { [key: string]: Field } = {
  "source.ip": sourceIp,
  "remote.ip": remoteIp,
  "source.namespace": namespaceField,
  "source.serviceAccount": account,
  "source.trustDomain": domain,
  "source.principal": principal,
  "request.auth.principal": caller,
  "request.auth.audiences": who(
    http((_key, values) => claims(["aud"], values)),
    false,
  ),
  "request.auth.presenter": who(
    http((_key, values) => claims(["azp"], values)),
    false,
  ),
  "destination.ip": what(each((value) => ({ destinationIp: cidr(value) }))),
  "destination.port": port,
  "connection.sni": what(each((value) => ({ requestedServerName: stringMatch(value) }))),
};

function fieldOfKey(key: string): Field {
  const plain = KEYS[key];
  if (plain) return plain;
  if (key.startsWith("experimental.envoy.filters.")) return what(envoyFilter, false);
  if (key.startsWith("request.headers")) return who(http(each((value) => ({ header: headerMatch(inBrackets(key), value, false) }))));
  if (key.startsWith("request.auth.claims"))
    return who(
      http((_key, values) => claims(claimPath(key.slice("request.auth.claims".length)), values)),
      false,
    );
  throw new Error(`no such key: ${key}`);
}

/** A field with its values, in the order in which Istio evaluates them. */
interface Entry {
  field: Field;
  key: string;
  values: string[];
  notValues: string[];
}

/** Order of the fields of a source and of an operation: the last one that Istio puts in front comes first. */
const SOURCE_ORDER = ["principals", "requestPrincipals", "serviceAccounts", "trustDomains", "namespaces", "remoteIpBlocks", "ipBlocks"];
const OPERATION_ORDER = ["hosts", "methods", "paths", "ports"];

function entriesOf(fields: { [field: string]: string[] }, order: string[]): Entry[] {
  return order.flatMap((name) => {
    const values = fields[name] ?? [];
    const notValues = fields[`not${name[0]?.toUpperCase()}${name.slice(1)}`] ?? [];
    const field = FIELDS[name];
    return field && values.length + notValues.length > 0 ? [{ field, key: name, values, notValues }] : [];
  });
}

function withDomains(entry: Entry, context: Context): Entry {
  if (entry.field === principal) return { ...entry, values: replaceDomains(entry.values, context), notValues: replaceDomains(entry.notValues, context) };
  if (entry.field !== domain) return entry;
  const expand = (values: string[]): string[] => [
    ...new Set(values.flatMap((value) => (context.trustDomains.includes(value) ? context.trustDomains : [value]))),
  ];
  return { ...entry, values: expand(entry.values), notValues: expand(entry.notValues) };
}

const endsAs = (text: string, pattern: string): boolean => pattern.startsWith("*") && text.endsWith(pattern.slice(1));
const startsAs = (text: string, pattern: string): boolean => pattern.endsWith("*") && text.startsWith(pattern.slice(0, -1));

function replaceDomains(principals: string[], { trustDomains }: Context): string[] {
  return principals.flatMap((text) => {
    const [first = "", ...rest] = text.split("/");
    const known = first === "cluster.local" || trustDomains.some((own) => own === first || endsAs(own, first) || startsAs(own, first));
    if (rest.length !== 4 || first === "*" || !known) return [text];
    return [...new Set(trustDomains.map((own) => (endsAs(own, first) ? text : [own, ...rest].join("/"))))];
  });
}

function matchers(entries: Entry[], context: Context, lenient: boolean): Json[] {
  return entries.flatMap((original) => {
    const entry = withDomains(original, context);
    const { field, key } = entry;
    const [or, list, not] = field.isPrincipal ? ["orIds", "ids", "notId"] : ["orRules", "rules", "notRule"];
    const generated = (values: string[]): Json | undefined => {
      if (values.length === 0) return undefined;
      try {
        const made = field.generate(key, values, context);
        return field.joins ? { [or as string]: { [list as string]: made } } : made[0];
      } catch (error) {
        if (error instanceof HttpOnly && lenient) return undefined;
        throw error;
      }
    };
    const positive = generated(entry.values);
    const negative = generated(entry.notValues);
    return [...(positive ? [positive] : []), ...(negative ? [{ [not as string]: negative }] : [])];
  });
}

function policyOf(rule: Rule, context: Context, lenient: boolean): Json {
  const conditions = (rule.when ?? []).map(({ key, values = [], notValues = [] }) => ({ field: fieldOfKey(key), key, values, notValues }));
  const sources = (rule.from ?? []).map(({ source }) => entriesOf(source, SOURCE_ORDER));
  const operations = (rule.to ?? []).map(({ operation }) => entriesOf(operation, OPERATION_ORDER));
  const branch = (entries: Entry[], isPrincipal: boolean): Json => {
    const all = matchers([...entries, ...conditions.filter(({ field }) => field.isPrincipal === isPrincipal)], context, lenient);
    const content = all.length === 0 ? [{ any: true }] : all;
    return isPrincipal ? { andIds: { ids: content } } : { andRules: { rules: content } };
  };
  return {
    permissions: (operations.length === 0 ? [[]] : operations).map((entries) => branch(entries, false)),
    principals: (sources.length === 0 ? [[]] : sources).map((entries) => branch(entries, true)),
  };
}

/** Makes the rules for the policies of one action; undefined if there are none, or if all of them are dry runs. */
export function rbac(policies: AuthorizationPolicy[], action: "ALLOW" | "DENY" | "AUDIT", translation: Translation): Json | undefined {
  const own = policies.filter(({ spec }) => (spec.action ?? "ALLOW") === action);
  if (own.length === 0) return undefined;
  const made: { [name: string]: Json } = {};
  for (const { metadata, spec } of own) {
    const named = (rule: number): string => `ns[${metadata.namespace}]-policy[${metadata.name}]-rule[${rule}]`;
    if (!spec.rules?.length) made[named(0)] = { permissions: [{ notRule: { any: true } }], principals: [{ notId: { any: true } }] };
    spec.rules?.forEach((rule, i) => {
      try {
        made[named(i)] = policyOf(rule, { ...translation, namespace: metadata.namespace }, action !== "ALLOW");
      } catch (error) {
        if (!(error instanceof HttpOnly)) throw error;
      }
    });
  }
  return { ...(action !== "ALLOW" && { action: action === "DENY" ? "DENY" : "LOG" }), ...(Object.keys(made).length > 0 && { policies: made }) };
}
