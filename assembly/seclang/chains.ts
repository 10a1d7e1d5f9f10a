/**
 * Sequences of transformations, each kept once. Rules that share a sequence share its number; a sequence
 * knows the one it extends, so common beginnings are shared too. The registry lives as long as the VM.
 */
import { Arena, make } from "../bytes/arena";
import { prepareTriggers, triggerOf } from "../decode/transform/index";
import { Chain } from "./model";

/** Sequences that can be registered: the width of what is known about a list. */
const MAX_CHAINS: i32 = 512;

let arena: Arena = changetype<Arena>(0);
let first: Chain | null = null;
let count: i32 = 0;

/** Gives the number of sequences registered. */
export function chainCount(): i32 {
  return count;
}

/** Gives the empty sequence. */
export function emptyChain(): Chain {
  if (first) {
    let chain: Chain = first!;
    while (chain.index != 0) chain = chain.next!;
    return chain;
  }
  arena = Arena.create(0);
  return register(null, 0);
}

/** Gives the sequence that appends `transformation` to `parent`. Null if there are too many. */
export function extendChain(parent: Chain, transformation: i32): Chain | null {
  for (let chain: Chain | null = first; chain; chain = chain!.next) {
    if (chain.parent == parent && chain.transformation == transformation) return chain;
  }
  if (count >= MAX_CHAINS) return null;
  return register(parent, transformation);
}

function register(parent: Chain | null, transformation: i32): Chain {
  const chain = make<Chain>(arena);
  chain.parent = parent;
  chain.transformation = transformation;
  chain.index = count++;
  prepareTriggers();
  chain.triggers = parent ? parent.triggers | triggerOf(transformation) : 0;
  chain.next = first;
  first = chain;
  return chain;
}
