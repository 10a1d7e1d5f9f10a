/** The published schemas, as validators. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv/dist/2020.js";
import { ROOT } from "../cli/paths.ts";

export interface Published {
  schema: { properties: object };
  validate: ValidateFunction;
}

/** Reads the schema of manifests/schema with that name, as in `mesh`. */
export function published(name: string): Published {
  const schema = JSON.parse(readFileSync(join(ROOT, "manifests/schema", `${name}.schema.json`), "utf8")) as Published["schema"];
  return { schema, validate: new Ajv.default({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema) };
}
