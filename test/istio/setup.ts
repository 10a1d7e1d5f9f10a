/**
 * The programs of a real control plane, without containers: kube-apiserver and kubectl, istiod, istio's agent and a registry for
 * OCI images are built of their Go modules, once; etcd is the system's.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { UserError } from "../../cli/errors.ts";
import { CACHE } from "../../cli/paths.ts";
import { lastLine, run } from "../../cli/process.ts";
import { ensureEnvoy } from "../../cli/setup/envoy.ts";
import { ensureGo, ensureModule } from "../../cli/setup/gomodule.ts";
import { CRANE, ensureGoTool } from "../../cli/setup/gotool.ts";
import { ISTIO, istioModule } from "./istio.ts";

const KUBERNETES = "v1.36.3";
const KUBERNETES_SUM = "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o=";
/** The modules that Kubernetes keeps beside itself have versions of their own. */
const STAGING = "v0.36.3";

/** Paths of programs, and of the folder of Istio's module. */
export interface Tools {
  etcd: string;
  apiserver: string;
  kubectl: string;
  discovery: string;
  agent: string;
  crane: string;
  envoy: string;
  istio: string;
}

const KUBERNETES_BIN = join(CACHE, "tools", `kubernetes-${KUBERNETES}`);

/** Builds what is missing. Takes some ten minutes the first time. */
export async function ensureTools(say: (text: string) => void): Promise<Tools> {
  const etcd = etcdPath();
  if (etcd === undefined) throw new UserError("etcd is not installed (on Debian: apt install etcd-server, and stop the service it starts)");
  say("kube-apiserver and kubectl");
  await ensureKubernetes();
  const istio = await istioModule();
  say("istiod and istio's agent");
  const discovery = await ensureGoTool(`istio.io/istio/pilot/cmd/pilot-discovery@${ISTIO}`);
  const agent = await ensureGoTool(`istio.io/istio/pilot/cmd/pilot-agent@${ISTIO}`);
  const crane = await ensureGoTool(CRANE);
  return {
    etcd,
    apiserver: join(KUBERNETES_BIN, "kube-apiserver"),
    kubectl: join(KUBERNETES_BIN, "kubectl"),
    discovery,
    agent,
    crane,
    envoy: await ensureEnvoy(),
    istio,
  };
}

/** Where the system has etcd, undefined if it has none. */
function etcdPath(): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "etcd"))
    .find((path) => existsSync(path));
}

export function hasEtcd(): boolean {
  return etcdPath() !== undefined;
}

/** True if nothing has to be built. */
export function isBuilt(): boolean {
  return existsSync(join(KUBERNETES_BIN, "kubectl")) && existsSync(join(CACHE, "tools", ISTIO, "pilot-agent"));
}

/** Kubernetes cannot be installed as a command: its go.mod points at folders of its repository. A module around it points at modules. */
async function ensureKubernetes(): Promise<void> {
  if (existsSync(join(KUBERNETES_BIN, "kube-apiserver")) && existsSync(join(KUBERNETES_BIN, "kubectl"))) return;
  const source = await ensureModule("k8s.io/kubernetes", KUBERNETES, KUBERNETES_SUM);
  const go = await ensureGo();
  await mkdir(KUBERNETES_BIN, { recursive: true });
  const own = await readFile(join(source, "go.mod"), "utf8");
  const staged = [...own.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging/gm)].map(([, name]) => `\t${name} => ${name} ${STAGING}`);
  const version = /^go \S+$/m.exec(own)?.[0] ?? "";
  const lines = ["module bailey.test/kubernetes", version, `require k8s.io/kubernetes ${KUBERNETES}`, "replace (", ...staged, ")", ""];
  await writeFile(join(KUBERNETES_BIN, "go.mod"), lines.join("\n"));
  await copyFile(join(source, "go.sum"), join(KUBERNETES_BIN, "go.sum"));
  const commands = ["kube-apiserver", "kubectl"].map((name) => `k8s.io/kubernetes/cmd/${name}`);
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };
  const result = await run(go, ["build", "-trimpath", "-ldflags", "-s -w", "-o", `${KUBERNETES_BIN}/`, ...commands], { cwd: KUBERNETES_BIN, env });
  if (result.code !== 0) throw new UserError(`Kubernetes ${KUBERNETES} cannot be built; go says: ${lastLine(result)}`);
}
