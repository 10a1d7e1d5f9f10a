/**
 * From an intent to Istio's resources. The same intent gives the same bytes, in the same order, so that what is in git and
 * what is in a cluster can be compared.
 */
import { WasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1";
import type { EnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3";
import type { FilterName } from "../build/assemble.ts";
import { UserError } from "../errors.ts";
import { readDocuments } from "../policies/documents.ts";
import type { Labels, MeshConfig, PluginPolicy } from "../policies/model.ts";
import { policiesOf } from "../policies/select.ts";
import { isDecidable, toPlugin } from "../policies/translate.ts";
import { holdingFirewall, peerAddress, removingForged } from "./envoyfilter.ts";
import type { Edge, Images, Inspection, Intent, Mesh } from "./model.ts";
import { failStrategyOf, firewallConfig, metadata, modeConfig, source, target } from "./plugin.ts";

type Resource = WasmPlugin | EnvoyFilter;

/** Renders all resources of an intent. */
export async function render(intent: Intent): Promise<Resource[]> {
  refuseOverlaps(intent.mesh ?? []);
  const resources: Resource[] = [];
  for (const edge of intent.edge ?? []) {
    resources.push((edge.holdHeaders ? holdingFirewall : firewall)(intent.images, edge));
    if (edge.findings) resources.push(await removingForged(edge));
  }
  for (const mesh of intent.mesh ?? []) {
    resources.push(...(await authorization(intent, mesh)));
    if (mesh.inspection) resources.push(inspection(intent, mesh, mesh.inspection));
  }
  if (intent.peerAddress === false) return resources;
  const namespaces = new Set((intent.mesh ?? []).filter(({ waypoint }) => waypoint === undefined).map(({ namespace }) => namespace));
  for (const namespace of namespaces) resources.push(await peerAddress(namespace));
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

function firewall(images: Images, edge: Edge): WasmPlugin {
  const { name, namespace, labels, gateway, mode, user } = edge;
  return new WasmPlugin({
    metadata: metadata("ngfw", `bailey-${name}`, namespace),
    spec: {
      ...target(labels, gateway),
      ...source(images, "ngfw"),
      pluginName: "bailey.ngfw",
      // whose token was verified is known only after authentication
      phase: user ? "AUTHZ" : "AUTHN",
      priority: 1000,
      failStrategy: failStrategyOf(mode),
      pluginConfig: firewallConfig(edge),
    },
  });
}

/** A sidecar's own calls are for the others' sidecars to judge. */
const INBOUND = { mode: "SERVER" as const };

/** Gateways whose findings the mesh believes. */
function edgeConfig({ edge = [] }: Intent): { edge?: object } {
  const gateways = edge.filter(({ findings }) => findings).flatMap(({ identity }) => identity ?? []);
  return gateways.length > 0 ? { edge: { gateways } } : {};
}

/** Quarantine for everyone but gateways, which pass on what others send. */
function quarantineConfig({ edge = [], quarantine }: Intent): { quarantine?: object } {
  const except = edge.flatMap(({ identity }) => identity ?? []);
  return quarantine ? { quarantine: { ...quarantine, ...(except.length > 0 && { except }) } } : {};
}

async function authorization(intent: Intent, mesh: Mesh): Promise<WasmPlugin[]> {
  const { name, namespace, labels, waypoint, mode = "shadow", config, tcpPorts } = mesh;
  const pluginConfig: MeshConfig = {
    ...edgeConfig(intent),
    ...quarantineConfig(intent),
    ...config,
    mode,
    default: mesh.default ?? "deny",
    policies: await policiesFor(mesh),
  };
  // a filter for connections also sees those with HTTP, unless it is told the ports
  const ports = tcpPorts?.map((number) => ({ number }));
  const filters: FilterName[] = ports ? ["mesh", "mesh-tcp"] : ["mesh"];
  return filters.map((filter) => {
    return new WasmPlugin({
      metadata: metadata(filter, `bailey-${name}${filter === "mesh" ? "" : "-tcp"}`, namespace),
      spec: {
        ...target(labels, waypoint),
        ...source(intent.images, filter),
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

/** The firewall on sidecars or a waypoint, before the mesh filter: what comes from within is looked at too. */
function inspection(intent: Intent, { name, namespace, labels, waypoint }: Mesh, { mode, config }: Inspection): WasmPlugin {
  return new WasmPlugin({
    metadata: metadata("ngfw", `bailey-${name}-inspection`, namespace),
    spec: {
      ...target(labels, waypoint),
      ...source(intent.images, "ngfw"),
      pluginName: "bailey.ngfw",
      phase: "AUTHN",
      priority: 1000,
      failStrategy: failStrategyOf(mode),
      ...(waypoint === undefined && { match: [INBOUND] }),
      // the mesh filter behind it judges what gateways found
      pluginConfig: { ...quarantineConfig(intent), ...config, ...modeConfig(mode), findings: { header: "pass" } },
    },
  });
}

async function policiesFor({ namespace, labels, policies = [], policyFiles = [] }: Mesh): Promise<PluginPolicy[]> {
  const read = await readDocuments(policyFiles);
  const chosen = policiesOf({ namespace, labels: labels ?? {} }, read.policies.filter(isDecidable));
  return [...policies.map((policy) => ({ namespace, ...policy })), ...toPlugin(chosen)];
}
