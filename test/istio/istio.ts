/** The Istio that tests use: its control plane, its custom resources, and the outputs that its own tests compare with. */
import { ensureModule } from "../../cli/setup/gomodule.ts";

/** Release 1.31. */
export const ISTIO = "v0.0.0-20260827124520-eed52ebb66ad";
const SUM = "h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI=";

/** Gives the folder of Istio's sources. */
export function istioModule(): Promise<string> {
  return ensureModule("istio.io/istio", ISTIO, SUM);
}
