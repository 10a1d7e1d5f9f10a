/**
 * `bailey convert`: AuthorizationPolicies to pluginConfig for the workloads that they select, and back. A workload's
 * policies must all be in one plugin, since each plugin decides alone; so the result is one configuration for each
 * group of workloads that the same policies apply to.
 */
import { stringify } from "yaml";
import { UserError } from "../errors.ts";
import { type Documents, readCluster, readDocuments } from "../policies/documents.ts";
import { loadIstioEngine } from "../policies/engine.ts";
import { type AuthorizationPolicy, DEFAULT_NAMESPACE, type Labels, type MeshConfig, nameOf, type Workload } from "../policies/model.ts";
import { groupsOf, workloadsOfSelectors } from "../policies/select.ts";
import { isDecidable, toIstio, toPlugin } from "../policies/translate.ts";

export interface ConvertOptions {
  cluster?: boolean;
  context?: string;
  namespace?: string;
  labels?: Labels;
  service: string[];
  rootNamespace: string;
  format: "yaml" | "json";
}

export async function convert(files: string[], options: ConvertOptions): Promise<void> {
  if (files.length === 0 && !options.cluster) throw new UserError("nothing to convert: give files, or --cluster", 2);
  const documents = options.cluster ? await readCluster(options.context, options.rootNamespace) : await readDocuments(files);
  if (documents.configs.length > 0 && documents.policies.length > 0)
    throw new UserError("found AuthorizationPolicies and a plugin configuration; give one or the other", 2);
  if (documents.configs.length > 0) back(documents, options);
  else await forth(documents, options);
}

function say(text: string): void {
  process.stderr.write(`bailey: ${text}\n`);
}

/** From pluginConfig to AuthorizationPolicies. */
function back({ configs }: Documents, options: ConvertOptions): void {
  const policies = configs.flatMap(({ config }) => toIstio(config, options.labels, options.namespace));
  if (options.format === "json") console.log(JSON.stringify({ apiVersion: "v1", kind: "List", items: policies }, undefined, 2));
  else
    console.log(
      policies
        .map((policy) => stringify(policy))
        .join("---\n")
        .trimEnd(),
    );
}

/** From AuthorizationPolicies to pluginConfig, checked by the filter itself. */
async function forth(documents: Documents, options: ConvertOptions): Promise<void> {
  const policies = documents.policies.filter(isDecidable);
  for (const policy of documents.policies)
    if (!policies.includes(policy)) say(`${nameOf(policy)} is left out: action CUSTOM asks a server of yours; keep it with Istio`);
  if (policies.length === 0) throw new UserError("found no AuthorizationPolicy with action ALLOW, DENY or AUDIT", 1);
  const groups = groupsOf(chosen(documents, policies, options), policies, options.rootNamespace).filter((group) => group.policies.length > 0);
  for (const policy of policies) if (!groups.some((group) => group.policies.includes(policy))) say(`${nameOf(policy)} applies to none of these workloads`);
  if (groups.length === 0) throw new UserError("no policy applies to these workloads", 1);
  const made: Made[] = [];
  for (const group of groups) {
    const { refused } = await loadIstioEngine(group.policies, documents.mesh);
    if (refused !== undefined) throw new UserError(refused, 1);
    made.push({ workloads: group.workloads, pluginConfig: { ...documents.mesh, policies: toPlugin(group.policies) } });
  }
  // who names the workload wants its configuration and nothing around it
  if (options.labels && made[0]) console.log(text(made[0].pluginConfig, options));
  else if (options.format === "json") console.log(JSON.stringify(made, undefined, 2));
  else console.log(made.map((one) => `${headOf(one.workloads)}\n${text(one.pluginConfig, options)}`).join("\n---\n"));
}

/** A configuration, and the workloads that it is for. */
interface Made {
  workloads: Workload[];
  pluginConfig: MeshConfig;
}

function text(config: MeshConfig, { format }: ConvertOptions): string {
  return format === "json" ? JSON.stringify(config, undefined, 2) : stringify(config).trimEnd();
}

/** The workload that the options name, those of the input, or what stands in for them. */
function chosen(documents: Documents, policies: AuthorizationPolicy[], options: ConvertOptions): Workload[] {
  const { namespace, labels, service } = options;
  if (labels) return [{ namespace: namespace ?? DEFAULT_NAMESPACE, labels, ...(service.length > 0 && { services: service }) }];
  const inside = (workload: Workload): boolean => namespace === undefined || workload.namespace === namespace;
  const known = documents.workloads.filter(inside);
  if (known.length > 0) return known;
  say("no workloads among what was given: each selector stands for workloads with just its labels");
  return workloadsOfSelectors(policies, options.rootNamespace).filter(inside);
}

/** Workloads that are named in a comment. */
const MOST_NAMED = 8;

function headOf(workloads: Workload[]): string {
  const named = workloads.slice(0, MOST_NAMED).map(({ name, labels }) => name ?? (pairs(labels) || "all others"));
  const more = workloads.length > MOST_NAMED ? `, and ${workloads.length - MOST_NAMED} more` : "";
  return `# namespace ${workloads[0]?.namespace}: ${named.join("; ")}${more}`;
}

function pairs(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
