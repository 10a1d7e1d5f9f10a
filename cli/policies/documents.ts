/** Policies and workloads as people have them: Kubernetes manifests in files, or in a cluster. */
import { parse, parseAllDocuments } from "yaml";
import { UserError } from "../errors.ts";
import { contentOf, readUserFile } from "../files.ts";
import { kubectl } from "../kubectl.ts";
import { type AuthorizationPolicy, DEFAULT_NAMESPACE, type Labels, type MeshConfig, type Workload } from "./model.ts";

export interface Documents {
  policies: AuthorizationPolicy[];
  workloads: Workload[];
  /** Configurations of the mesh filters, with the file that each is in. */
  configs: { file: string; config: MeshConfig }[];
  /** What the mesh's own configuration says that decisions depend on. */
  mesh: { trustDomain?: string; trustDomainAliases?: string[] };
}

interface Manifest {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; labels?: Labels };
  spec?: { template?: { metadata?: { labels?: Labels } } };
  data?: { [name: string]: string };
  items?: Manifest[];
  policies?: unknown;
}

/** Reads files of Kubernetes manifests and of plugin configurations. Other kinds of objects are passed over. */
export async function readDocuments(files: string[]): Promise<Documents> {
  const found = empty();
  for (const file of files) {
    for (const document of parseAllDocuments((await readUserFile(file)).toString())) {
      const value = contentOf(document, file) as Manifest | null;
      if (value !== null) sort(value, file, found);
    }
  }
  return found;
}

/** Reads policies, pods and the mesh's trust domain from the cluster of the user's kubeconfig, with kubectl. */
export async function readCluster(context: string | undefined, rootNamespace: string): Promise<Documents> {
  const found = empty();
  sort(await get(["authorizationpolicies.security.istio.io,pods", "-A"], context), "the cluster", found);
  const { items = [] } = await get(["configmaps", "-n", rootNamespace, "--field-selector", "metadata.name=istio"], context);
  const mesh = (parse(items[0]?.data?.mesh ?? "") ?? {}) as Documents["mesh"];
  if (mesh.trustDomain !== undefined) found.mesh.trustDomain = mesh.trustDomain;
  if (mesh.trustDomainAliases !== undefined) found.mesh.trustDomainAliases = mesh.trustDomainAliases;
  return found;
}

async function get(what: string[], context: string | undefined): Promise<Manifest> {
  const { stdout } = await kubectl(["get", ...what, "-o", "json"], { context, without: "install it, or give files" });
  return JSON.parse(stdout) as Manifest;
}

function empty(): Documents {
  return { policies: [], workloads: [], configs: [], mesh: {} };
}

const TEMPLATED = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"]);

function sort(value: Manifest, file: string, found: Documents): void {
  if (typeof value !== "object") throw new UserError(`${file}: expected Kubernetes manifests or a plugin configuration`, 2);
  if (value.items) {
    for (const item of value.items) sort(item, file, found);
    return;
  }
  const { kind, metadata } = value;
  const namespace = metadata?.namespace ?? DEFAULT_NAMESPACE;
  if (kind === undefined && (value.policies !== undefined || !("apiVersion" in value))) found.configs.push({ file, config: value as MeshConfig });
  else if (kind === "AuthorizationPolicy") found.policies.push(checked(value, file));
  else if (kind === "Pod") found.workloads.push({ namespace, labels: metadata?.labels ?? {}, name: `pod ${metadata?.name}` });
  else if (kind !== undefined && TEMPLATED.has(kind)) {
    found.workloads.push({ namespace, labels: value.spec?.template?.metadata?.labels ?? {}, name: `${kind.toLowerCase()} ${metadata?.name}` });
  }
}

function checked(value: Manifest, file: string): AuthorizationPolicy {
  if (!value.apiVersion?.startsWith("security.istio.io/")) {
    throw new UserError(`${file}: AuthorizationPolicy has apiVersion ${value.apiVersion ?? "(none)"}, expected security.istio.io/v1`, 2);
  }
  if (!value.metadata?.name) throw new UserError(`${file}: an AuthorizationPolicy has no metadata.name`, 2);
  return value as AuthorizationPolicy;
}
