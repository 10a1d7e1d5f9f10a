/**
 * `npm test`: everything that must hold, one suite after the other, and the sum at the end. `npm test -- NAME`
 * runs the suites whose names start with NAME.
 */
import { spawn } from "node:child_process";
import { ROOT } from "../cli/paths.ts";
import { hasEtcd, isBuilt } from "./istio/setup.ts";

interface Suite {
  name: string;
  command: string[];
  /** Reads passed and failed tests from the output; the exit code decides where there is no count. */
  count: (output: string) => { passed: number; failed: number };
}

/** The counts that Node's test runner ends with. */
function fromNode(output: string): { passed: number; failed: number } {
  const value = (word: string): number => Number(new RegExp(`^(?:#|\\u2139) ${word} (\\d+)`, "m").exec(output)?.[1] ?? 0);
  return { passed: value("pass"), failed: value("fail") + value("cancelled") };
}

function fromAsPect(output: string): { passed: number; failed: number } {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours of the runner's output
  const plain = output.replace(/\u001b\[\d+m/g, "");
  const [, passed = "0", total = "0"] = /\[Tests\]: (\d+) \/ (\d+)/.exec(plain) ?? [];
  return { passed: Number(passed), failed: Number(total) - Number(passed) };
}

function fromConformance(output: string): { passed: number; failed: number } {
  const [, passed = "0", failed = "0"] = /(\d+) passed, (\d+) failed, \d+ ignored/.exec(output) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

function fromDifferential(output: string): { passed: number; failed: number } {
  const [, equal = "0", documented = "0", unexplained = "0"] = /(\d+) equal, (\d+) documented, (\d+) unexplained/.exec(output) ?? [];
  return { passed: Number(equal) + Number(documented), failed: Number(unexplained) };
}

/** `N passed, N failed` at the end, possibly after a name. */
function fromLastLine(output: string): { passed: number; failed: number } {
  const [, passed = "0", failed = "0"] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

/** A command that either passes or fails. */
const none = (): { passed: number; failed: number } => ({ passed: 0, failed: 0 });

const node = (...files: string[]): string[] => [process.execPath, "--import", "tsx", "--test", "--test-concurrency=1", ...files];
const bin = (name: string): string => `node_modules/.bin/${name}`;

const runsIstio = isBuilt() || (process.env.CI !== undefined && hasEtcd());

const SUITES: Suite[] = [
  { name: "lint", command: [bin("biome"), "check", "--error-on-warnings", "."], count: none },
  { name: "types", command: [bin("tsc"), "-p", "tsconfig.json"], count: none },
  { name: "unit", command: [bin("asp"), "--config", "as-pect.config.js", "--summary", "--no-logo"], count: fromAsPect },
  { name: "libinjection", command: node("test/harness/harness.test.ts"), count: fromNode },
  { name: "filter", command: node("test/filter/config.test.ts", "test/filter/findings.test.ts"), count: fromNode },
  {
    name: "cli",
    command: node(
      "test/cli/cli.test.ts",
      "test/cli/policies.test.ts",
      "test/cli/render.test.ts",
      "test/cli/doctor.test.ts",
      "test/cli/exclude.test.ts",
      "test/cli/offenders.test.ts",
    ),
    count: fromNode,
  },
  {
    name: "e2e",
    command: node("test/e2e/blocking.test.ts", "test/e2e/configuration.test.ts", "test/e2e/findings.test.ts", "test/e2e/failure.test.ts"),
    count: fromNode,
  },
  {
    name: "policies",
    command: node("test/differential/golden.test.ts", "test/policies/config.test.ts", "test/policies/decisions.test.ts", "test/policies/edge.test.ts"),
    count: fromNode,
  },
  { name: "differential", command: [process.execPath, "--import", "tsx", "test/differential/main.ts"], count: fromDifferential },
  { name: "fuzz", command: [process.execPath, "--import", "tsx", "test/fuzz/main.ts"], count: fromLastLine },
  { name: "mesh", command: node("test/mesh/mtls.test.ts"), count: fromNode },
  { name: "manifests", command: node("test/manifests/overlays.test.ts"), count: fromNode },
  { name: "soak", command: node("test/e2e/soak.test.ts"), count: fromNode },
  // a control plane takes some ten minutes to build: `npm run test:istio` does, and from then on it runs here too; CI has the time
  ...(runsIstio ? [{ name: "istio", command: [process.execPath, "--import", "tsx", "test/istio/main.ts"], count: fromLastLine }] : []),
  { name: "conformance", command: [process.execPath, "--import", "tsx", "test/conformance/main.ts"], count: fromConformance },
];

function run(suite: Suite): Promise<{ passed: number; failed: number }> {
  const [command = "", ...args] = suite.command;
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], timeout: 1_200_000 });
    let output = "";
    const keep = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("close", (code) => {
      const counted = suite.count(output);
      const total = counted.passed + counted.failed;
      const result = total > 0 ? counted : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
      // a runner that ends badly has failed, whatever it counted
      if (code !== 0 && result.failed === 0) result.failed = 1;
      if (result.failed > 0) console.log(output);
      resolve(result);
    });
  });
}

const chosen = SUITES.filter(({ name }) => process.argv[2] === undefined || name.startsWith(process.argv[2]));
let passed = 0;
let failed = 0;
if (!runsIstio) console.log("istio: not run, since its control plane is not built; `npm run test:istio` builds it");
for (const suite of chosen) {
  const start = Date.now();
  const result = await run(suite);
  passed += result.passed;
  failed += result.failed;
  console.log(`${suite.name}: ${result.passed} passed, ${result.failed} failed (${((Date.now() - start) / 1000).toFixed(0)} s)`);
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
