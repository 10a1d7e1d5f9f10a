/**
 * Quarantine for the whole mesh: one plugin in the root namespace, on connections, so that it holds whatever is spoken; it
 * denies identities, so that it holds wherever a workload moves. What goes around the mesh is a network policy's business.
 */
import { join } from "node:path";
import { stringify } from "yaml";
import { UserError } from "../errors.ts";
import { withTemporaryFile } from "../files.ts";
import { kubectl } from "../kubectl.ts";
import { ROOT } from "../paths.ts";
import { type Image, imageOf } from "./image.ts";
import type { Item } from "./plugins.ts";

export interface Place {
  rootNamespace: string;
  manifests?: string;
  context?: string;
}

const NAME = "bailey-quarantine";
const LABEL = "bailey.dev/quarantine";

interface QuarantinePlugin {
  spec: { pluginConfig: { policies: { spec: { rules: { from: { source: { principals: string[] } }[] }[] } }[] } };
}

/** True if a text without scheme is the identity of a workload. */
export function isWorkload(name: string): boolean {
  return /^[^/]+\/ns\/[^/]+\/sa\/[^/*]+$/.test(name);
}

/** Gives an identity without its scheme. Throws if it is not one of a workload. */
export function identityOf(text: string): string {
  const name = text.replace(/^spiffe:\/\//, "");
  if (!isWorkload(name)) throw new UserError(`${text}: expected an identity, as in cluster.local/ns/shop/sa/web`, 2);
  return name;
}

/** Who is in quarantine. */
export async function readQuarantined(place: Place): Promise<string[]> {
  const { stdout } = await kubectl(["get", "wasmplugin", NAME, "-n", place.rootNamespace, "--ignore-not-found", "-o", "json"], place);
  if (stdout.trim() === "") return [];
  const plugin = JSON.parse(stdout) as QuarantinePlugin;
  return plugin.spec.pluginConfig.policies[0]?.spec.rules[0]?.from[0]?.source.principals ?? [];
}

/** Puts these into quarantine, and nobody else. */
export async function writeQuarantined(principals: string[], place: Place): Promise<void> {
  if (principals.length === 0) {
    await kubectl(["delete", "wasmplugin", NAME, "-n", place.rootNamespace, "--ignore-not-found"], place);
    return;
  }
  const plugin = stringify(pluginOf(principals, await imageOf("mesh-tcp", place.manifests), place.rootNamespace));
  await withTemporaryFile("plugin.yaml", plugin, (file) => kubectl(["apply", "-f", file], place));
}

function pluginOf(principals: string[], image: Image, namespace: string): object {
  const rule = { from: [{ source: { principals } }] };
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: NAME, namespace, labels: { "app.kubernetes.io/component": "quarantine", "app.kubernetes.io/part-of": "bailey" } },
    spec: {
      ...image,
      imagePullPolicy: "IfNotPresent",
      pluginName: "bailey.mesh-tcp",
      type: "NETWORK",
      phase: "AUTHN",
      priority: 2000,
      failStrategy: "FAIL_RELOAD",
      match: [{ mode: "SERVER" }],
      pluginConfig: { policies: [{ name: "quarantine", namespace, spec: { action: "DENY", rules: [rule] } }] },
    },
  };
}

/** Cuts the pods of an identity off from the network, or ends that: a label, and a policy for pods that have it. */
export async function isolate(identity: string, on: boolean, place: Place): Promise<void> {
  const [, , namespace = "", , account = ""] = identity.split("/");
  const { stdout } = await kubectl(["get", "pods", "-n", namespace, "-o", "json"], place);
  const { items } = JSON.parse(stdout) as { items: Item[] };
  const own = items.filter(({ spec }) => (spec.serviceAccountName ?? "default") === account).map(({ metadata }) => metadata.name);
  if (on) await kubectl(["apply", "-n", namespace, "-f", join(ROOT, "manifests/components/isolation/networkpolicy.yaml")], place);
  if (own.length > 0) await kubectl(["label", "pods", ...own, "-n", namespace, on ? `${LABEL}=true` : `${LABEL}-`, "--overwrite"], place);
}
