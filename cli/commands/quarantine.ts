/** `bailey quarantine`: nobody talks with a workload that is in quarantine; who is put there by hand, or by what the proxies report. */
import { createInterface } from "node:readline";
import { Offenders } from "../cluster/offenders.ts";
import { identityOf, isolate, isWorkload, type Place, readQuarantined, writeQuarantined } from "../cluster/quarantine.ts";
import { UserError } from "../errors.ts";
import { readIntent } from "../intent/model.ts";

export interface QuarantineOptions extends Place {
  release?: boolean;
  isolate?: boolean;
  /** The intent file with the threshold. */
  follow?: string;
  most: number;
}

export async function quarantine(identities: string[], options: QuarantineOptions): Promise<void> {
  const names = identities.map(identityOf);
  if (options.follow !== undefined) await follow(options.follow, options);
  else for (const name of await change(names, options)) console.log(name);
}

/** Puts workloads into quarantine, or lets them out. Gives who is in it then. */
async function change(names: string[], options: QuarantineOptions): Promise<string[]> {
  const before = await readQuarantined(options);
  if (names.length === 0) return before;
  const after = options.release ? before.filter((name) => !names.includes(name)) : [...new Set([...before, ...names])].sort();
  await writeQuarantined(after, options);
  if (options.isolate || options.release) for (const name of names) await isolate(name, !options.release, options);
  return after;
}

/** Reads logs from standard input, and puts into quarantine who is refused too often. Ends with the input. */
async function follow(file: string, options: QuarantineOptions): Promise<void> {
  const { quarantine: threshold, edge = [] } = await readIntent(file);
  if (!threshold) throw new UserError(`${file}: quarantine is missing: it says how many violations are too many`, 2);
  const except = edge.flatMap(({ identity }) => identity ?? []);
  const offenders = new Offenders({ violations: threshold.violations, seconds: threshold.seconds ?? 60, except });
  let added = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const name = offenders.take(line);
    // others cannot be named in the plugin
    if (name === undefined || !isWorkload(name) || (await readQuarantined(options)).includes(name)) continue;
    if (added >= options.most) {
      console.log(`${name}: not put into quarantine: ${added} were already; look at what is refused, then start again`);
      continue;
    }
    await change([name], options);
    added++;
    console.log(`${name}: in quarantine`);
  }
}
