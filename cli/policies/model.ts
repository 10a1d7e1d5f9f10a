/** Istio's AuthorizationPolicy as it is written, and what it becomes in the configuration of the mesh filters. */

export interface TargetRef {
  group?: string;
  kind?: string;
  name?: string;
  namespace?: string;
}

/** The parts that say what is decided: they mean the same in the plugin's configuration. */
export interface PolicySpec {
  action?: string;
  rules?: unknown[];
}

export interface AuthorizationPolicy {
  apiVersion: string;
  kind: "AuthorizationPolicy";
  metadata: { name: string; namespace?: string; annotations?: { [name: string]: string } };
  spec?: PolicySpec & { selector?: { matchLabels?: Labels }; targetRef?: TargetRef; targetRefs?: TargetRef[] };
}

export type Labels = { [name: string]: string };

/** A policy of pluginConfig. */
export interface PluginPolicy {
  name: string;
  namespace?: string;
  mode?: "enforce" | "shadow";
  spec: PolicySpec;
}

/** pluginConfig of the mesh filters, as far as tools look into it. */
export interface MeshConfig {
  policies?: PluginPolicy[];
  [key: string]: unknown;
}

/** Where policies are looked up: what Istio calls a workload, with the services behind it if it is a waypoint. */
export interface Workload {
  namespace: string;
  labels: Labels;
  /** Names of the services that a waypoint stands for. */
  services?: string[];
  /** What people call it. */
  name?: string;
}

/** Namespace of a policy that does not say it. */
export const DEFAULT_NAMESPACE = "default";

export function namespaceOf(policy: AuthorizationPolicy): string {
  return policy.metadata.namespace ?? DEFAULT_NAMESPACE;
}

/** Gives `namespace/name`. */
export function nameOf(policy: AuthorizationPolicy): string {
  return `${namespaceOf(policy)}/${policy.metadata.name}`;
}
