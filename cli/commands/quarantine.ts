/**
 * `bailey quarantine`: nobody talks with a workload that is in quarantine. One plugin for the whole mesh, on connections, so
 * that it holds whatever is spoken; it denies identities, so that it holds wherever the workload moves.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { UserError } from "../errors.ts";
import { withTemporaryFile } from "../files.ts";
import { kubectl } from "../kubectl.ts";
import { ROOT } from "../paths.ts";

export interface QuarantineOptions {
  release?: boolean;
  rootNamespace: string;
  manifests?: string;
  context?: string;
}

const NAME = "bailey-quarantine";

interface Plugin {
  spec: { pluginConfig: { policies: { spec: { rules: { from: { source: { principals: string[] } }[] }[] } }[] } };
}

export async function quarantine(identities: string[], options: QuarantineOptions): Promise<void> {
  const before = await read(options);
  const names = identities.map((identity) => identity.replace(/^spiffe:\/\//, ""));
  for (const name of names)
    if (!/^[^/]+\/ns\/[^/]+\/sa\/[^/*]+$/.test(name)) throw new UserError(`${name}: expected an identity, as in cluster.local/ns/shop/sa/web`, 2);
  const after = options.release ? before.filter((name) => !names.includes(name)) : [...new Set([...before, ...names])].sort();
  if (names.length > 0) await write(after, options);
  for (const name of names.length > 0 ? after : before) console.log(name);
}

/** Who is in quarantine. */
async function read(options: QuarantineOptions): Promise<string[]> {
  const { stdout } = await kubectl(["get", "wasmplugin", NAME, "-n", options.rootNamespace, "--ignore-not-found", "-o", "json"], options);
  if (stdout.trim() === "") return [];
  const plugin = JSON.parse(stdout) as Plugin;
  return plugin.spec.pluginConfig.policies[0]?.spec.rules[0]?.from[0]?.source.principals ?? [];
}

async function write(principals: string[], options: QuarantineOptions): Promise<void> {
  if (principals.length === 0) {
    await kubectl(["delete", "wasmplugin", NAME, "-n", options.rootNamespace, "--ignore-not-found"], options);
    return;
  }
  const plugin = stringify(pluginOf(principals, await imageOf(options), options.rootNamespace));
  await withTemporaryFile("plugin.yaml", plugin, (file) => kubectl(["apply", "-f", file], options));
}

/** The filter for connections, as `bailey push` published it. */
async function imageOf({ manifests }: QuarantineOptions): Promise<{ url: string; sha256: string }> {
  const file = join(manifests ?? join(ROOT, "manifests"), "base/mesh-tcp/image.env");
  const text = await readFile(file, "utf8").catch(() => "");
  const [, url] = /^URL=(.+)$/m.exec(text) ?? [];
  const [, sha256] = /^SHA256=(.+)$/m.exec(text) ?? [];
  if (url === undefined || sha256 === undefined)
    throw new UserError(`${file} has no URL and SHA256; run \`bailey push\`, or name a copy of manifests/ with --manifests`);
  return { url, sha256 };
}

function pluginOf(principals: string[], image: { url: string; sha256: string }, namespace: string): object {
  const rule = { from: [{ source: { principals } }] };
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: NAME, namespace, labels: { "app.kubernetes.io/component": "quarantine", "app.kubernetes.io/part-of": "bailey" } },
    spec: {
      ...image,
      imagePullPolicy: "IfNotPresent",
      pluginName: "bailey.mesh-tcp",
      type: "NETWORK",
      phase: "AUTHN",
      priority: 2000,
      failStrategy: "FAIL_RELOAD",
      match: [{ mode: "SERVER" }],
      pluginConfig: { policies: [{ name: "quarantine", namespace, spec: { action: "DENY", rules: [rule] } }] },
    },
  };
}
