/** The images of the filters, as `bailey push` wrote them down beside the manifests. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FilterName } from "../build/assemble.ts";
import { UserError } from "../errors.ts";
import { ROOT } from "../paths.ts";

export interface Image {
  url: string;
  sha256: string;
}

/** Gives the image of a filter. `manifests` is a copy of manifests/, the repository's own where none is given. */
export async function imageOf(filter: FilterName, manifests = join(ROOT, "manifests")): Promise<Image> {
  const file = join(manifests, "base", filter, "image.env");
  const text = await readFile(file, "utf8").catch(() => "");
  const [, url] = /^URL=(.+)$/m.exec(text) ?? [];
  const [, sha256] = /^SHA256=(.+)$/m.exec(text) ?? [];
  if (url === undefined || sha256 === undefined)
    throw new UserError(`${file} has no URL and SHA256; run \`bailey push\`, or name a copy of manifests/ with --manifests`);
  return { url, sha256 };
}
