/** `bailey test`: a table of requests and of what must be decided about them, for CI. Exit code 1: some are not. */
import { UserError } from "../errors.ts";
import { readYaml } from "../files.ts";
import type { Answer } from "../host/mesh.ts";
import { type Description, linesOf, toCall } from "../policies/calls.ts";
import { type Destination, loadPolicies } from "../policies/load.ts";

interface Case {
  name: string;
  request: Description;
  /** The workload that is called; that of the command line where nothing is said. */
  to?: Destination;
  /** What is decided. */
  expect: "allow" | "deny";
  /** What would be decided if shadow policies were enforced; not looked at where nothing is said. */
  shadow?: "allow" | "deny";
  /** The policy that decides, as `namespace/name` or its name alone. */
  policy?: string;
}

interface Result {
  name: string;
  passed: boolean;
  /** Why not. */
  lines: string[];
}

const CASE_KEYS = ["name", "request", "to", "expect", "shadow", "policy"];

export interface TestOptions extends Destination {
  tcp?: boolean;
  format: "text" | "json";
}

/** Takes files of policies, and the file of cases last. */
export async function test(files: string[], { namespace, labels, ...options }: TestOptions): Promise<void> {
  const table = files[files.length - 1];
  if (table === undefined || files.length < 2) throw new UserError("expected files of policies, and a file of cases last", 2);
  const cases = await readCases(table);
  const policies = await loadPolicies(files.slice(0, -1), options.tcp ?? false);
  const results: Result[] = [];
  for (const [i, one] of cases.entries())
    results.push(judge(one, await policies.ask(toCall(one.request, `${table}: [${i}].request`), one.to ?? { namespace, labels })));
  if (options.format === "json") console.log(JSON.stringify(results, undefined, 2));
  else {
    for (const { name, passed, lines } of results) if (!passed) console.log([`failed: ${name}`, ...lines.map((line) => `  ${line}`)].join("\n"));
    console.log(`${results.filter(({ passed }) => passed).length} passed, ${results.filter(({ passed }) => !passed).length} failed`);
  }
  if (results.some(({ passed }) => !passed)) process.exitCode = 1;
}

async function readCases(file: string): Promise<Case[]> {
  const cases = await readYaml(file);
  if (!Array.isArray(cases) || cases.length === 0) throw new UserError(`${file}: expected a list of cases with name, request and expect`, 2);
  for (const [i, one] of cases.entries()) check(one, `${file}: [${i}]`);
  return cases.map((one, i) => ({ ...(one as Case), name: (one as Case).name ?? `case ${i}` }));
}

function check(one: unknown, place: string): void {
  if (typeof one !== "object" || one === null) throw new UserError(`${place}: expected an object with ${CASE_KEYS.join(", ")}`, 2);
  const given = one as Partial<Case>;
  for (const key of Object.keys(given))
    if (!CASE_KEYS.includes(key)) throw new UserError(`${place}.${key}: unknown key, expected one of ${CASE_KEYS.join(", ")}`, 2);
  if (typeof given.request !== "object" || given.request === null)
    throw new UserError(`${place}.request: expected an object, as in {from: cluster.local/ns/shop/sa/web, path: /}`, 2);
  for (const key of ["expect", "shadow"] as const) {
    const value = given[key];
    if (value === undefined && key === "shadow") continue;
    if (value !== "allow" && value !== "deny") throw new UserError(`${place}.${key}: found ${JSON.stringify(value) ?? "nothing"}, expected allow or deny`, 2);
  }
}

function judge(one: Case, { allowed, event }: Answer): Result {
  const decided = allowed ? "allow" : "deny";
  const change = event?.bailey.shadow?.action;
  const enforced = change === undefined ? decided : change === "would_deny" ? "deny" : "allow";
  const policy = event?.bailey.policy?.name;
  const wrong: string[] = [];
  if (decided !== one.expect) wrong.push(`expected ${one.expect}, was ${decided}`);
  if (one.shadow !== undefined && enforced !== one.shadow) wrong.push(`expected ${one.shadow} with shadow policies enforced, was ${enforced}`);
  if (one.policy !== undefined && policy !== one.policy && !policy?.endsWith(`/${one.policy}`))
    wrong.push(`expected policy ${one.policy} to decide, was ${policy ?? "none"}`);
  return { name: one.name, passed: wrong.length === 0, lines: wrong.length === 0 ? [] : [...wrong, ...linesOf(event, allowed)] };
}
