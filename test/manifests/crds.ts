/** Istio's custom resource definitions, as validators: what the API server would refuse, and fields that it would drop. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import Ajv from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";
import { istioModule } from "../istio/istio.ts";

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: { [key: string]: unknown };
}

interface Definition {
  spec: { group: string; names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
}

interface Schema {
  properties?: { [name: string]: Schema };
  items?: Schema;
  additionalProperties?: Schema | boolean;
  [key: string]: unknown;
}

/** An unknown field is dropped by the API server without a word: here it is an error. */
function closed(schema: Schema): Schema {
  const made: Schema = { ...schema };
  if (schema.items) made.items = closed(schema.items);
  if (schema.properties) {
    made.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, closed(inner)]));
    if (schema["x-kubernetes-preserve-unknown-fields"] !== true) made.additionalProperties = false;
  }
  return made;
}

/** Reads the definitions. Gives a function that says what is wrong with a manifest, nothing if it is good. */
export async function istioValidator(): Promise<(manifest: Manifest) => string[]> {
  const file = join(await istioModule(), "manifests/charts/base/files/crd-all.gen.yaml");
  const definitions = parseAllDocuments(await readFile(file, "utf8")).map((document) => document.toJS() as Definition | null);
  const ajv = new Ajv.default({ strict: false, allErrors: true, validateFormats: false });
  return (manifest) => {
    const [group, version] = manifest.apiVersion.split("/");
    const definition = definitions.find((one) => one?.spec.group === group && one?.spec.names.kind === manifest.kind);
    const schema = definition?.spec.versions.find(({ name }) => name === version)?.schema.openAPIV3Schema;
    if (!schema) return [`${manifest.apiVersion} ${manifest.kind} is not one of Istio's`];
    const validate = ajv.compile({ ...closed({ properties: { spec: schema.properties?.spec ?? {} } }), additionalProperties: true });
    return validate(manifest) ? [] : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  };
}
