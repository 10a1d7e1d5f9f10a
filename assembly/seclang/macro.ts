/** Text with `%{variable}` in it: parsed once when rules are compiled, expanded when it is needed. */
import { Arena, make } from "../bytes/arena";
import { indexOf, isTextFold } from "../bytes/span";
import { failAt } from "./errors";
import { Macro } from "./model";
import { nameNumber } from "./names";
import { noteVariable } from "./scalars";
import { isCollection, RULE, TX, variableNamed } from "./variables";

/** Parses text into parts. Null after an error. The text must live as long as the result. */
export function parseMacro(arena: Arena, ptr: usize, len: i32): Macro | null {
  let head: Macro | null = null;
  let last: Macro | null = null;
  let i = 0;
  do {
    const open = findOpen(ptr, len, i);
    let part: Macro | null = null;
    if (open > i || len == 0) {
      part = literal(arena, ptr + i, open - i);
      i = open;
    } else {
      const close = indexOf(ptr, len, 0x7d, open);
      if (close < 0) {
        part = literal(arena, ptr + i, len - i);
        i = len;
      } else {
        part = reference(arena, ptr + open + 2, close - open - 2);
        if (!part) return null;
        i = close + 1;
      }
    }
    if (last) last.next = part;
    else head = part;
    last = part;
  } while (i < len);
  return head;
}

/** Gives the offset of the next `%{` from `i` on, or `len`. */
function findOpen(ptr: usize, len: i32, i: i32): i32 {
  for (; i + 1 < len; i++) if (load<u8>(ptr + i) == 0x25 && load<u8>(ptr + i + 1) == 0x7b) return i;
  return len;
}

/** Makes a part of literal text. The address is never 0, which would mean a variable. */
export function literal(arena: Arena, ptr: usize, len: i32): Macro {
  const part = make<Macro>(arena);
  part.ptr = ptr == 0 ? changetype<usize>(part) : ptr;
  part.len = len;
  return part;
}

function reference(arena: Arena, ptr: usize, len: i32): Macro | null {
  let dot = indexOf(ptr, len, 0x2e);
  if (dot < 0) dot = indexOf(ptr, len, 0x3a);
  const nameLength = dot < 0 ? len : dot;
  const variable = variableNamed(ptr, nameLength);
  const part = make<Macro>(arena);
  part.variable = variable;
  noteVariable(variable);
  part.slot = -1;
  if (variable < 0) {
    failAt("unknown variable", ptr, nameLength, " in %{...}");
    return null;
  }
  if (dot < 0) return part;
  if (!isCollection(variable) && variable != RULE) {
    failAt("variable", ptr, nameLength, " takes no selector in %{...}");
    return null;
  }
  part.selPtr = ptr + dot + 1;
  part.selLen = len - dot - 1;
  if (variable == TX && !isTextFold(part.selPtr, part.selLen, "")) part.slot = nameNumber(part.selPtr, part.selLen);
  return part;
}
