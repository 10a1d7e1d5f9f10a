/**
 * `bailey push`: the filters as OCI images that istio-agent pulls. crane does the talking, with the credentials that
 * docker and its like keep. The checksum of an image goes where the manifests take it from.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FilterName } from "../build/assemble.ts";
import { buildAll, WASM } from "../build/build.ts";
import { UserError } from "../errors.ts";
import { layerOf } from "../oci/layer.ts";
import { provenance, type Source, sbom, sourceOf } from "../oci/origin.ts";
import { pushLayer } from "../oci/registry.ts";
import { ROOT } from "../paths.ts";
import { CRANE, ensureGoTool } from "../setup/gotool.ts";

export interface PushOptions {
  tag?: string;
  insecure?: boolean;
  manifests?: string;
}

export async function push(repository: string, options: PushOptions): Promise<void> {
  if (repository.includes("://") && !repository.startsWith("oci://"))
    throw new UserError(`${repository}: expected a repository, as in registry.example/security/bailey`, 2);
  await buildAll();
  const crane = await ensureGoTool(CRANE);
  const source = await sourceOf();
  for (const [filter, wasm] of Object.entries(WASM) as [FilterName, string][]) {
    const image = `${repository.replace(/^oci:\/\//, "")}/${filter}:${options.tag ?? source.version}`;
    const digest = await pushLayer(crane, image, await layer(filter, wasm, source), options.insecure ?? false);
    console.log(`oci://${image} sha256:${digest}`);
    await writeImage(join(options.manifests ?? join(ROOT, "manifests"), "base", filter, "image.env"), image, digest);
  }
}

async function layer(filter: FilterName, path: string, source: Source): Promise<Buffer> {
  const wasm = await readFile(path);
  const json = (value: object): Buffer => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  return layerOf({ "plugin.wasm": wasm, "sbom.cdx.json": json(sbom(filter, wasm, source)), "provenance.json": json(provenance(filter, wasm, source)) });
}

/** Writes what the kustomize base takes from there; the comments at its head stay. */
async function writeImage(file: string, image: string, digest: string): Promise<void> {
  const head = (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line.startsWith("#"));
  await writeFile(file, [...head, `URL=oci://${image}`, `SHA256=${digest}`, ""].join("\n"));
}
