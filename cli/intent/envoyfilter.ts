/** What a WasmPlugin cannot say, as EnvoyFilters for gateways. */
import { EnvoyFilter, type IEnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3";
import { UserError } from "../errors.ts";
import type { Edge, Images } from "./model.ts";
import { failStrategyOf, firewallConfig, metadata, source, target } from "./plugin.ts";

/** Header of the findings: assembly/findings/format.ts. */
const FINDINGS_HEADER = "x-bailey-edge";
const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/**
 * The same as an EnvoyFilter: the filter is discovered, so that istio-agent fetches its image as it does for a WasmPlugin, and
 * Envoy is told what a WasmPlugin cannot say.
 */
export function holdingFirewall(images: Images, edge: Edge): EnvoyFilter {
  const { name, namespace, mode, user } = edge;
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
    failure_policy: failStrategyOf(mode),
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
      ...gatewayOf(edge),
      configPatches: [
        {
          applyTo: "EXTENSION_CONFIG",
          match: { context: "GATEWAY" },
          patch: { operation: "ADD", value: { name: extension, typed_config: { "@type": WASM, config } } },
        },
        {
          applyTo: "HTTP_FILTER",
          match: {
            context: "GATEWAY",
            listener: { filterChain: { filter: { ...MANAGER, ...(user && { subFilter: { name: "envoy.filters.http.router" } }) } } },
          },
          // whose token was verified is known only after authentication, which need not be there: the router always is
          patch: { operation: user ? "INSERT_BEFORE" : "INSERT_FIRST", value: { name: extension, config_discovery: discovery } },
        },
      ],
    },
  });
}

const MANAGER = { name: "envoy.filters.network.http_connection_manager" };

/** The gateways that an EnvoyFilter is for. */
function gatewayOf({ labels, gateway }: Edge): Pick<NonNullable<IEnvoyFilter["spec"]>, "workloadSelector" | "targetRefs"> {
  if (gateway !== undefined) return { targetRefs: target(labels, gateway).targetRefs ?? [] };
  return { workloadSelector: { labels: labels ?? {} } };
}

/**
 * Takes a client's own findings away before any filter runs. The firewall does that too, but a gateway whose firewall only
 * reports goes on when the firewall's VM fails, and the mesh believes what comes from it.
 */
export function removingForged(edge: Edge): EnvoyFilter {
  const mutation = {
    name: "envoy.http.early_header_mutation.header_mutation",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
      mutations: [{ remove: FINDINGS_HEADER }],
    },
  };
  const manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
  return new EnvoyFilter({
    metadata: metadata("ngfw", `bailey-${edge.name}-findings`, edge.namespace),
    spec: {
      ...gatewayOf(edge),
      configPatches: [
        {
          applyTo: "NETWORK_FILTER",
          match: { context: "GATEWAY", listener: { filterChain: { filter: MANAGER } } },
          patch: { operation: "MERGE", value: { typed_config: { "@type": manager, early_header_mutation_extensions: [mutation] } } },
        },
      ],
    },
  });
}
