/** Each overlay, rendered by kustomize, is what Istio's definitions and the filters' schemas allow. */
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { ROOT } from "../../cli/paths.ts";
import { run } from "../../cli/process.ts";
import { ensureGoTool } from "../../cli/setup/gotool.ts";
import { published } from "../schema.ts";
import { istioValidator, type Manifest } from "./crds.ts";

const KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1";
const MANIFESTS = join(ROOT, "manifests");

interface Plugin extends Manifest {
  spec: { pluginName: string; pluginConfig: object; failStrategy: string; type?: string; url: string };
}

describe("overlays", async () => {
  let kustomize = "";
  let validate: (manifest: Manifest) => string[];
  const schemas = { ngfw: published("ngfw").validate, mesh: published("mesh").validate };
  before(async () => {
    kustomize = await ensureGoTool(KUSTOMIZE);
    validate = await istioValidator();
  });

  const build = async (folder: string): Promise<Manifest[]> => {
    const { code, stdout, stderr } = await run(kustomize, ["build", folder]);
    assert.equal(code, 0, stderr);
    return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  };

  for (const name of await readdir(join(MANIFESTS, "overlays"))) {
    test(name, async () => {
      const made = await build(join(MANIFESTS, "overlays", name));
      for (const manifest of made) assert.deepEqual(validate(manifest), [], manifest.metadata.name);
      const [plugin, ...others] = made.filter(({ kind }) => kind === "WasmPlugin") as Plugin[];
      assert.ok(plugin && others.length === 0, "one plugin");
      const { pluginName, pluginConfig, failStrategy, url } = plugin.spec;
      assert.equal(schemas[pluginName === "bailey.ngfw" ? "ngfw" : "mesh"](pluginConfig), true);
      assert.equal(failStrategy, name === "detect-only" ? "FAIL_OPEN" : "FAIL_RELOAD");
      assert.match(url, /^oci:\/\//);
    });
  }

  test("components", async () => {
    for (const name of await readdir(join(MANIFESTS, "components"))) {
      const files = (await readdir(join(MANIFESTS, "components", name))).filter((file) => file !== "kustomization.yaml");
      for (const file of files) {
        const text = await readFile(join(MANIFESTS, "components", name, file), "utf8");
        for (const document of parseAllDocuments(text)) {
          const manifest = document.toJS() as Manifest;
          // the definitions are Istio's; test:istio tries the others
          if (manifest.apiVersion.includes("istio.io")) assert.deepEqual(validate(manifest), [], `${name}/${file}`);
        }
      }
    }
  });

  test("the edge overlay with findings", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bailey-manifests-"));
    try {
      await cp(MANIFESTS, folder, { recursive: true });
      await mkdir(join(folder, "mine"));
      const kustomization = {
        apiVersion: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        namespace: "istio-system",
        resources: ["../overlays/edge"],
        components: ["../components/findings"],
      };
      await writeFile(join(folder, "mine", "kustomization.yaml"), JSON.stringify(kustomization));
      const made = await build(join(folder, "mine"));
      for (const manifest of made) assert.deepEqual(validate(manifest), [], manifest.metadata.name);
      const plugin = made.find(({ kind }) => kind === "WasmPlugin") as Plugin;
      assert.deepEqual(plugin.spec.pluginConfig, { mode: "enforce", paranoiaLevel: 1, findings: { header: "send" } });
      assert.equal(made.filter(({ kind }) => kind === "EnvoyFilter").length, 1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("the validator refuses what is wrong", () => {
    const plugin = { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name: "x" }, spec: { url: "oci://x", phase: "FIRST" } };
    assert.equal(validate(plugin).length, 1);
    assert.equal(validate({ ...plugin, spec: { url: "oci://x", phases: "AUTHN" } }).length, 1);
    assert.equal(validate({ ...plugin, kind: "WasmPlugins" }).length, 1);
  });
});
