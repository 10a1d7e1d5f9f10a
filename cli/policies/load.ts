/** Policies from files, in the engine that Envoy loads, asked about one workload or another. */
import { UserError } from "../errors.ts";
import type { Answer, Call } from "../host/mesh.ts";
import { readDocuments } from "./documents.ts";
import { type Engine, loadEngine, loadIstioEngine } from "./engine.ts";
import { type AuthorizationPolicy, DEFAULT_NAMESPACE, type Labels } from "./model.ts";
import { areForOneWorkload, policiesOf } from "./select.ts";
import { isDecidable } from "./translate.ts";

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
  const load = async (destination: Destination): Promise<Engine> => {
    if (own) return usable(await loadEngine(own.config, isTcp), own.file);
    return usable(await loadIstioEngine(choose(decidable, destination), {}, isTcp), files.join(", "));
  };
  const engineFor = (destination: Destination): Promise<Engine> => {
    const key = JSON.stringify(destination);
    const engine = engines.get(key) ?? load(destination);
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

/** Throws what an engine refuses, with the place of what it was loaded from. */
function usable(engine: Engine, place: string): Engine {
  if (engine.refused !== undefined) throw new UserError(`${place}: ${engine.refused}`, 2);
  return engine;
}
