/**
 * What a filter is made of and from, in the field's formats: a bill of materials (CycloneDX 1.6) and a statement of
 * provenance (in-toto with SLSA 1.0). Neither has a time in it, so that the same sources give the same image.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { FilterName } from "../build/assemble.ts";
import { ROOT } from "../paths.ts";
import { run } from "../process.ts";
import { CRS_MODULE, CRS_VERSION } from "../setup/crs.ts";
import { WORDS_MODULE, WORDS_VERSION } from "../setup/words.ts";

export interface Source {
  /** Commit, empty outside of a repository. */
  commit: string;
  /** True if files differ from it. */
  dirty: boolean;
  version: string;
}

export async function sourceOf(): Promise<Source> {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  const commit = await run("git", ["rev-parse", "HEAD"], { cwd: ROOT });
  const changes = await run("git", ["status", "--porcelain", "--untracked-files=no"], { cwd: ROOT });
  return { version, commit: commit.code === 0 ? commit.stdout.trim() : "", dirty: changes.stdout.trim() !== "" };
}

/** What of others is inside the wasm: purl and version. */
function materials(filter: FilterName): { name: string; version: string; purl: string }[] {
  const { version } = createRequire(import.meta.url)("assemblyscript/package.json") as { version: string };
  const made = [{ name: "assemblyscript", version, purl: `pkg:npm/assemblyscript@${version}` }];
  if (filter !== "ngfw") return made;
  return [
    ...made,
    { name: CRS_MODULE, version: `v${CRS_VERSION}`, purl: `pkg:golang/${CRS_MODULE}@v${CRS_VERSION}` },
    { name: WORDS_MODULE, version: WORDS_VERSION, purl: `pkg:golang/${WORDS_MODULE}@${WORDS_VERSION}` },
  ];
}

export function sbom(filter: FilterName, wasm: Buffer, { version }: Source): object {
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", name: `bailey-${filter}`, version, hashes: [{ alg: "SHA-256", content: sha256(wasm) }] } },
    components: materials(filter).map((one) => ({ type: "library", "bom-ref": one.purl, ...one })),
  };
}

export function provenance(filter: FilterName, wasm: Buffer, { commit, dirty, version }: Source): object {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "plugin.wasm", digest: { sha256: sha256(wasm) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "bailey build",
        externalParameters: { filter, version, ...(commit !== "" && { commit, dirty }) },
        resolvedDependencies: materials(filter).map(({ purl }) => ({ uri: purl })),
      },
      runDetails: { builder: { id: `node ${process.versions.node.split(".")[0]}` } },
    },
  };
}

/** Gives the checksum in hexadecimal digits. */
export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
