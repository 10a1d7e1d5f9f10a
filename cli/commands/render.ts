/** `bailey render`: the manifests of an intent file, checked by the filters that will read them; or what they would change in a cluster. */
import { dirname, resolve } from "node:path";
import { stringify } from "yaml";
import { refusalOf } from "../build/refusal.ts";
import { UserError } from "../errors.ts";
import { withTemporaryFile } from "../files.ts";
import { readIntent } from "../intent/model.ts";
import { render as renderIntent } from "../intent/render.ts";
import { kubectl } from "../kubectl.ts";
import type { MeshConfig } from "../policies/model.ts";

export interface RenderOptions {
  diff?: boolean;
  context?: string;
}

export async function render(file: string, options: RenderOptions): Promise<void> {
  const intent = await readIntent(file);
  // files are named from where the intent is
  for (const mesh of intent.mesh ?? []) if (mesh.policyFiles) mesh.policyFiles = mesh.policyFiles.map((path) => resolve(dirname(file), path));
  const resources = (await renderIntent(intent)).map((resource) => resource.toJSON() as Resource);
  for (const resource of resources) await check(file, resource);
  const text = resources.map((resource) => stringify(resource, { aliasDuplicateObjects: false })).join("---\n");
  if (options.diff) await diff(text, options.context);
  else process.stdout.write(text);
}

interface Resource {
  kind: string;
  metadata: { name: string; namespace: string };
  spec: {
    pluginName?: string;
    pluginConfig?: MeshConfig;
    configPatches?: { patch: { value?: { typed_config?: { config?: { root_id: string; configuration: { value: string } } } } } }[];
  };
}

/** What the filter would refuse in the cluster is refused here. */
async function check(file: string, { metadata, spec }: Resource): Promise<void> {
  const [pluginName, config] = spec.pluginName ? [spec.pluginName, spec.pluginConfig ?? {}] : ofEnvoyFilter(spec);
  if (pluginName === undefined) return;
  const refused = await refusalOf(pluginName, config);
  if (refused !== undefined) throw new UserError(`${file}: ${metadata.namespace}/${metadata.name}: ${refused}`, 2);
}

/** The plugin that an EnvoyFilter delivers, if it does. */
function ofEnvoyFilter({ configPatches = [] }: Resource["spec"]): [string | undefined, object] {
  const config = configPatches.map(({ patch }) => patch.value?.typed_config?.config).find((one) => one !== undefined);
  return [config?.root_id, JSON.parse(config?.configuration.value ?? "{}") as object];
}

/** Shows what would change. Exit code 1 if anything would, as `kubectl diff` has it. */
async function diff(text: string, context: string | undefined): Promise<void> {
  const { code, stdout } = await withTemporaryFile("manifests.yaml", text, (file) =>
    kubectl(["diff", "-f", file], { context, without: "--diff needs it", fine: 1 }),
  );
  process.stdout.write(stdout);
  process.exitCode = code;
}
