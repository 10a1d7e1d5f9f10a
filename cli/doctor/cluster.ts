/** What a cluster says of Bailey's plugins: each of them, the pods that it is for, and their proxies. */

import { refusalOf } from "../build/refusal.ts";
import { findPlugins, type Item, isGateway, isSelected, type Plugin } from "../cluster/plugins.ts";
import { UserError } from "../errors.ts";
import { examine, type Proxied, replacement } from "./envoy.ts";
import { type Add, adder, type Finding } from "./finding.ts";
import { lookOnce } from "./pods.ts";

export interface Cluster {
  context: string | undefined;
  /** Proxies of a plugin that are looked into. */
  most: number;
}

/** Looks at all plugins of Bailey in a cluster. */
export async function examineCluster({ context, most }: Cluster): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { plugins, pods } = await findPlugins(context);
  const lookInto = lookOnce(context);
  if (plugins.length === 0) findings.push({ level: "error", place: "cluster", text: "no plugin is Bailey's", next: "apply one of manifests/overlays" });
  for (const plugin of plugins) {
    const add = adder(findings, plugin.place);
    const selected = pods.filter((pod) => isSelected(plugin, pod));
    await examinePlugin(plugin, selected, add);
    for (const pod of selected.slice(0, most))
      await examinePod(plugin, lookInto(pod), adder(findings, `${plugin.place} in ${pod.metadata.namespace}/${pod.metadata.name}`));
    if (selected.length > most) add("ok", `${selected.length - most} more proxies not looked into`);
  }
  return findings;
}

/** True if it is only for some ports, which a proxy need not have. */
function namesPorts({ item: { spec } }: Plugin): boolean {
  return spec.match?.some(({ ports }) => ports?.length) ?? false;
}

/** What can be said of a plugin without its proxies. */
async function examinePlugin(plugin: Plugin, pods: Item[], add: Add): Promise<void> {
  const { metadata, spec } = plugin.item;
  if (pods.length === 0) add("error", "no running pod is selected", "compare spec.selector, or targetRefs, with the labels of the pods");
  const modes = (spec.match ?? []).map(({ mode }) => mode);
  if (modes.length > 0 && modes.every((mode) => mode === "SERVER") && pods.some(isGateway)) {
    add("error", "match mode SERVER never applies on a gateway", "leave match out, or use CLIENT");
  }
  // quarantine is meant for all connections
  if (metadata.name !== "bailey-quarantine" && spec.type === "NETWORK" && !namesPorts(plugin)) {
    add("warning", "without ports it decides about connections of HTTP too", "name the ports without HTTP in match");
  }
  if (plugin.sha256 === "") add("warning", "no sha256: whatever the registry has under this tag is loaded", "write what `bailey push` printed");
  const refused = await refusalOf(plugin.pluginName, plugin.config);
  if (refused !== undefined) add("error", `pluginConfig is refused: ${refused}`, "proxies keep the one that they have; mend this one");
}

async function examinePod(plugin: Plugin, looked: Promise<Proxied>, add: Add): Promise<void> {
  try {
    const proxied = await looked;
    const { plugins, replaced } = proxied;
    const loaded = plugins.find(({ name }) => plugin.isCalled(name));
    const instead = replaced.find(({ name }) => plugin.isCalled(name));
    if (instead) add("error", replacement(instead), "look for `wasm` in the agent's log; compare the image and its sha256 with the registry");
    else if (!loaded && namesPorts(plugin)) add("warning", "the proxy does not have it; has it none of the ports in match?");
    else if (!loaded) add("error", "the proxy does not have it", "is istiod connected? see `istioctl proxy-status`");
    else if (!loaded.file.includes(plugin.sha256)) add("error", `it runs ${loaded.file}, expected digest ${plugin.sha256}`);
    else await examine(loaded, proxied, add);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    add("warning", `its proxy cannot be asked: ${error.message}`);
  }
}
