/** Regular expressions in linear time: text in, program out. The engines are dfa.ts and pike.ts. */
import { Arena } from "../../bytes/arena";
import { captureCount, parse, parseError, parseErrorAt } from "./parser";
import { compileError, compileTree, Regex } from "./program";

/** What was wrong with the last pattern, empty if nothing. */
export let regexError: string = "";
/** Offset in bytes where that was found. */
export let regexErrorAt: i32 = 0;

/** Compiles the pattern of `len` bytes at `ptr` into `arena`. Null: see `regexError`. */
export function compileRegex(arena: Arena, ptr: usize, len: i32): Regex | null {
  const scratch = Arena.create(0);
  scratch.scrubs = true;
  regexError = "";
  regexErrorAt = 0;
  let regex: Regex | null = null;
  const tree = parse(scratch, ptr, len);
  if (tree) {
    regex = compileTree(arena, tree, captureCount);
    regexError = compileError;
  } else {
    regexError = parseError;
    regexErrorAt = parseErrorAt;
  }
  scratch.destroy();
  return regex;
}
