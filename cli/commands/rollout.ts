/**
 * `bailey rollout`: another version of the filters into a cluster, by namespace, or for the firewall by a percentage of
 * requests; and back by one command. What was there before is kept in annotations of each plugin.
 *
 * A percentage is a second plugin beside the first: the old version goes on looking at every request, and the new one looks
 * at some of them too (`sampling`), so nothing is protected less while it is tried. Authorization decides about every
 * request, so it is rolled out by namespace.
 */
import { stringify } from "yaml";
import type { FilterName } from "../build/assemble.ts";
import { type Image, imageOf } from "../cluster/image.ts";
import { findPlugins, type Item, isSelected, type Plugin } from "../cluster/plugins.ts";
import type { Proxied } from "../doctor/envoy.ts";
import { lookOnce } from "../doctor/pods.ts";
import { UserError } from "../errors.ts";
import { withTemporaryFile } from "../files.ts";
import { kubectl } from "../kubectl.ts";

export interface RolloutOptions {
  namespace?: string;
  percent?: number;
  undo?: boolean;
  wait: number;
  manifests?: string;
  context?: string;
}

const PREVIOUS_URL = "bailey.dev/previous-url";
const PREVIOUS_SHA256 = "bailey.dev/previous-sha256";
/** What the plugin that looks at some requests is called, after the one beside which it stands. */
const CANARY = "-canary";

export async function rollout(names: string[], options: RolloutOptions): Promise<void> {
  const { plugins, pods } = await findPlugins(options.context);
  const canaries = plugins.filter(isCanary);
  const chosen = choose(
    plugins.filter((plugin) => !isCanary(plugin)),
    names,
    options,
  );
  if (options.undo) {
    for (const plugin of chosen) await undo(plugin, canaries, pods, options);
    return;
  }
  const expected: Expected[] = [];
  const lookInto = looker(options.context);
  for (const plugin of chosen) {
    const carriers = await carriersOf(plugin, pods, lookInto);
    const next = await (options.percent === undefined ? replace(plugin, canaries, options) : startCanary(plugin, options.percent, options));
    if (next) expected.push({ plugin: next, carriers });
  }
  await waitFor(expected, options);
}

function isCanary({ item }: Plugin): boolean {
  return item.metadata.name.endsWith(CANARY);
}

/** The plugins that were meant: WasmPlugins, since an EnvoyFilter's image is within it. */
function choose(plugins: Plugin[], names: string[], { namespace, percent }: RolloutOptions): Plugin[] {
  const chosen = plugins.filter(({ item, place }) => {
    const isNamed = names.length === 0 || names.includes(place) || names.includes(item.metadata.name);
    return isNamed && (namespace === undefined || item.metadata.namespace === namespace) && (percent === undefined || item.spec.pluginName === "bailey.ngfw");
  });
  for (const name of names) {
    if (chosen.every(({ item, place }) => place !== name && item.metadata.name !== name))
      throw new UserError(
        `${name}: no such plugin${percent === undefined ? "" : " of the firewall: a percentage is for the firewall, authorization goes by namespace"}`,
        2,
      );
  }
  const others = chosen.filter(({ item }) => item.kind !== "WasmPlugin");
  for (const { place } of others) {
    const next = `${place} is an EnvoyFilter: render it with the other digest, and apply that`;
    if (names.length > 0) throw new UserError(next, 2);
    console.log(next);
  }
  if (chosen.length === 0) throw new UserError(`no plugin to roll out${namespace === undefined ? "" : ` in namespace ${namespace}`}; see \`bailey doctor\``);
  return chosen.filter((plugin) => !others.includes(plugin));
}

function nextImage({ pluginName }: Plugin, { manifests }: RolloutOptions): Promise<Image> {
  return imageOf(pluginName.slice("bailey.".length) as FilterName, manifests);
}

function at({ item }: Plugin): string[] {
  return [item.metadata.name, "-n", item.metadata.namespace];
}

async function patch(plugin: Plugin, change: object, options: RolloutOptions): Promise<void> {
  await kubectl(["patch", "wasmplugin", ...at(plugin), "--type=merge", "-p", JSON.stringify(change)], options);
}

/** Gives a plugin the next image, and ends the trial of it if there was one. Nothing if it has that image already. */
async function replace(plugin: Plugin, canaries: Plugin[], options: RolloutOptions): Promise<Plugin | undefined> {
  const image = await nextImage(plugin, options);
  const { url = "", sha256 = "" } = plugin.item.spec;
  if (url === image.url && sha256 === image.sha256) {
    console.log(`${plugin.place}: has ${image.sha256} already`);
    return undefined;
  }
  await patch(plugin, { metadata: { annotations: { [PREVIOUS_URL]: url, [PREVIOUS_SHA256]: sha256 } }, spec: image }, options);
  await removeCanary(plugin, canaries, options);
  console.log(`${plugin.place}: ${image.sha256}`);
  return { ...plugin, sha256: image.sha256 };
}

/** Puts the next version beside a firewall, for some requests. */
async function startCanary(plugin: Plugin, percent: number, options: RolloutOptions): Promise<Plugin> {
  const image = await nextImage(plugin, options);
  const { metadata, spec } = plugin.item;
  if (image.sha256 === spec.sha256) throw new UserError(`${plugin.place} has ${image.sha256} already; \`bailey push\` the version to try`);
  const { quarantine, ...config } = plugin.config;
  const name = `${metadata.name}${CANARY}`;
  const canary = {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name, namespace: metadata.namespace, ...(metadata.labels && { labels: metadata.labels }) },
    // behind the first one, whose findings it leaves alone
    spec: { ...spec, ...image, priority: (spec.priority ?? 0) - 1, pluginConfig: { ...config, sampling: percent, findings: { header: "pass" } } },
  };
  await withTemporaryFile("canary.yaml", stringify(canary), (file) => kubectl(["apply", "-f", file], options));
  const place = `${metadata.namespace}/${name}`;
  console.log(`${place}: ${image.sha256}, ${percent} % of requests`);
  return { ...plugin, place, sha256: image.sha256, isCalled: (called) => called.includes(`/${metadata.namespace}.${name}~`) };
}

async function removeCanary({ place }: Plugin, canaries: Plugin[], options: RolloutOptions): Promise<void> {
  const canary = canaries.find((one) => one.place === `${place}${CANARY}`);
  if (canary) await kubectl(["delete", "wasmplugin", ...at(canary)], options);
}

/** Gives a plugin the image that it had before, and ends the trial of another. */
async function undo(plugin: Plugin, canaries: Plugin[], pods: Item[], options: RolloutOptions): Promise<void> {
  const { annotations = {} } = plugin.item.metadata;
  const url = annotations[PREVIOUS_URL];
  const sha256 = annotations[PREVIOUS_SHA256];
  const hadTrial = canaries.some(({ place }) => place === `${plugin.place}${CANARY}`);
  await removeCanary(plugin, canaries, options);
  if (hadTrial) console.log(`${plugin.place}: the trial has ended`);
  else if (url === undefined) console.log(`${plugin.place}: was not rolled out, and stays as it is`);
  else {
    const carriers = await carriersOf(plugin, pods, looker(options.context));
    await patch(plugin, { metadata: { annotations: { [PREVIOUS_URL]: null, [PREVIOUS_SHA256]: null } }, spec: { url, sha256: sha256 ?? "" } }, options);
    await waitFor([{ plugin: { ...plugin, sha256: sha256 ?? "" }, carriers }], options);
    console.log(`${plugin.place}: back to ${sha256 === "" ? url : sha256}`);
  }
}

/** A plugin as a proxy must have it in the end. */
interface Expected {
  plugin: Plugin;
  /** Pods whose proxies had it, or the one beside which it stands, before. */
  carriers: Item[];
}

/** Waits until the proxies run what they were told to. */
async function waitFor(expected: Expected[], { wait, context }: RolloutOptions): Promise<void> {
  const end = Date.now() + wait * 1000;
  let missing = await behind(expected, context);
  while (missing.length > 0 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    missing = await behind(expected, context);
  }
  if (missing.length === 0 || wait === 0) return;
  throw new UserError(`after ${wait} seconds not in ${missing.join(", ")}; \`bailey doctor\` says why, \`bailey rollout --undo\` goes back`);
}

/** Gives the proxies that do not run a plugin's image yet. */
async function behind(expected: Expected[], context: string | undefined): Promise<string[]> {
  const missing = new Set<string>();
  const lookInto = looker(context);
  for (const { plugin, carriers } of expected) {
    for (const pod of carriers) {
      const loaded = (await lookInto(pod))?.plugins.find(({ name }) => plugin.isCalled(name));
      if (!loaded?.file.includes(plugin.sha256)) missing.add(`${pod.metadata.namespace}/${pod.metadata.name}`);
    }
  }
  return [...missing];
}

/** Gives what the proxy of a pod has, nothing if it cannot be asked: it may be gone by now. */
type Look = (pod: Item) => Promise<Proxied | undefined>;

function looker(context: string | undefined): Look {
  const lookInto = lookOnce(context);
  return (pod) => lookInto(pod).catch(() => undefined);
}

/** The pods in whose proxies a plugin is, or what stands in its place. */
async function carriersOf(plugin: Plugin, pods: Item[], lookInto: Look): Promise<Item[]> {
  const found: Item[] = [];
  for (const pod of pods.filter((pod) => isSelected(plugin, pod))) {
    const proxied = await lookInto(pod);
    if ([...(proxied?.plugins ?? []), ...(proxied?.replaced ?? [])].some(({ name }) => plugin.isCalled(name))) found.push(pod);
  }
  return found;
}
