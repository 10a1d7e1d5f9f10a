/** What all resources that deliver a filter have: names, image, target, and what a mode means for failures. */
import type { IWasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1/WasmPlugin";
import type { FilterName } from "../build/assemble.ts";
import type { Labels } from "../policies/model.ts";
import type { Edge, Images } from "./model.ts";

type Spec = IWasmPlugin["spec"];

export function metadata(component: FilterName, name: string, namespace: string): { name: string; namespace: string; labels: Labels } {
  return { name, namespace, labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/part-of": "bailey" } };
}

export function source(images: Images, filter: FilterName): Pick<Spec, "url" | "sha256" | "imagePullPolicy" | "imagePullSecret"> {
  const digest = images.digests?.[filter]?.replace(/^sha256:/, "");
  return {
    url: `oci://${images.repository.replace(/^oci:\/\//, "")}/${filter}:${images.tag ?? "latest"}`,
    ...(digest !== undefined && { sha256: digest }),
    imagePullPolicy: "IfNotPresent",
    ...(images.pullSecret !== undefined && { imagePullSecret: images.pullSecret }),
  };
}

export function target(labels: Labels | undefined, gateway: string | undefined): Pick<Spec, "selector" | "targetRefs"> {
  if (gateway !== undefined) return { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: gateway }] };
  return labels ? { selector: { matchLabels: labels } } : {};
}

/** A firewall that only reports must not get into the way, whatever fails; one that blocks fails closed and starts anew. */
export function failStrategyOf(mode: Edge["mode"]): "FAIL_RELOAD" | "FAIL_OPEN" {
  return mode === "enforce" ? "FAIL_RELOAD" : "FAIL_OPEN";
}

/** The same within the filter. */
export function modeConfig(mode: Edge["mode"] = "detect"): { mode: string; failure?: string } {
  return { mode, ...(mode === "detect" && { failure: "open" }) };
}

/** pluginConfig of the firewall on a gateway. */
export function firewallConfig({ mode, findings, user, config }: Edge): { [key: string]: unknown } {
  return { ...config, ...modeConfig(mode), ...(findings && { findings: { header: "send", ...(user && { user }) } }) };
}
