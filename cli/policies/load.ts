/** Policies from files, in the engine that Envoy loads, asked about one workload or another. */
import { UserError } from "../errors.ts";
import type { Answer, Call } from "../host/mesh.ts";
import { readDocuments } from "./documents.ts";
import { type Engine, loadEngine } from "./engine.ts";
import { type AuthorizationPolicy, DEFAULT_NAMESPACE, type Labels, type MeshConfig } from "./model.ts";
import { areForOneWorkload, policiesOf } from "./select.ts";
import { isDecidable, placeInIstio, toPlugin } from "./translate.ts";

/** The workload that is called. Where nothing is said, the one that all policies are for. */
export interface Destination {
  namespace?: string | undefined;
  labels?: Labels | undefined;
}

export interface Policies {
  /** Decides about a call of a workload. Throws what the engine says of bad policies, with their place. */
  ask(call: Call, destination: Destination): Promise<Answer>;
}

/** Reads AuthorizationPolicies, or one plugin configuration. `isTcp`: for connections without HTTP. */
export async function loadPolicies(files: string[], isTcp: boolean): Promise<Policies> {
  const { policies, configs } = await readDocuments(files);
  const [own] = configs;
  if (own && (policies.length > 0 || configs.length > 1)) throw new UserError("give AuthorizationPolicies or one plugin configuration", 2);
  if (!own && policies.length === 0) throw new UserError(`${files.join(", ")}: found no policy`, 2);
  const decidable = policies.filter(isDecidable);
  const engines = new Map<string, Promise<Engine>>();
  const engineFor = (destination: Destination): Promise<Engine> => {
    const key = JSON.stringify(destination);
    const engine = engines.get(key) ?? (own ? ofConfig(own.file, own.config, isTcp) : ofPolicies(files, choose(decidable, destination), isTcp));
    engines.set(key, engine);
    return engine;
  };
  return { ask: async (call, destination) => (await engineFor(destination)).ask(call) };
}

function choose(policies: AuthorizationPolicy[], { namespace, labels }: Destination): AuthorizationPolicy[] {
  if (namespace !== undefined || labels) return policiesOf({ namespace: namespace ?? DEFAULT_NAMESPACE, labels: labels ?? {} }, policies);
  if (!areForOneWorkload(policies)) throw new UserError("the policies are for several workloads; say which one is called, by its namespace and labels", 2);
  return policies;
}

async function ofConfig(file: string, config: MeshConfig, isTcp: boolean): Promise<Engine> {
  const engine = await loadEngine(config, isTcp);
  if (engine.refused !== undefined) throw new UserError(`${file}: ${engine.refused}`, 2);
  return engine;
}

async function ofPolicies(files: string[], policies: AuthorizationPolicy[], isTcp: boolean): Promise<Engine> {
  const engine = await loadEngine({ policies: toPlugin(policies) }, isTcp);
  if (engine.refused !== undefined) throw new UserError(`${files.join(", ")}: ${placeInIstio(engine.refused, policies)}`, 2);
  return engine;
}
