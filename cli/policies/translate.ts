/**
 * AuthorizationPolicy to pluginConfig and back. The `spec` stays as it is but for what selects workloads, which in
 * pluginConfig is the business of whatever delivers it.
 */
import { UserError } from "../errors.ts";
import { type AuthorizationPolicy, type Labels, type MeshConfig, nameOf, namespaceOf, type PluginPolicy } from "./model.ts";

/** Istio's annotation for policies that decide nothing yet. */
const DRY_RUN = "istio.io/dry-run";
const API_VERSION = "security.istio.io/v1";

/** True if Bailey can decide it: `CUSTOM` asks a server of the user's, and stays with Istio. */
export function isDecidable(policy: AuthorizationPolicy): boolean {
  return policy.spec?.action !== "CUSTOM";
}

/** Makes policies of pluginConfig. */
export function toPlugin(policies: AuthorizationPolicy[]): PluginPolicy[] {
  return policies.map((policy) => {
    const { selector, targetRef, targetRefs, ...spec } = policy.spec ?? {};
    const isShadow = policy.metadata.annotations?.[DRY_RUN] === "true";
    return { name: policy.metadata.name, namespace: namespaceOf(policy), ...(isShadow && { mode: "shadow" as const }), spec };
  });
}

const PLUGIN_KEYS = new Set(["policies", "mode", "default", "$schema"]);
/** Settings that change nothing about what policies mean in Istio's terms. */
const QUIET_KEYS = new Set(["events", "failure", "limits", "host"]);

/** Makes AuthorizationPolicies of pluginConfig, for the workloads with those labels; refuses what Istio cannot say. */
export function toIstio(config: MeshConfig, labels: Labels | undefined, namespace: string | undefined): AuthorizationPolicy[] {
  for (const key of Object.keys(config)) {
    if (!PLUGIN_KEYS.has(key) && !QUIET_KEYS.has(key))
      throw new UserError(`pluginConfig.${key}: AuthorizationPolicy has nothing like it; set it for the mesh`, 1);
  }
  const selector = labels && { selector: { matchLabels: labels } };
  const made = (config.policies ?? []).map((policy, i): AuthorizationPolicy => {
    refuseOwn(policy.spec, `pluginConfig.policies[${i}].spec`);
    const isShadow = (policy.mode ?? config.mode) === "shadow";
    const ns = policy.namespace ?? namespace;
    return {
      apiVersion: API_VERSION,
      kind: "AuthorizationPolicy",
      metadata: { name: policy.name, ...(ns !== undefined && { namespace: ns }), ...(isShadow && { annotations: { [DRY_RUN]: "true" } }) },
      spec: { ...selector, ...policy.spec },
    };
  });
  // nothing is allowed that no policy speaks of: an ALLOW without rules says the same
  if (config.default === "deny") {
    const ns = namespace ?? made[0]?.metadata.namespace;
    made.push({
      apiVersion: API_VERSION,
      kind: "AuthorizationPolicy",
      metadata: { name: "allow-nothing", ...(ns !== undefined && { namespace: ns }), ...(config.mode === "shadow" && { annotations: { [DRY_RUN]: "true" } }) },
      spec: { ...selector },
    });
  }
  return made;
}

/** Keys of `when` that only Bailey knows, see docs/policies.md. */
const OWN_KEYS = /^(request\.(host|path|method|time|query\[|grpc\.|jsonrpc\.|graphql\.))/;

function refuseOwn(value: unknown, place: string): void {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) refuseOwn(item, `${place}[${i}]`);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const only =
      key === "rateLimit" || key === "matches" || key === "notMatches" ? key : key === "key" && OWN_KEYS.test(String(item)) ? String(item) : undefined;
    if (only !== undefined) throw new UserError(`${place}.${key}: ${only} is Bailey's own; AuthorizationPolicy cannot say it`, 1);
    refuseOwn(item, `${place}.${key}`);
  }
}

/** Says which policy a place in pluginConfig belongs to: `policies[3].spec.rules[0]` is `shop/web: spec.rules[0]`. */
export function placeInIstio(refusal: string, policies: AuthorizationPolicy[]): string {
  return refusal.replace(/^pluginConfig\.policies\[(\d+)\]\.?/, (whole, index: string) => {
    const policy = policies[Number(index)];
    return policy ? `${nameOf(policy)}: ` : whole;
  });
}
