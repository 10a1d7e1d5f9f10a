/** A gateway or a sidecar: a pod, Istio's own agent, and a stock Envoy that the agent starts. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { ROOT } from "../../cli/paths.ts";
import type { Cluster } from "./cluster.ts";
import { type Running, startProgram, until } from "./process.ts";
import type { Tools } from "./setup.ts";

export interface Place {
  /** Of the pod, and of its service account. */
  name: string;
  namespace: string;
  ip: string;
  labels: { [name: string]: string };
  kind: "sidecar" | "router";
  /** Tells the ports of proxies apart, which share an address. */
  index: number;
}

export interface Workload {
  place: Place;
  /** Asks Envoy's admin interface. */
  admin(path: string): Promise<string>;
  program: Running;
}

/** Makes what a scheduler and a kubelet would: a pod that runs. */
async function makePod(cluster: Cluster, { name, namespace, ip, labels }: Place): Promise<void> {
  const metadata = { name, namespace };
  await cluster.apply([
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, labels: { ...labels, "security.istio.io/tlsMode": "istio" } },
      spec: { serviceAccountName: name, containers: [{ name: "istio-proxy", image: "none" }] },
    },
  ]);
  const status = { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [{ type: "Ready", status: "True" }] };
  await cluster.kubectl("patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status }));
}

/** The bootstrap of components/metric-labels. */
async function metricLabels(): Promise<string> {
  const { data } = parse(await readFile(join(ROOT, "manifests/components/metric-labels/configmap.yaml"), "utf8")) as { data: { [name: string]: string } };
  return data["custom_bootstrap.json"] ?? "";
}

export async function startProxy(cluster: Cluster, tools: Tools, place: Place): Promise<Workload> {
  const { name, namespace, ip, kind, index } = place;
  await makePod(cluster, place);
  const folder = join(cluster.folder, name);
  const file = async (path: string, content: string): Promise<string> => {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
    return join(folder, path);
  };
  await file("var/run/secrets/tokens/istio-token", await cluster.token(namespace, name, name));
  await file("var/run/secrets/istio/root-cert.pem", await cluster.rootCertificate());
  const adminPort = 15000 + index * 100;
  const config = {
    discoveryAddress: "127.0.0.1:15012",
    binaryPath: tools.envoy,
    configPath: join(folder, "envoy"),
    statusPort: adminPort + 20,
    proxyAdminPort: adminPort,
    concurrency: 1,
  };
  const env = {
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    INSTANCE_IP: ip,
    SERVICE_ACCOUNT: name,
    TRUST_DOMAIN: "cluster.local",
    ISTIOD_SAN: "istiod.istio-system.svc",
    ISTIO_META_CLUSTER_ID: "Kubernetes",
    ISTIO_META_INTERCEPTION_MODE: "NONE",
    ISTIO_BOOTSTRAP: join(tools.istio, "tools/packaging/common/envoy_bootstrap.json"),
    ENVOY_STATUS_PORT: String(adminPort + 21),
    ENVOY_PROMETHEUS_PORT: String(adminPort + 90),
    // what the annotation sidecar.istio.io/bootstrapOverride comes to
    ISTIO_BOOTSTRAP_OVERRIDE: await file("custom_bootstrap.json", await metricLabels()),
    WASM_INSECURE_REGISTRIES: "127.0.0.1:5000",
    PROXY_CONFIG: stringify(config),
  };
  const args = ["proxy", kind, "--domain", `${namespace}.svc.cluster.local`, "--proxyLogLevel", "warning", "--proxyComponentLogLevel", "wasm:info"];
  const program = await startProgram(name, cluster.folder, tools.agent, args, env);
  const admin = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text();
  try {
    await until(`${name} to be ready`, 60, async () => ((await admin("/ready")).startsWith("LIVE") ? true : undefined));
  } catch (error) {
    console.error(`${name}:\n${await program.tail()}`);
    await program.stop();
    throw error;
  }
  return { place, admin, program };
}
