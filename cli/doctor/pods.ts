/** The proxies of pods. */
import { askProxy, type Item } from "../cluster/plugins.ts";
import { look, type Proxied } from "./envoy.ts";

/**
 * Gives a function that tells what the proxy of a pod has. It asks each proxy once: several plugins may be in one, and its
 * dump is large. What it gives rejects if the proxy cannot be asked.
 */
export function lookOnce(context: string | undefined): (pod: Item) => Promise<Proxied> {
  const looks = new Map<Item, Promise<Proxied>>();
  return (pod) => {
    const known = looks.get(pod) ?? look((path) => askProxy(pod, path, context));
    looks.set(pod, known);
    return known;
  };
}
