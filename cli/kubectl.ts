/** kubectl, with the user's kubeconfig. */
import { UserError } from "./errors.ts";
import { lastLine, run } from "./process.ts";

export interface KubectlOptions {
  /** Context of the kubeconfig; its current one where nothing is said. */
  context?: string | undefined;
  /** What a user without kubectl can do, as in `install it, or give files`. */
  without?: string;
  /** The greatest exit code that is no failure; 0 where nothing is said. */
  fine?: number;
}

/** Runs kubectl. Throws one line if it is missing or fails. */
export async function kubectl(args: string[], { context, without, fine = 0 }: KubectlOptions): Promise<{ code: number; stdout: string }> {
  const all = [...(context === undefined ? [] : ["--context", context]), ...args];
  const result = await run("kubectl", all);
  if (result.code === 127) throw new UserError(`kubectl is not installed${without === undefined ? "" : `; ${without}`}`);
  if (result.code > fine) throw new UserError(`kubectl ${all.join(" ")} failed: ${lastLine(result)}`);
  return result;
}
