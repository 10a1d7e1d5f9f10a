/**
 * Literals of which every match of a pattern contains one, as hashes of trigrams (see ../grams.ts).
 *
 * For each part of the tree this finds either the exact set of texts it matches, while that is small, or
 * trigrams of which one must occur in whatever it matches. A concatenation multiplies exact sets until they
 * are too many, then asks for the rarest trigrams of the best stretch; an alternation needs those of all its
 * branches. The idea is RE2's prefilter (https://github.com/google/re2/blob/main/re2/prefilter.h).
 */
import { Arena, make } from "../../bytes/arena";
import { lower } from "../../bytes/ascii";
import { setHas } from "../byteset";
import { gramHash } from "../grams";
import { bucketOf, marks } from "../signature";
import { ALTERNATE, ASSERT, CAPTURE, CONCAT, EMPTY, Node, SET } from "./ast";

/** Texts of an exact set, and bytes of one text. */
const MAX_TEXTS: i32 = 48;
const MAX_LENGTH: i32 = 12;
/** Bytes, without case, that a class may have to be an exact set. */
const MAX_CLASS: i32 = 4;
/** Trigrams of a pattern; more are not worth asking for. */
const MAX_GRAMS: i32 = 256;

/** A text of an exact set. */
@unmanaged
class Text {
  ptr: usize;
  len: i32;
  next: Text | null;
}

/** Trigrams of which one must occur. */
@unmanaged
class Grams {
  /** u16 each. */
  list: usize;
  count: i32;
  /** How often ordinary text has one of them, in no unit. */
  weight: i32;
}

/** What is known about a part of the tree. */
@unmanaged
class Known {
  exact: bool;
  texts: Text | null;
  count: i32;
  /** Not exact: what must occur, null if nothing is known. */
  grams: Grams | null;
}

let scratch: Arena = changetype<Arena>(0);

/** Number of trigrams that the last `findLiterals` gave. */
export let literalCount: i32 = 0;

/** Gives the address of the trigrams of the tree in `arena`, 0 if there are none. */
export function findLiterals(arena: Arena, root: Node): usize {
  scratch = Arena.create(0);
  scratch.scrubs = true;
  const grams = gramsFor(find(root));
  literalCount = grams ? grams.count : 0;
  const list = grams ? arena.copy(grams.list, grams.count << 1) : 0;
  scratch.destroy();
  return list;
}

function find(node: Node): Known {
  switch (node.kind) {
    case EMPTY:
    case ASSERT:
      return onlyEmpty();
    case SET:
      return fromSet(node.set);
    case CAPTURE:
      return find(node.child!);
    case CONCAT:
      return fromConcat(node);
    case ALTERNATE:
      return fromAlternate(node);
    default:
      return fromRepeat(node);
  }
}

function unknown(grams: Grams | null): Known {
  const known = make<Known>(scratch);
  known.grams = grams;
  return known;
}

function onlyEmpty(): Known {
  const known = make<Known>(scratch);
  known.exact = true;
  add(known, scratch.alloc(1), 0);
  return known;
}

function add(known: Known, ptr: usize, len: i32): void {
  const text = make<Text>(scratch);
  text.ptr = ptr;
  text.len = len;
  text.next = known.texts;
  known.texts = text;
  known.count++;
}

function fromSet(set: usize): Known {
  const known = make<Known>(scratch);
  known.exact = true;
  for (let c = 0; c < 256; c++) {
    if (!setHas(set, <u8>c)) continue;
    const folded = lower(<u8>c);
    // the other case comes, or came, as itself
    if (folded != <u8>c && setHas(set, folded)) continue;
    if (known.count == MAX_CLASS) return unknown(null);
    const ptr = scratch.alloc(1);
    store<u8>(ptr, folded);
    add(known, ptr, 1);
  }
  return known.count == 0 ? unknown(null) : known;
}

/** Gives all texts of `a` followed by all of `b`, or null if they are too many or too long. */
function cross(a: Known, b: Known): Known | null {
  if (a.count * b.count > MAX_TEXTS) return null;
  const known = make<Known>(scratch);
  known.exact = true;
  for (let x: Text | null = a.texts; x; x = x!.next) {
    for (let y: Text | null = b.texts; y; y = y!.next) {
      if (x.len + y.len > MAX_LENGTH) return null;
      const ptr = scratch.reserve(<usize>(x.len + y.len + 1));
      memory.copy(ptr, x.ptr, <usize>x.len);
      memory.copy(ptr + x.len, y.ptr, <usize>y.len);
      add(known, ptr, x.len + y.len);
    }
  }
  return known;
}

function fromConcat(node: Node): Known {
  let stretch = onlyEmpty();
  let best: Grams | null = null;
  let exact = true;
  for (let child: Node | null = node.child; child; child = child!.next) {
    const known = find(child);
    const longer = known.exact ? cross(stretch, known) : null;
    if (longer) {
      stretch = longer;
      continue;
    }
    exact = false;
    best = better(best, gramsFor(stretch));
    if (known.exact) stretch = known;
    else {
      best = better(best, known.grams);
      stretch = onlyEmpty();
    }
  }
  return exact ? stretch : unknown(better(best, gramsFor(stretch)));
}

function fromAlternate(node: Node): Known {
  const all = make<Known>(scratch);
  all.exact = true;
  const grams = make<Grams>(scratch);
  grams.list = scratch.alloc((<usize>MAX_GRAMS) << 1);
  let some = true;
  for (let child: Node | null = node.child; child; child = child!.next) {
    const known = find(child);
    if (!known.exact) all.exact = false;
    if (all.exact) for (let text: Text | null = known.texts; text; text = text!.next) add(all, text.ptr, text.len);
    if (all.count > MAX_TEXTS) all.exact = false;
    some = some && join(grams, gramsFor(known));
    if (!some && !all.exact) return unknown(null);
  }
  return all.exact ? all : unknown(some ? grams : null);
}

function fromRepeat(node: Node): Known {
  const known = find(node.child!);
  if (node.min > 0) return node.max == 1 ? known : unknown(gramsFor(known));
  if (node.max != 1 || !known.exact || known.count >= MAX_TEXTS) return unknown(null);
  const optional = onlyEmpty();
  for (let text: Text | null = known.texts; text; text = text!.next) add(optional, text.ptr, text.len);
  return optional;
}

/** Adds the trigrams of `other`. False if there are none to add, or too many. */
function join(grams: Grams, other: Grams | null): bool {
  if (!other) return false;
  for (let i = 0; i < other.count; i++) {
    if (!put(grams, load<u16>(other.list + ((<usize>i) << 1)))) return false;
  }
  grams.weight += other.weight;
  return true;
}

function put(grams: Grams, hash: u16): bool {
  for (let i = 0; i < grams.count; i++) if (load<u16>(grams.list + ((<usize>i) << 1)) == hash) return true;
  if (grams.count == MAX_GRAMS) return false;
  store<u16>(grams.list + ((<usize>grams.count) << 1), hash);
  grams.count++;
  return true;
}

function better(a: Grams | null, b: Grams | null): Grams | null {
  if (!a) return b;
  if (!b) return a;
  return b.weight < a.weight ? b : a;
}

/** Gives the rarest trigram of each text of an exact set, or what else must occur; null if nothing must. */
function gramsFor(known: Known): Grams | null {
  if (!known.exact) return known.grams;
  const grams = make<Grams>(scratch);
  grams.list = scratch.alloc((<usize>MAX_TEXTS) << 1);
  for (let text: Text | null = known.texts; text; text = text!.next) if (!addRarest(grams, text)) return null;
  return grams;
}

function addRarest(grams: Grams, text: Text): bool {
  let rarest = i32.MAX_VALUE;
  let hash: u32 = 0;
  for (let i = 0; i + 2 < text.len; i++) {
    const a = load<u8>(text.ptr + i);
    const b = load<u8>(text.ptr + i + 1);
    const c = load<u8>(text.ptr + i + 2);
    const weight = frequency(a) * frequency(b) * frequency(c);
    if (weight >= rarest) continue;
    rarest = weight;
    hash = gramHash(a, b, c);
  }
  if (rarest == i32.MAX_VALUE) return false;
  grams.weight += rarest;
  return put(grams, <u16>hash);
}

const FREQUENT: u64 = marks("etaoinsrhldcu 0");

function frequency(c: u8): i32 {
  return (bucketOf(c) & FREQUENT) != 0 ? 4 : 1;
}
