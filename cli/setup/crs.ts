/** OWASP CRS, its set-up files, data files and tests, from the Go module that packages them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureModule } from "./gomodule.ts";

export const CRS_VERSION = "4.25.0";
export const CRS_MODULE = "github.com/corazawaf/coraza-coreruleset/v4";
const SUM = "h1:tqFO1lfVpTiyWtlN618OXpZMfw+nnN0Q4///W5W+/HM=";

export interface Source {
  /** File name in errors and events. */
  name: string;
  text: Buffer;
}

export interface RuleSet {
  setup: Source[];
  core: Source[];
  data: Source[];
}

/** Gives the folder of CRS, fetching it if it is missing. */
export function ensureCrs(): Promise<string> {
  return ensureModule(CRS_MODULE, `v${CRS_VERSION}`, SUM);
}

/** Reads CRS with the recommended settings. */
export async function readCrs(): Promise<RuleSet> {
  const rules = join(await ensureCrs(), "rules");
  const crs = join(rules, "@owasp_crs");
  const names = (await readdir(crs)).sort();
  const read = async (folder: string, name: string): Promise<Source> => ({ name: name.replace("@", ""), text: await readFile(join(folder, name)) });
  return {
    setup: [await read(rules, "@coraza.conf-recommended"), await read(rules, "@crs-setup.conf.example")],
    core: await Promise.all(names.filter((name) => name.endsWith(".conf")).map((name) => read(crs, name))),
    data: await Promise.all(names.filter((name) => name.endsWith(".data")).map((name) => read(crs, name))),
  };
}
