/** Configuration as a tree: JSON values with their place, read with the same tokenizer as bodies. */
import { Arena, make } from "../bytes/arena";
import { isText, isUnsigned, parsedInt } from "../bytes/span";
import {
  J_ARRAY,
  J_ARRAY_END,
  J_END,
  J_ERROR,
  J_FALSE,
  J_KEY,
  J_NUMBER,
  J_OBJECT,
  J_OBJECT_END,
  J_STRING,
  J_TRUE,
  jsonLen,
  jsonPtr,
  nextJson,
  startJson,
} from "../decode/json";

@unmanaged
export class JsonNode {
  /** J_OBJECT, J_ARRAY, or a scalar kind of decode/json.ts. */
  kind: i32;
  /** Key in the parent object. */
  key: usize;
  keyLen: i32;
  /** Text of a string or number. */
  ptr: usize;
  len: i32;
  parent: JsonNode | null;
  child: JsonNode | null;
  last: JsonNode | null;
  next: JsonNode | null;
  /** Number of children. */
  count: i32;
  /** Position in the parent array. */
  index: i32;

  is(literal: string): bool {
    return this.kind == J_STRING && isText(this.ptr, this.len, literal);
  }

  keyIs(literal: string): bool {
    return isText(this.key, this.keyLen, literal);
  }

  /** Gives the child of that key, or null. */
  get(literal: string): JsonNode | null {
    for (let child: JsonNode | null = this.child; child; child = child!.next) if (child.keyIs(literal)) return child;
    return null;
  }

  isInteger(low: i64, high: i64): bool {
    if (this.kind != J_NUMBER || !isUnsigned(this.ptr, this.len)) return false;
    return parsedInt >= low && parsedInt <= high;
  }
}

/** Levels of a configuration. */
const MAX_CONFIG_DEPTH: i32 = 32;

/** Reads a document into `arena`. Null: see `jsonError` and `jsonAt`. The text must live as long as the arena. */
export function parseTree(arena: Arena, ptr: usize, len: i32): JsonNode | null {
  startJson(arena, ptr, len, MAX_CONFIG_DEPTH);
  let root: JsonNode | null = null;
  let current: JsonNode | null = null;
  let key: usize = 0;
  let keyLen = 0;
  while (true) {
    const token = nextJson();
    if (token == J_END) return root;
    if (token == J_ERROR) return null;
    if (token == J_KEY) {
      key = jsonPtr;
      keyLen = jsonLen;
      continue;
    }
    if (token == J_OBJECT_END || token == J_ARRAY_END) {
      current = current!.parent;
      continue;
    }
    const node = make<JsonNode>(arena);
    node.kind = token;
    node.parent = current;
    if (token == J_STRING || token == J_NUMBER) {
      node.ptr = jsonPtr;
      node.len = jsonLen;
    }
    if (current) append(current, node, key, keyLen);
    else root = node;
    if (token == J_OBJECT || token == J_ARRAY) current = node;
  }
}

function append(parent: JsonNode, node: JsonNode, key: usize, keyLen: i32): void {
  if (parent.kind == J_OBJECT) {
    node.key = key;
    node.keyLen = keyLen;
  }
  node.index = parent.count++;
  const last = parent.last;
  if (last) last.next = node;
  else parent.child = node;
  parent.last = node;
}

export function isBoolean(node: JsonNode): bool {
  return node.kind == J_TRUE || node.kind == J_FALSE;
}
