/** `bailey.yaml`: what is protected, and how. The schema is manifests/schema/bailey.schema.json. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import Ajv, { type ErrorObject } from "ajv/dist/2020.js";
import type { FilterName } from "../build/assemble.ts";
import { UserError } from "../errors.ts";
import { readConfig } from "../files.ts";
import { ROOT } from "../paths.ts";
import type { Labels, PluginPolicy } from "../policies/model.ts";

export interface Images {
  repository: string;
  tag?: string;
  digests?: { [filter in FilterName]?: string };
  pullSecret?: string;
}

export interface Edge {
  name: string;
  namespace: string;
  labels?: Labels;
  /** A Gateway of the Gateway API instead of labels. */
  gateway?: string;
  mode?: "detect" | "enforce";
  /** Headers wait for the verdict on the body. */
  holdHeaders?: boolean;
  /** The gateway's own identity, which the mesh knows it by. */
  identity?: string;
  /** The mesh is told what was found, and with `user` who is authenticated. */
  findings?: boolean;
  user?: boolean;
  config?: { [key: string]: unknown };
}

export interface Mesh {
  name: string;
  namespace: string;
  labels?: Labels;
  /** A waypoint instead of sidecars. */
  waypoint?: string;
  mode?: "shadow" | "enforce";
  default?: "allow" | "deny";
  /** Ports that do not speak HTTP. */
  tcpPorts?: number[];
  policies?: PluginPolicy[];
  policyFiles?: string[];
  /** The firewall in front of these workloads too. */
  inspection?: Inspection;
  config?: { [key: string]: unknown };
}

export interface Inspection {
  mode?: "detect" | "enforce";
  config?: { [key: string]: unknown };
}

/** From when on a workload that attacks others gets no answer, and for how long. */
export interface Quarantine {
  violations: number;
  seconds?: number;
  duration?: number;
}

export interface Intent {
  images: Images;
  edge?: Edge[];
  mesh?: Mesh[];
  quarantine?: Quarantine;
  peerAddress?: boolean;
}

/** Reads and checks an intent file. Throws one line with the place of what is wrong. */
export async function readIntent(file: string): Promise<Intent> {
  const intent = await readConfig(file);
  const schema = JSON.parse(await readFile(join(ROOT, "manifests/schema/bailey.schema.json"), "utf8")) as object;
  const validate = new Ajv.default({ strictRequired: false, verbose: true }).compile(schema);
  if (!validate(intent)) throw new UserError(`${file}: ${explain(validate.errors?.[0] as ErrorObject)}`, 2);
  return intent as unknown as Intent;
}

/** Says where, what was found and what was expected. */
function explain({ instancePath, keyword, params, message, data }: ErrorObject): string {
  const place =
    instancePath
      .replace(/\/(\d+)/g, "[$1]")
      .replace(/\//g, ".")
      .replace(/^\./, "") || "the file";
  if (keyword === "additionalProperties") return `${place}: unknown key ${(params as { additionalProperty: string }).additionalProperty}`;
  if (keyword === "required") return `${place}: ${(params as { missingProperty: string }).missingProperty} is missing`;
  const expected = keyword === "enum" ? `one of ${(params as { allowedValues: string[] }).allowedValues.join(", ")}` : message?.replace(/^must /, "");
  return `${place}: found ${JSON.stringify(data)?.slice(0, 60)}, expected ${expected}`;
}
