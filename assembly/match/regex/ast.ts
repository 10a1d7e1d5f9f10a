/** The syntax tree of a regular expression. Nodes live in the scratch arena of one compilation. */
import { Arena, make } from "../../bytes/arena";

/** Matches the empty string. */
export const EMPTY: i32 = 0;
/** Matches one byte of `set`. */
export const SET: i32 = 1;
/** Matches its children one after another. */
export const CONCAT: i32 = 2;
/** Matches one of its children; the first that can, wins. */
export const ALTERNATE: i32 = 3;
/** Matches its child `min` to `max` times. */
export const REPEAT: i32 = 4;
/** Matches its child and records where, as capture `index`. */
export const CAPTURE: i32 = 5;
/** Matches at a position: `index` is one of the assertions below. */
export const ASSERT: i32 = 6;

export const BEGIN_TEXT: i32 = 1;
export const END_TEXT: i32 = 2;
export const BEGIN_LINE: i32 = 4;
export const END_LINE: i32 = 8;
export const WORD_BOUNDARY: i32 = 16;
export const NOT_WORD_BOUNDARY: i32 = 32;

/** `REPEAT.max` of an open repetition. */
export const UNBOUNDED: i32 = -1;

@unmanaged
export class Node {
  kind: i32;
  /** CAPTURE: number of the group. ASSERT: kind of assertion. */
  index: i32;
  /** SET: address of a 256-bit set of bytes, see byteset.ts. */
  set: usize;
  /** First child, or null. */
  child: Node | null;
  /** Last child, for appending. */
  last: Node | null;
  /** Next sibling. */
  next: Node | null;
  /** Previous sibling: the compiler goes from the end to the start. */
  previous: Node | null;
  min: i32;
  /** -1 (`UNBOUNDED`) for no upper limit. */
  max: i32;
  greedy: bool;

  static of(arena: Arena, kind: i32): Node {
    const node = make<Node>(arena);
    node.kind = kind;
    return node;
  }

  append(node: Node): void {
    node.previous = this.last;
    node.next = null;
    const last = this.last;
    if (last) last.next = node;
    else this.child = node;
    this.last = node;
  }
}
