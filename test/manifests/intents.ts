/** Intent files that have every key between them: the example, and one with the key that the example cannot have. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Intent } from "../../cli/intent/model.ts";
import { ROOT } from "../../cli/paths.ts";

export const EXAMPLE = join(ROOT, "docs/examples/bailey.yaml");

/** Gives the example as it is written; files that it names stand beside it. */
export function exampleIntent(): Intent {
  return parse(readFileSync(EXAMPLE, "utf8")) as Intent;
}

/** The example with a secret for images, and so without headers that wait; it names no files. */
export function secretIntent(): Intent {
  const { images, edge = [], mesh = [], ...rest } = exampleIntent();
  return {
    ...rest,
    images: { ...images, pullSecret: "registry" },
    edge: edge.filter(({ holdHeaders }) => !holdHeaders),
    mesh: mesh.map(({ policyFiles, ...other }) => other),
  };
}
