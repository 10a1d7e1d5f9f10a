/** `bailey doctor`: is each plugin really loaded, with which configuration, and if not, why. Exit code 1: something is wrong. */

import { examineCluster } from "../doctor/cluster.ts";
import { type Admin, examine, look, replacement } from "../doctor/envoy.ts";
import { adder, type Finding } from "../doctor/finding.ts";
import { UserError } from "../errors.ts";

export interface DoctorOptions {
  admin?: string;
  context?: string;
  pods: number;
  format: "text" | "json";
}

export async function doctor(options: DoctorOptions): Promise<void> {
  const findings = options.admin === undefined ? await examineCluster({ context: options.context, most: options.pods }) : await examineEnvoy(options.admin);
  if (options.format === "json") console.log(JSON.stringify(findings, undefined, 2));
  else for (const { level, place, text, next } of findings) console.log(`${level}: ${place}: ${text}${next === undefined ? "" : `\n  ${next}`}`);
  if (findings.some(({ level }) => level === "error")) process.exitCode = 1;
}

/** Looks at one Envoy by its admin address. */
async function examineEnvoy(address: string): Promise<Finding[]> {
  const url = address.includes("://") ? address : `http://${address}`;
  const admin: Admin = async (path) => {
    const answer = await fetch(url.replace(/\/$/, "") + path).catch((error: Error) => {
      throw new UserError(`${url} does not answer as an Envoy's admin interface: ${(error.cause as Error | undefined)?.message ?? error.message}`);
    });
    if (!answer.ok) throw new UserError(`${url}${path} answers ${answer.status}; is it an Envoy's admin interface?`);
    return answer.text();
  };
  const proxied = await look(admin);
  const { plugins, replaced } = proxied;
  const findings: Finding[] = [];
  for (const one of replaced) adder(findings, one.name)("error", replacement(one), "look for `wasm` in the agent's log");
  for (const plugin of plugins) await examine(plugin, proxied, adder(findings, plugin.name === "" ? plugin.pluginName : plugin.name));
  if (findings.length === 0) {
    adder(findings, url)("error", "no plugin of Bailey's is in this Envoy", "a plugin is known by its root_id, which begins with `bailey.`");
  }
  return findings;
}
