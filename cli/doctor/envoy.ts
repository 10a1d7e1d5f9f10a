/**
 * What one Envoy says of Bailey's plugins, by its admin interface: whether they are really there, with which configuration,
 * and what they have counted. Envoy shows the last configuration that it was sent even if the filter refused it, so the
 * filter is asked itself.
 */

import { refusalOf } from "../build/refusal.ts";
import type { Add } from "./finding.ts";

/** Gives the answer to a path of Envoy's admin interface. */
export type Admin = (path: string) => Promise<string>;

/** A plugin as an Envoy has it. */
export interface Loaded {
  /** `bailey.ngfw`, `bailey.mesh` or `bailey.mesh-tcp`. */
  pluginName: string;
  /** Name of the extension in Envoy: for Istio's it has the namespace and name of the WasmPlugin. */
  name: string;
  config: { [key: string]: unknown };
  /** Where its code is, empty if that is not a file. */
  file: string;
  /** What Envoy's statistics about its VM call it. */
  vmName: string;
}

/** What istio-agent puts in the place of a plugin that it could not fetch. */
interface Replaced {
  name: string;
  denies: boolean;
}

export interface Proxied {
  plugins: Loaded[];
  /** Names of extensions in whose place istio-agent has put something else, since it could not fetch them. */
  replaced: Replaced[];
  /** Counters and gauges below `wasmcustom.bailey.`. */
  metrics: Map<string, number>;
  /** Envoy's own below `wasm.`, as in `istio-system.bailey-ngfw.vm_reload_success`. */
  vms: Map<string, number>;
}

type Json = { [key: string]: unknown };

/** Reads what an Envoy has. */
export async function look(admin: Admin): Promise<Proxied> {
  const found: Proxied = { plugins: [], replaced: [], metrics: new Map(), vms: new Map() };
  walk(JSON.parse(await admin("/config_dump")), "", found);
  for (const line of (await admin("/stats?filter=^wasm")).split("\n")) {
    const [name = "", value = ""] = line.split(": ");
    if (name.startsWith("wasmcustom.bailey.")) found.metrics.set(name.slice("wasmcustom.bailey.".length), Number(value));
    else if (name.startsWith("wasm.")) found.vms.set(name.slice("wasm.".length), Number(value));
  }
  return found;
}

/** Finds the plugins wherever they stand: in listeners, or in extensions that were discovered. `name` is the nearest one above. */
function walk(value: unknown, name: string, found: Proxied): void {
  if (typeof value !== "object" || value === null) return;
  const own = value as Json;
  const type = String(own["@type"] ?? "");
  if (type.endsWith(".wasm.v3.Wasm")) addPlugin(own.config as Json, name, found.plugins);
  if (type.endsWith(".rbac.v3.RBAC") && name.includes("bailey") && "rules" in own)
    found.replaced.push({ name, denies: own.rules_stat_prefix !== "wasm-default-allow" });
  const inner = typeof own.name === "string" ? own.name : name;
  for (const child of Object.values(own)) walk(child, inner, found);
}

function addPlugin(config: Json, name: string, plugins: Loaded[]): void {
  const pluginName = String(config.root_id ?? config.name ?? "");
  if (!pluginName.startsWith("bailey.") || plugins.some((plugin) => plugin.name === name && plugin.pluginName === pluginName)) return;
  const code = (config.vm_config as { code?: { local?: { filename?: string } } } | undefined)?.code;
  const text = (config.configuration as { value?: string } | undefined)?.value ?? "{}";
  plugins.push({
    pluginName,
    name,
    config: JSON.parse(text === "" ? "{}" : text) as Json,
    file: code?.local?.filename ?? "",
    vmName: String(config.name ?? ""),
  });
}

/** Says what became of a plugin that is not there. */
export function replacement({ denies }: Replaced): string {
  return `the image was not fetched, or has another digest; ${denies ? "everything is denied" : "everything passes"} in its place`;
}

/** Says how a plugin of an Envoy is. */
export async function examine({ pluginName, config, vmName }: Loaded, { metrics, vms }: Proxied, add: Add): Promise<void> {
  const refused = await refusalOf(pluginName, config);
  if (refused !== undefined) {
    add("error", `the filter refuses its configuration: ${refused}`, "the one before it serves, if there was one; mend this one");
    return;
  }
  const module = pluginName === "bailey.ngfw" ? "ngfw" : "mesh";
  const count = (name: string): number => metrics.get(`${module}.${name}`) ?? 0;
  if (count("configured") === 0) {
    add("error", "the filter is in the configuration and has never started", "look for `wasm` in the proxy's log");
    return;
  }
  const reloads = (end: string): number => vms.get(`${vmName}.vm_reload_${end}`) ?? 0;
  if (reloads("success") + reloads("failure") > 0) {
    const text = `its VM failed; ${reloads("success")} times a new one was started, ${reloads("failure")} times in vain`;
    add("error", text, "this is a defect in Bailey: please report it with the proxy's log from when it failed");
  }
  add("ok", `${describe(module, config)}, ${count("requests")} requests seen`);
  if (count("errors") > 0) add("warning", `${count("errors")} requests could not be decided`, "look for events with action `error`");
  if (count("body_unseen") > 0)
    add(
      "warning",
      `${count("body_unseen")} bodies were announced and not seen`,
      "compressed gRPC messages are not inspected; otherwise another filter takes them",
    );
  if (count("events_dropped") > 0) add("warning", `${count("events_dropped")} events were left out`, "raise events.perSecond");
}

function describe(module: string, config: Json): string {
  if (module === "ngfw") return `${config.mode ?? "detect"} at paranoia level ${config.paranoiaLevel ?? 1}`;
  return `${config.mode ?? "enforce"}, ${(config.policies as unknown[] | undefined)?.length ?? 0} policies, ${config.default ?? "allow"} by default`;
}
