/** The published schema of the mesh filters' pluginConfig. */
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";

export const schema = JSON.parse(readFileSync(new URL("../../manifests/schema/mesh.schema.json", import.meta.url), "utf8"));
export const validate = new Ajv.default({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema);
