/** What a cluster says of Bailey's plugins: each WasmPlugin, the pods that it is for, and their proxies, through kubectl. */

import { refusalOf } from "../build/refusal.ts";
import { UserError } from "../errors.ts";
import { kubectl } from "../kubectl.ts";
import type { Labels } from "../policies/model.ts";
import { GATEWAY_LABEL, hasLabels, ROOT_NAMESPACE } from "../policies/select.ts";
import { type Admin, examine, look, type Proxied, replacement } from "./envoy.ts";
import { type Add, adder, type Finding } from "./finding.ts";

interface Item {
  kind: string;
  metadata: { name: string; namespace: string; labels?: Labels };
  spec: {
    pluginName?: string;
    pluginConfig?: object;
    sha256?: string;
    type?: string;
    selector?: { matchLabels?: Labels };
    targetRefs?: { kind: string; name: string }[];
    match?: { mode?: string; ports?: object[] }[];
    containers?: { name: string; args?: string[] }[];
    initContainers?: { name: string; args?: string[] }[];
  };
  status?: { phase?: string };
}

export interface Cluster {
  context: string | undefined;
  /** Proxies of a plugin that are looked into. */
  most: number;
}

/** Looks at all plugins of Bailey in a cluster. */
export async function examineCluster({ context, most }: Cluster): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { stdout } = await kubectl(["get", "wasmplugins.extensions.istio.io,pods", "-A", "-o", "json"], {
    context,
    without: "install it, or name an Envoy with --admin",
  });
  const { items } = JSON.parse(stdout) as { items: Item[] };
  // several plugins may be in one proxy, whose dump is large
  const looks = new Map<Item, Promise<Proxied>>();
  const lookInto = (pod: Item): Promise<Proxied> => {
    const known = looks.get(pod) ?? look(adminOf(pod, context));
    looks.set(pod, known);
    return known;
  };
  const plugins = items.filter(({ kind, spec }) => kind === "WasmPlugin" && spec.pluginName?.startsWith("bailey."));
  const pods = items.filter(({ kind, status }) => kind === "Pod" && status?.phase === "Running");
  if (plugins.length === 0) findings.push({ level: "error", place: "cluster", text: "no WasmPlugin is Bailey's", next: "apply one of manifests/overlays" });
  for (const plugin of plugins) {
    const place = `${plugin.metadata.namespace}/${plugin.metadata.name}`;
    const add = adder(findings, place);
    const selected = pods.filter((pod) => isSelected(plugin, pod));
    await examinePlugin(plugin, selected, add);
    for (const pod of selected.slice(0, most))
      await examinePod(plugin, lookInto(pod), adder(findings, `${place} in ${pod.metadata.namespace}/${pod.metadata.name}`));
    if (selected.length > most) add("ok", `${selected.length - most} more proxies not looked into`);
  }
  return findings;
}

function isSelected({ metadata, spec }: Item, pod: Item): boolean {
  const labels = pod.metadata.labels ?? {};
  if (metadata.namespace !== ROOT_NAMESPACE && metadata.namespace !== pod.metadata.namespace) return false;
  if (spec.targetRefs?.length) return metadata.namespace === pod.metadata.namespace && spec.targetRefs.some(({ name }) => labels[GATEWAY_LABEL] === name);
  return hasLabels(labels, spec.selector?.matchLabels);
}

function isGateway({ metadata, spec }: Item): boolean {
  if (metadata.labels?.[GATEWAY_LABEL] !== undefined || metadata.labels?.istio?.endsWith("gateway")) return true;
  const proxies = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter(({ name }) => name === "istio-proxy");
  return proxies.some(({ args }) => args?.includes("router"));
}

/** What can be said of a plugin without its proxies. */
async function examinePlugin({ metadata, spec }: Item, pods: Item[], add: Add): Promise<void> {
  if (pods.length === 0) add("error", "no running pod is selected", "compare spec.selector, or targetRefs, with the labels of the pods");
  const modes = (spec.match ?? []).map(({ mode }) => mode);
  if (modes.length > 0 && modes.every((mode) => mode === "SERVER") && pods.some(isGateway)) {
    add("error", "match mode SERVER never applies on a gateway", "leave match out, or use CLIENT");
  }
  // quarantine is meant for all connections
  if (metadata.name !== "bailey-quarantine" && spec.type === "NETWORK" && !(spec.match ?? []).some(({ ports }) => ports?.length)) {
    add("warning", "without ports it decides about connections of HTTP too", "name the ports without HTTP in match");
  }
  if (!spec.sha256) add("warning", "no sha256: whatever the registry has under this tag is loaded", "write what `bailey push` printed");
  const refused = await refusalOf(spec.pluginName ?? "", spec.pluginConfig ?? {});
  if (refused !== undefined) add("error", `pluginConfig is refused: ${refused}`, "proxies keep the one that they have; mend this one");
}

/** Asks a pod's proxy, through istio-agent. */
function adminOf({ metadata: { name, namespace } }: Item, context: string | undefined): Admin {
  return async (path) => (await kubectl(["exec", name, "-n", namespace, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", path], { context })).stdout;
}

async function examinePod(plugin: Item, looked: Promise<Proxied>, add: Add): Promise<void> {
  const extension = `${plugin.metadata.namespace}.${plugin.metadata.name}~`;
  try {
    const { plugins, replaced, metrics } = await looked;
    const loaded = plugins.find((one) => one.name.includes(`/${extension}`));
    const instead = replaced.find((one) => one.name.includes(`/${extension}`));
    if (instead) add("error", replacement(instead), "look for `wasm` in the agent's log; compare spec.url and spec.sha256 with the registry");
    else if (!loaded && plugin.spec.match?.some(({ ports }) => ports?.length)) add("warning", "the proxy does not have it; has it none of the ports in match?");
    else if (!loaded) add("error", "the proxy does not have it", "is istiod connected? see `istioctl proxy-status`");
    else if (plugin.spec.sha256 && !loaded.file.includes(plugin.spec.sha256)) add("error", `it runs ${loaded.file}, expected digest ${plugin.spec.sha256}`);
    else await examine(loaded, metrics, add);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    add("warning", `its proxy cannot be asked: ${error.message}`);
  }
}
