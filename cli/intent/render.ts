/**
 * From an intent to Istio's resources. The same intent gives the same bytes, in the same order, so that what is in git and
 * what is in a cluster can be compared.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { WasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1";
import type { IWasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1/WasmPlugin";
import { EnvoyFilter, type IEnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3";
import { parse } from "yaml";
import type { FilterName } from "../build/assemble.ts";
import { UserError } from "../errors.ts";
import { ROOT } from "../paths.ts";
import { readDocuments } from "../policies/documents.ts";
import type { Labels, MeshConfig, PluginPolicy } from "../policies/model.ts";
import { policiesOf } from "../policies/select.ts";
import { isDecidable, toPlugin } from "../policies/translate.ts";
import type { Edge, Images, Intent, Mesh } from "./model.ts";

type Spec = IWasmPlugin["spec"];
type Resource = WasmPlugin | EnvoyFilter;

/** Renders all resources of an intent. */
export async function render(intent: Intent): Promise<Resource[]> {
  refuseOverlaps(intent.mesh ?? []);
  const resources: Resource[] = (intent.edge ?? []).map((edge) => (edge.holdHeaders ? holdingFirewall : firewall)(intent.images, edge));
  for (const mesh of intent.mesh ?? []) resources.push(...(await authorization(intent.images, mesh)));
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

function metadata(component: FilterName, name: string, namespace: string): { name: string; namespace: string; labels: Labels } {
  return { name, namespace, labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/part-of": "bailey" } };
}

function source(images: Images, filter: FilterName): Pick<Spec, "url" | "sha256" | "imagePullPolicy" | "imagePullSecret"> {
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
function firewallConfig({ mode = "detect", config }: Edge): { [key: string]: unknown } {
  return { ...config, mode, ...(mode === "detect" && { failure: "open" }) };
}

function firewall(images: Images, edge: Edge): WasmPlugin {
  const { name, namespace, labels, gateway, mode } = edge;
  return new WasmPlugin({
    metadata: metadata("ngfw", `bailey-${name}`, namespace),
    spec: {
      ...target(labels, gateway),
      ...source(images, "ngfw"),
      pluginName: "bailey.ngfw",
      phase: "AUTHN",
      priority: 1000,
      failStrategy: mode === "enforce" ? "FAIL_RELOAD" : "FAIL_OPEN",
      pluginConfig: firewallConfig(edge),
    },
  });
}

const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/**
 * The same as an EnvoyFilter: the filter is discovered, so that istio-agent fetches its image as it does for a WasmPlugin, and
 * Envoy is told what a WasmPlugin cannot say.
 */
function holdingFirewall(images: Images, edge: Edge): EnvoyFilter {
  const { name, namespace, labels, gateway, mode } = edge;
  const { url, sha256, imagePullSecret } = source(images, "ngfw");
  if (imagePullSecret !== undefined)
    throw new UserError(
      `edge: ${name} has holdHeaders, and an EnvoyFilter cannot name images.pullSecret; use a registry that needs none, or leave holdHeaders out`,
      2,
    );
  const extension = `bailey-${name}`;
  const config = {
    name: `${namespace}.${extension}`,
    root_id: "bailey.ngfw",
    failure_policy: mode === "enforce" ? "FAIL_RELOAD" : "FAIL_OPEN",
    allow_on_headers_stop_iteration: true,
    vm_config: {
      runtime: "envoy.wasm.runtime.v8",
      code: { remote: { http_uri: { uri: url, cluster: "_", timeout: "30s" }, ...(sha256 !== undefined && { sha256 }) } },
    },
    configuration: {
      "@type": "type.googleapis.com/google.protobuf.StringValue",
      value: JSON.stringify({ ...firewallConfig(edge), host: { ...(edge.config?.host as object | undefined), holdHeaders: true } }),
    },
  };
  const discovery = { config_source: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" }, type_urls: [WASM] };
  return new EnvoyFilter({
    metadata: metadata("ngfw", extension, namespace),
    spec: {
      ...(gateway === undefined
        ? { workloadSelector: { labels: labels ?? {} } }
        : { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: gateway }] }),
      configPatches: [
        {
          applyTo: "EXTENSION_CONFIG",
          match: { context: "GATEWAY" },
          patch: { operation: "ADD", value: { name: extension, typed_config: { "@type": WASM, config } } },
        },
        {
          applyTo: "HTTP_FILTER",
          match: { context: "GATEWAY", listener: { filterChain: { filter: { name: "envoy.filters.network.http_connection_manager" } } } },
          patch: { operation: "INSERT_FIRST", value: { name: extension, config_discovery: discovery } },
        },
      ],
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
  const filters: FilterName[] = ports ? ["mesh", "mesh-tcp"] : ["mesh"];
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

/** What policies about `source.ip` need, see docs/policies.md: the component of the manifests. */
async function peerAddress(namespace: string): Promise<EnvoyFilter> {
  const text = await readFile(join(ROOT, "manifests/components/peer-address/envoyfilter.yaml"), "utf8");
  const { spec } = parse(text) as IEnvoyFilter;
  return new EnvoyFilter({ metadata: metadata("mesh", "bailey-peer-address", namespace), ...(spec && { spec }) });
}
