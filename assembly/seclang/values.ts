/**
 * Transformed values. Each (value, sequence of transformations) is computed at most once a request and
 * kept with the item; a transformation that changes nothing keeps nothing.
 */
import { Arena } from "../bytes/arena";
import { Item } from "../decode/items";
import { transform } from "../decode/transform/index";
import { outputTo, resultLen, resultPtr } from "../decode/transform/output";
import { chainCount } from "./chains";
import { Chain } from "./model";

/** Gives the address of a `Span`: the item's value, or with `name` its name, after the sequence. */
export function valueOf(arena: Arena, item: Item, name: bool, chain: Chain): usize {
  const raw = changetype<usize>(item) + (name ? offsetof<Item>("name") : offsetof<Item>("ptr"));
  const parent = chain.parent;
  if (!parent) return raw;
  const at = changetype<usize>(item) + (name ? offsetof<Item>("nameCache") : offsetof<Item>("cache"));
  let cache = load<usize>(at);
  if (cache == 0) {
    cache = arena.alloc((<usize>chainCount()) << 2);
    store<usize>(at, cache);
  }
  const slot = cache + ((<usize>chain.index) << 2);
  const known = <usize>load<u32>(slot);
  if (known != 0) return known;
  const computed = compute(arena, valueOf(arena, item, name, parent), chain.transformation);
  store<u32>(slot, <u32>computed);
  return computed;
}

/** Applies one transformation to the `Span` at `from`; gives the address of the result's, `from` if unchanged. */
function compute(arena: Arena, from: usize, transformation: i32): usize {
  outputTo(arena);
  if (!transform(transformation, load<usize>(from), load<i32>(from, 4))) return from;
  const ptr = resultPtr;
  const len = resultLen;
  const span = arena.reserve(8);
  store<usize>(span, ptr);
  store<i32>(span, len, 4);
  return span;
}
