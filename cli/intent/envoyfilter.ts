/** What a WasmPlugin cannot say, as EnvoyFilters. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvoyFilter, type IEnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3";
import { parse } from "yaml";
import { UserError } from "../errors.ts";
import { ROOT } from "../paths.ts";
import type { Edge, Images } from "./model.ts";
import { failStrategyOf, firewallConfig, metadata, source, target } from "./plugin.ts";

type Spec = NonNullable<IEnvoyFilter["spec"]>;

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
function gatewayOf({ labels, gateway }: Edge): Pick<Spec, "workloadSelector" | "targetRefs"> {
  if (gateway !== undefined) return { targetRefs: target(labels, gateway).targetRefs ?? [] };
  return { workloadSelector: { labels: labels ?? {} } };
}

/** Takes a client's own findings away before any filter runs: the component of the manifests, for this gateway. */
export async function removingForged(edge: Edge): Promise<EnvoyFilter> {
  const { configPatches } = await componentSpec("findings");
  return new EnvoyFilter({
    metadata: metadata("ngfw", `bailey-${edge.name}-findings`, edge.namespace),
    spec: { ...gatewayOf(edge), ...(configPatches && { configPatches }) },
  });
}

/** What policies about `source.ip` need, see docs/policies.md: the component of the manifests. */
export async function peerAddress(namespace: string): Promise<EnvoyFilter> {
  return new EnvoyFilter({ metadata: metadata("mesh", "bailey-peer-address", namespace), spec: await componentSpec("peer-address") });
}

/** What the EnvoyFilter of a component of the manifests says. */
async function componentSpec(component: string): Promise<Spec> {
  const text = await readFile(join(ROOT, "manifests/components", component, "envoyfilter.yaml"), "utf8");
  return (parse(text) as { spec: Spec }).spec;
}
