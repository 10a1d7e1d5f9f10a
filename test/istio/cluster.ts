/** A cluster without nodes: etcd, kube-apiserver and istiod. What a controller or a kubelet would make is made by hand. */
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "../../cli/process.ts";
import { type Running, startProgram, until } from "./process.ts";
import type { Tools } from "./setup.ts";

/** Address of the service of istiod, which has its webhook. */
export const WEBHOOK_IP = "10.96.0.10";
/** What the API server says where it is: an address of the loopback's own is refused. */
export const APISERVER_IP = "10.77.0.1";
const TOKEN = "bailey-test-admin";

/** What stock Envoy needs from istiod: no filters of Istio's own build. */
const ISTIOD_ENV = {
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_ALPN_FILTER: "false",
  PILOT_DISABLE_MX_ALPN: "true",
  POD_NAMESPACE: "istio-system",
  POD_NAME: "istiod",
  CLUSTER_ID: "Kubernetes",
  REVISION: "default",
  VALIDATION_WEBHOOK_CONFIG_NAME: "istio-validator",
  ISTIOD_CUSTOM_HOST: "localhost",
};

export const MESH = {
  trustDomain: "cluster.local",
  rootNamespace: "istio-system",
  enableAutoMtls: true,
  accessLogFile: "",
  defaultConfig: { discoveryAddress: "127.0.0.1:15012" },
};

export class Cluster {
  private readonly running: Running[] = [];
  private readonly tools: Tools;
  readonly folder: string;
  private readonly kubeconfig: string;

  private constructor(tools: Tools, folder: string) {
    this.tools = tools;
    this.folder = folder;
    this.kubeconfig = join(folder, "kubeconfig");
  }

  static async start(tools: Tools, folder: string): Promise<Cluster> {
    const cluster = new Cluster(tools, folder);
    try {
      await cluster.startApiserver();
      await cluster.startIstiod();
    } catch (error) {
      for (const program of cluster.running) console.error(`${program.name}:\n${await program.tail()}`);
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  private async begin(name: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
    const program = await startProgram(name, this.folder, command, args, env);
    this.running.push(program);
    return program;
  }

  private async startApiserver(): Promise<void> {
    const etcd = "http://127.0.0.1:2379";
    await this.begin("etcd", this.tools.etcd, [
      "--data-dir",
      join(this.folder, "etcd", "data"),
      "--listen-client-urls",
      etcd,
      "--advertise-client-urls",
      etcd,
      "--listen-peer-urls",
      "http://127.0.0.1:2380",
    ]);
    const keys = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const file = async (name: string, content: string): Promise<string> => {
      await writeFile(join(this.folder, name), content);
      return join(this.folder, name);
    };
    const publicKey = await file("sa.pub", keys.publicKey);
    const privateKey = await file("sa.key", keys.privateKey);
    const tokens = await file("tokens.csv", `${TOKEN},admin,1,"system:masters"\n`);
    await file(
      "kubeconfig",
      stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "test", cluster: { server: "https://127.0.0.1:6443", "insecure-skip-tls-verify": true } }],
        users: [{ name: "admin", user: { token: TOKEN } }],
        contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
        "current-context": "test",
      }),
    );
    await this.begin("apiserver", this.tools.apiserver, [
      `--etcd-servers=${etcd}`,
      "--bind-address=127.0.0.1",
      `--advertise-address=${APISERVER_IP}`,
      "--secure-port=6443",
      `--cert-dir=${join(this.folder, "apiserver")}`,
      `--token-auth-file=${tokens}`,
      "--authorization-mode=RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${publicKey}`,
      `--service-account-signing-key-file=${privateKey}`,
      "--api-audiences=https://kubernetes.default.svc,istio-ca",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--disable-admission-plugins=ServiceAccount",
    ]);
    await until("the API server to be ready", 60, async () => ((await this.kubectl("get", "--raw", "/readyz")) === "ok" ? true : undefined));
  }

  private async startIstiod(): Promise<void> {
    const crds = await readFile(join(this.tools.istio, "manifests/charts/base/files/crd-all.gen.yaml"), "utf8");
    await this.apply(crds);
    const named = (kind: string, name: string, namespace?: string): object => ({ apiVersion: "v1", kind, metadata: { name, ...(namespace && { namespace }) } });
    await this.apply([named("Namespace", "istio-system")]);
    const mesh = stringify(MESH);
    await this.apply([
      { ...named("ConfigMap", "istio", "istio-system"), data: { mesh } },
      { ...named("Service", "istiod", "istio-system"), spec: { clusterIP: WEBHOOK_IP, ports: [{ name: "https", port: 443 }] } },
      validator(),
    ]);
    await mkdir(join(this.folder, "istiod"), { recursive: true });
    await writeFile(join(this.folder, "istiod", "mesh.yaml"), mesh);
    await this.begin(
      "istiod",
      this.tools.discovery,
      [
        "discovery",
        `--kubeconfig=${this.kubeconfig}`,
        "--meshConfig=mesh.yaml",
        "--httpAddr=127.0.0.1:15080",
        "--grpcAddr=127.0.0.1:15010",
        "--secureGRPCAddr=127.0.0.1:15012",
        "--monitoringAddr=127.0.0.1:15014",
        `--httpsAddr=${WEBHOOK_IP}:443`,
      ],
      ISTIOD_ENV,
    );
    await until("istiod to be ready", 60, async () => ((await fetch("http://127.0.0.1:15080/ready")).ok ? true : undefined));
    await until("istiod's root certificate", 30, async () => (await this.rootCertificate()) || undefined);
  }

  /** The certificate that workloads trust, as istiod publishes it. */
  rootCertificate(): Promise<string> {
    return this.kubectl("get", "configmap", "istio-ca-root-cert", "-n", "istio-system", "-o", "jsonpath={.data.root-cert\\.pem}");
  }

  /** Runs kubectl and gives what it prints. Throws what it says of an error. */
  async kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(this.tools.kubectl, ["--kubeconfig", this.kubeconfig, ...args]);
    if (code !== 0) throw new Error(stderr.trim());
    return stdout;
  }

  /** Applies manifests, given as objects or as YAML. */
  async apply(manifests: object[] | string): Promise<void> {
    await this.kubectl("apply", "--server-side", "--force-conflicts", "-f", await this.write(manifests));
  }

  /** Asks the API server and its webhooks whether they would take manifests. Throws why not. */
  async dryRun(manifests: object[] | string): Promise<void> {
    await this.kubectl("apply", "--dry-run=server", "-f", await this.write(manifests));
  }

  private async write(manifests: object[] | string): Promise<string> {
    const file = join(this.folder, `apply-${this.written++}.yaml`);
    await writeFile(file, typeof manifests === "string" ? manifests : manifests.map((one) => stringify(one, { aliasDuplicateObjects: false })).join("---\n"));
    return file;
  }
  private written = 0;

  /** A token of a service account for the mesh's authority, bound to a pod. */
  token(namespace: string, account: string, pod: string): Promise<string> {
    return this.kubectl(
      "create",
      "token",
      account,
      "-n",
      namespace,
      "--audience",
      "istio-ca",
      "--duration",
      "2h",
      "--bound-object-kind",
      "Pod",
      "--bound-object-name",
      pod,
    );
  }

  /** The kubeconfig that commands use. */
  get env(): NodeJS.ProcessEnv {
    return { KUBECONFIG: this.kubeconfig };
  }

  async stop(): Promise<void> {
    // the API server waits for ever for an etcd that went before it
    for (const program of this.running.reverse()) await program.stop();
  }
}

/** Istio's validating webhook, as its chart has it; istiod fills in its certificate. */
function validator(): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "istio-validator", labels: { app: "istiod", istio: "istiod", "istio.io/rev": "default" } },
    webhooks: [
      {
        name: "rev.validation.istio.io",
        clientConfig: { service: { name: "istiod", namespace: "istio-system", path: "/validate", port: 443 } },
        rules: [
          {
            operations: ["CREATE", "UPDATE"],
            apiGroups: ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"],
            apiVersions: ["*"],
            resources: ["*"],
          },
        ],
        failurePolicy: "Ignore",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
}
