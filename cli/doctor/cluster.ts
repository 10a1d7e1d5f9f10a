/** What a cluster says of Bailey's plugins: each WasmPlugin, the pods that it is for, and their proxies, through kubectl. */

import { refusalOf } from "../build/refusal.ts";
import { UserError } from "../errors.ts";
import type { Labels } from "../policies/model.ts";
import { ROOT_NAMESPACE } from "../policies/select.ts";
import { lastLine, run } from "../process.ts";
import { type Admin, examine, look } from "./envoy.ts";
import type { Add, Finding } from "./finding.ts";

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

const GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name";

export interface Cluster {
  context: string | undefined;
  /** Proxies of a plugin that are looked into. */
  most: number;
}

async function kubectl(context: string | undefined, args: string[]): Promise<string> {
  const result = await run("kubectl", [...(context === undefined ? [] : ["--context", context]), ...args]);
  if (result.code === 127) throw new UserError("kubectl is not installed; install it, or name an Envoy with --admin");
  if (result.code !== 0) throw new UserError(`kubectl ${args.join(" ")} failed: ${lastLine(result)}`);
  return result.stdout;
}

/** Looks at all plugins of Bailey in a cluster. */
export async function examineCluster({ context, most }: Cluster): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { items } = JSON.parse(await kubectl(context, ["get", "wasmplugins.extensions.istio.io,pods", "-A", "-o", "json"])) as { items: Item[] };
  const plugins = items.filter(({ kind, spec }) => kind === "WasmPlugin" && spec.pluginName?.startsWith("bailey."));
  const pods = items.filter(({ kind, status }) => kind === "Pod" && status?.phase === "Running");
  if (plugins.length === 0) findings.push({ level: "error", place: "cluster", text: "no WasmPlugin is Bailey's", next: "apply one of manifests/overlays" });
  for (const plugin of plugins) {
    const place = `${plugin.metadata.namespace}/${plugin.metadata.name}`;
    const add: Add = (level, text, next) => findings.push({ level, place, text, ...(next !== undefined && { next }) });
    const selected = pods.filter((pod) => isSelected(plugin, pod));
    await examinePlugin(plugin, selected, add);
    for (const pod of selected.slice(0, most)) await examinePod(context, plugin, pod, findings);
    if (selected.length > most) add("ok", `${selected.length - most} more proxies not looked into`);
  }
  return findings;
}

function isSelected({ metadata, spec }: Item, pod: Item): boolean {
  const labels = pod.metadata.labels ?? {};
  if (metadata.namespace !== ROOT_NAMESPACE && metadata.namespace !== pod.metadata.namespace) return false;
  if (spec.targetRefs?.length) return metadata.namespace === pod.metadata.namespace && spec.targetRefs.some(({ name }) => labels[GATEWAY_LABEL] === name);
  return Object.entries(spec.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
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

async function examinePod(context: string | undefined, plugin: Item, pod: Item, findings: Finding[]): Promise<void> {
  const { name, namespace } = pod.metadata;
  const place = `${plugin.metadata.namespace}/${plugin.metadata.name} in ${namespace}/${name}`;
  const add: Add = (level, text, next) => findings.push({ level, place, text, ...(next !== undefined && { next }) });
  const admin: Admin = (path) => kubectl(context, ["exec", name, "-n", namespace, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", path]);
  const extension = `${plugin.metadata.namespace}.${plugin.metadata.name}~`;
  try {
    const { plugins, replaced, metrics } = await look(admin);
    const loaded = plugins.find((one) => one.name.includes(`/${extension}`));
    const instead = replaced.find((one) => one.name.includes(`/${extension}`));
    if (instead)
      add(
        "error",
        `the image was not fetched, or has another digest; ${instead.denies ? "everything is denied" : "everything passes"} in its place`,
        "look for `wasm` in the agent's log; compare spec.url and spec.sha256 with the registry",
      );
    else if (!loaded) add("error", "the proxy does not have it", "is istiod connected? see `istioctl proxy-status`");
    else if (plugin.spec.sha256 && !loaded.file.includes(plugin.spec.sha256)) add("error", `it runs ${loaded.file}, expected digest ${plugin.spec.sha256}`);
    else await examine(loaded, metrics, add);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    add("warning", `its proxy cannot be asked: ${error.message}`);
  }
}
