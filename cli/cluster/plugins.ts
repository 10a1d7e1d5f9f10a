/** Bailey's plugins in a cluster and the pods that they are for, through kubectl. */
import { kubectl } from "../kubectl.ts";
import type { Labels } from "../policies/model.ts";
import { GATEWAY_LABEL, hasLabels, ROOT_NAMESPACE } from "../policies/select.ts";

export interface Item {
  kind: string;
  metadata: { name: string; namespace: string; labels?: Labels; annotations?: Labels };
  spec: {
    pluginName?: string;
    pluginConfig?: { [key: string]: unknown };
    url?: string;
    sha256?: string;
    type?: string;
    priority?: number;
    selector?: { matchLabels?: Labels };
    targetRefs?: { kind: string; name: string }[];
    match?: { mode?: string; ports?: object[] }[];
    /** Of an EnvoyFilter. */
    workloadSelector?: { labels?: Labels };
    configPatches?: { patch?: { value?: { name?: string; typed_config?: { config?: Wasm } } } }[];
    /** Of a pod. */
    serviceAccountName?: string;
    containers?: { name: string; args?: string[] }[];
    initContainers?: { name: string; args?: string[] }[];
  };
  status?: { phase?: string };
}

/** A filter that an EnvoyFilter delivers. */
interface Wasm {
  root_id?: string;
  vm_config?: { code?: { remote?: { sha256?: string } } };
  configuration?: { value?: string };
}

/** A plugin of Bailey's, however it is delivered. */
export interface Plugin {
  item: Item;
  /** `namespace/name`. */
  place: string;
  pluginName: string;
  config: { [key: string]: unknown };
  /** Digest of its image, empty if none is pinned. */
  sha256: string;
  /** True if an Envoy calls an extension of that name by this plugin. */
  isCalled(name: string): boolean;
}

export interface Found {
  plugins: Plugin[];
  /** Pods that run. */
  pods: Item[];
}

/** Reads all plugins and pods of a cluster. */
export async function findPlugins(context: string | undefined): Promise<Found> {
  const kinds = "wasmplugins.extensions.istio.io,envoyfilters.networking.istio.io,pods";
  const { stdout } = await kubectl(["get", kinds, "-A", "-o", "json"], { context, without: "install it, or name an Envoy with --admin" });
  const { items } = JSON.parse(stdout) as { items: Item[] };
  return {
    plugins: items.flatMap((item) => pluginOf(item) ?? []),
    pods: items.filter(({ kind, status }) => kind === "Pod" && status?.phase === "Running"),
  };
}

function pluginOf(item: Item): Plugin | undefined {
  const { kind, metadata, spec } = item;
  const place = `${metadata.namespace}/${metadata.name}`;
  if (kind === "WasmPlugin" && spec.pluginName?.startsWith("bailey.")) {
    const isCalled = (name: string): boolean => name.includes(`/${metadata.namespace}.${metadata.name}~`);
    return { item, place, pluginName: spec.pluginName, config: spec.pluginConfig ?? {}, sha256: spec.sha256 ?? "", isCalled };
  }
  const patch = kind === "EnvoyFilter" && spec.configPatches?.map(({ patch }) => patch?.value).find((value) => value?.typed_config?.config?.root_id);
  const wasm = patch ? patch.typed_config?.config : undefined;
  if (!patch || !wasm?.root_id?.startsWith("bailey.")) return undefined;
  const config = JSON.parse(wasm.configuration?.value || "{}") as Plugin["config"];
  return { item, place, pluginName: wasm.root_id, config, sha256: wasm.vm_config?.code?.remote?.sha256 ?? "", isCalled: (name) => name === patch.name };
}

/** True if a plugin is for a pod. */
export function isSelected({ item: { metadata, spec } }: Plugin, pod: Item): boolean {
  const labels = pod.metadata.labels ?? {};
  if (metadata.namespace !== ROOT_NAMESPACE && metadata.namespace !== pod.metadata.namespace) return false;
  if (spec.targetRefs?.length) return metadata.namespace === pod.metadata.namespace && spec.targetRefs.some(({ name }) => labels[GATEWAY_LABEL] === name);
  return hasLabels(labels, spec.selector?.matchLabels ?? spec.workloadSelector?.labels);
}

export function isGateway({ metadata, spec }: Item): boolean {
  if (metadata.labels?.[GATEWAY_LABEL] !== undefined || metadata.labels?.istio?.endsWith("gateway")) return true;
  const proxies = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter(({ name }) => name === "istio-proxy");
  return proxies.some(({ args }) => args?.includes("router"));
}

/** Asks a pod's proxy for a path of its admin interface, through istio-agent. */
export async function askProxy({ metadata: { name, namespace } }: Item, path: string, context: string | undefined): Promise<string> {
  return (await kubectl(["exec", name, "-n", namespace, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", path], { context })).stdout;
}
