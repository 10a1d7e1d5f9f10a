/** Where things are: in the repository, and in the cache that set-up fills. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository or of the installed package. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What set-up brings: Envoy, CRS, a Go toolchain. `BAILEY_CACHE` moves it. */
export const CACHE = process.env.BAILEY_CACHE ?? join(ROOT, ".cache");

export const BUILD = join(ROOT, "build");
export const BASE_WASM = join(BUILD, "ngfw.base.wasm");
export const NGFW_WASM = join(BUILD, "ngfw.wasm");
export const MESH_WASM = join(BUILD, "mesh.wasm");
export const MESH_TCP_WASM = join(BUILD, "mesh-tcp.wasm");
