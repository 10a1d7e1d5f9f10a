/**
 * JSON bodies as arguments: each leaf is one, named by its path, as in `json.user.roles.0`. What was read
 * before an error is kept, so rules can still look at it.
 */
import { Arena } from "../../bytes/arena";
import { writeInt } from "../../bytes/buffer";
import { ItemList } from "../items";
import { J_ARRAY, J_ARRAY_END, J_END, J_ERROR, J_KEY, J_NULL, J_OBJECT, J_OBJECT_END, jsonError, jsonLen, jsonPtr, nextJson, startJson } from "../json";

/** Bytes of a path; a longer one is cut, so paths cost no more than the body's size times a constant. */
const PATH_MAX: i32 = 1024;

/** What was wrong with the last body, empty if nothing. */
export let jsonBodyError: string = "";

/** Adds the leaves of `len` bytes at `ptr` to the list, up to `limit` in the list. */
export function parseJsonBody(arena: Arena, ptr: usize, len: i32, list: ItemList, limit: i32, maxDepth: i32): bool {
  jsonBodyError = "";
  const depthLimit = min(maxDepth, 8192);
  const path = arena.reserve(<usize>PATH_MAX + 32);
  // for each level: length of the path up to it, and the next index if it is an array (-1 for an object)
  const levels = arena.reserve((<usize>depthLimit + 1) << 3);
  store<u32>(path, 0x6e6f736a); // json
  let pathLen = 4;
  let depth = 0;
  startJson(arena, ptr, len, depthLimit);
  while (true) {
    const token = nextJson();
    if (token == J_END) return true;
    if (token == J_ERROR) {
      jsonBodyError = jsonError;
      return false;
    }
    if (token == J_KEY) {
      pathLen = appendName(path, load<i32>(levels + ((<usize>depth) << 3)), jsonPtr, jsonLen);
      continue;
    }
    if (token == J_OBJECT_END || token == J_ARRAY_END) {
      depth--;
      continue;
    }
    if (depth > 0) pathLen = appendIndex(path, levels + ((<usize>depth) << 3), pathLen);
    if (token == J_OBJECT || token == J_ARRAY) {
      depth++;
      store<i32>(levels + ((<usize>depth) << 3), pathLen);
      store<i32>(levels + ((<usize>depth) << 3), token == J_ARRAY ? 0 : -1, 4);
      continue;
    }
    if (list.count >= limit) {
      jsonBodyError = "more arguments than SecArgumentsLimit allows";
      return false;
    }
    list.add(arena, arena.copy(path, pathLen), pathLen, jsonPtr, token == J_NULL ? 0 : jsonLen);
  }
}

function appendName(path: usize, at: i32, ptr: usize, len: i32): i32 {
  if (at >= PATH_MAX) return at;
  store<u8>(path + at, 0x2e);
  const n = min(len, PATH_MAX - at - 1);
  memory.copy(path + at + 1, ptr, <usize>n);
  return at + 1 + n;
}

/** In an array, appends the index of the next element; in an object the key was appended already. */
function appendIndex(path: usize, level: usize, pathLen: i32): i32 {
  const index = load<i32>(level, 4);
  if (index < 0) return pathLen;
  store<i32>(level, index + 1, 4);
  const at = load<i32>(level);
  if (at >= PATH_MAX) return at;
  store<u8>(path + at, 0x2e);
  return at + 1 + writeInt(path + at + 1, index);
}
