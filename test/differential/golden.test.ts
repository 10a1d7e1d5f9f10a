/** The translation in rbac.ts against the files that Istio's own tests compare its generator with. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { istioModule } from "../istio/istio.ts";
import { type AuthorizationPolicy, rbac } from "./rbac.ts";

/** Trust domains that Istio's tests set; the others have none. */
const TRUST_DOMAINS: { [test: string]: string[] } = {
  "simple-policy-td-aliases": ["td1", "cluster.local"],
  "simple-policy-multiple-td-aliases": ["td1", "cluster.local", "some-td"],
  "simple-policy-principal-with-wildcard": ["td1", "foobar"],
  "td-aliases-source-principal": ["new-td", "old-td", "some-trustdomain"],
};

/** Not compared: external authorizers are Istio's own, and the last is for a version that no test of Istio's has any more. */
const isLeftOut = (name: string): boolean => name.startsWith("custom-") || name.startsWith("extended-") || name === "allow-host-before-111";

interface Output {
  typedConfig: { rules?: { action?: string }; shadowRules?: { action?: string } };
}

const isDryRun = (policy: AuthorizationPolicy): boolean => policy.metadata.annotations?.["istio.io/dry-run"] === "true";

const module = await istioModule();
for (const kind of ["http", "tcp"]) {
  const folder = join(module, "pilot/pkg/security/authz/builder/testdata", kind);
  const files = await readdir(folder);
  for (const input of files.filter((file) => file.endsWith("-in.yaml"))) {
    const name = input.slice(0, -"-in.yaml".length);
    if (isLeftOut(name)) continue;
    test(`${kind}: ${name}`, async () => {
      const policies = parseAllDocuments(await readFile(join(folder, input), "utf8")).flatMap((document) => (document.toJS() as AuthorizationPolicy) ?? []);
      const outputs = files.filter((file) => new RegExp(`^${name}-out\\d?\\.yaml$`).test(file));
      assert.ok(outputs.length > 0);
      for (const file of outputs) {
        const { rules, shadowRules } = (parse(await readFile(join(folder, file), "utf8")) as Output).typedConfig;
        const action = { DENY: "DENY", LOG: "AUDIT" }[rules?.action ?? shadowRules?.action ?? ""] ?? "ALLOW";
        const translate = (dryRun: boolean): object | undefined =>
          rbac(
            policies.filter((policy) => isDryRun(policy) === dryRun),
            action as "ALLOW" | "DENY" | "AUDIT",
            { forTcp: kind === "tcp", trustDomains: TRUST_DOMAINS[name] ?? [""] },
          );
        assert.deepEqual(translate(false), rules);
        assert.deepEqual(translate(true), shadowRules);
      }
    });
  }
}
