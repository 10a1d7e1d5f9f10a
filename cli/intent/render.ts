/**
 * From an intent to Istio's resources. The same intent gives the same bytes, in the same order, so that what is in git and
 * what is in a cluster can be compared.
 */
import { WasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1";
import type { IWasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1/WasmPlugin";
import { EnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3";
import { UserError } from "../errors.ts";
import { readDocuments } from "../policies/documents.ts";
import type { Labels, MeshConfig, PluginPolicy } from "../policies/model.ts";
import { policiesOf } from "../policies/select.ts";
import { isDecidable, toPlugin } from "../policies/translate.ts";
import type { Edge, Filter, Images, Intent, Mesh } from "./model.ts";

type Spec = IWasmPlugin["spec"];
type Resource = WasmPlugin | EnvoyFilter;

/** Renders all resources of an intent. */
export async function render(intent: Intent): Promise<Resource[]> {
  refuseOverlaps(intent.mesh ?? []);
  const resources: Resource[] = (intent.edge ?? []).map((edge) => firewall(intent.images, edge));
  for (const mesh of intent.mesh ?? []) resources.push(...(await authorization(intent.images, mesh)));
  if (intent.peerAddress === false) return resources;
  const namespaces = new Set((intent.mesh ?? []).filter(({ waypoint }) => waypoint === undefined).map(({ namespace }) => namespace));
  for (const namespace of namespaces) resources.push(peerAddress(namespace));
  return resources;
}

/** Each plugin decides alone, so a workload must have one: two would both have to allow. */
function refuseOverlaps(meshes: Mesh[]): void {
  for (const [i, one] of meshes.entries()) {
    for (const other of meshes.slice(0, i)) {
      if (one.namespace !== other.namespace || (one.waypoint ?? "") !== (other.waypoint ?? "")) continue;
      if (agree(one.labels ?? {}, other.labels ?? {})) {
        throw new UserError(
          `mesh: ${other.name} and ${one.name} are for the same workloads of namespace ${one.namespace}; each plugin decides alone, so put their policies into one`,
          2,
        );
      }
    }
  }
}

/** True if a workload can have both. */
function agree(one: Labels, other: Labels): boolean {
  return Object.entries(one).every(([name, value]) => (other[name] ?? value) === value);
}

function metadata(component: Filter, name: string, namespace: string): { name: string; namespace: string; labels: Labels } {
  return { name, namespace, labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/part-of": "bailey" } };
}

function source(images: Images, filter: Filter): Pick<Spec, "url" | "sha256" | "imagePullPolicy" | "imagePullSecret"> {
  const digest = images.digests?.[filter]?.replace(/^sha256:/, "");
  return {
    url: `oci://${images.repository.replace(/^oci:\/\//, "")}/${filter}:${images.tag ?? "latest"}`,
    ...(digest !== undefined && { sha256: digest }),
    imagePullPolicy: "IfNotPresent",
    ...(images.pullSecret !== undefined && { imagePullSecret: images.pullSecret }),
  };
}

function target(labels: Labels | undefined, gateway: string | undefined): Pick<Spec, "selector" | "targetRefs"> {
  if (gateway !== undefined) return { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: gateway }] };
  return labels ? { selector: { matchLabels: labels } } : {};
}

/** A firewall that only reports must not get into the way, whatever fails; one that blocks fails closed and starts anew. */
function firewall(images: Images, { name, namespace, labels, gateway, mode = "detect", config }: Edge): WasmPlugin {
  return new WasmPlugin({
    metadata: metadata("ngfw", `bailey-${name}`, namespace),
    spec: {
      ...target(labels, gateway),
      ...source(images, "ngfw"),
      pluginName: "bailey.ngfw",
      phase: "AUTHN",
      priority: 1000,
      failStrategy: mode === "enforce" ? "FAIL_RELOAD" : "FAIL_OPEN",
      pluginConfig: { ...config, mode, ...(mode === "detect" && { failure: "open" }) },
    },
  });
}

/** A sidecar's own calls are for the others' sidecars to judge. */
const INBOUND = { mode: "SERVER" as const };

async function authorization(images: Images, mesh: Mesh): Promise<WasmPlugin[]> {
  const { name, namespace, labels, waypoint, mode = "shadow", config, tcpPorts } = mesh;
  const pluginConfig: MeshConfig = { ...config, mode, default: mesh.default ?? "deny", policies: await policiesFor(mesh) };
  // a filter for connections also sees those with HTTP, unless it is told the ports
  const ports = tcpPorts?.map((number) => ({ number }));
  const filters: Filter[] = ports ? ["mesh", "mesh-tcp"] : ["mesh"];
  return filters.map((filter) => {
    return new WasmPlugin({
      metadata: metadata(filter, `bailey-${name}${filter === "mesh" ? "" : "-tcp"}`, namespace),
      spec: {
        ...target(labels, waypoint),
        ...source(images, filter),
        pluginName: `bailey.${filter}`,
        ...(filter === "mesh-tcp" && { type: "NETWORK" as const }),
        phase: "AUTHZ",
        priority: 1000,
        failStrategy: "FAIL_RELOAD",
        ...(waypoint === undefined && { match: [{ ...INBOUND, ...(filter === "mesh-tcp" && ports && { ports }) }] }),
        pluginConfig: { ...pluginConfig },
      },
    });
  });
}

async function policiesFor({ namespace, labels, policies = [], policyFiles = [] }: Mesh): Promise<PluginPolicy[]> {
  const read = await readDocuments(policyFiles);
  const chosen = policiesOf({ namespace, labels: labels ?? {} }, read.policies.filter(isDecidable));
  return [...policies.map((policy) => ({ namespace, ...policy })), ...toPlugin(chosen)];
}

/** What policies about `source.ip` need: see docs/policies.md. The same as manifests/components/peer-address. */
function peerAddress(namespace: string): EnvoyFilter {
  const value = {
    name: "envoy.filters.network.set_filter_state",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config",
      on_new_connection: [
        {
          object_key: "bailey.peer_address",
          factory_key: "envoy.string",
          format_string: { text_format_source: { inline_string: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%" } },
        },
      ],
    },
  };
  const match = { context: "SIDECAR_INBOUND" as const, listener: { filterChain: { filter: { name: "envoy.filters.network.http_connection_manager" } } } };
  return new EnvoyFilter({
    metadata: metadata("mesh", "bailey-peer-address", namespace),
    spec: { configPatches: [{ applyTo: "NETWORK_FILTER", match, patch: { operation: "INSERT_BEFORE", value } }] },
  });
}
