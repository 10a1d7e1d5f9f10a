/** Checks of configuration values. What is wrong is said in one line: where, what was found, what was expected. */
import { Buffer } from "../bytes/buffer";
import { J_ARRAY, J_FALSE, J_NUMBER, J_OBJECT, J_STRING, J_TRUE } from "../decode/json";
import { isBoolean, JsonNode } from "./json";

/** The error of the last reading. */
export const configError: Buffer = Buffer.create(256);

function where(node: JsonNode | null): void {
  if (!node || !node.parent) {
    configError.text("pluginConfig");
    return;
  }
  where(node.parent);
  if (node.parent!.kind == J_ARRAY) configError.byte(0x5b).int(node.index).byte(0x5d);
  else configError.byte(0x2e).bytes(node.key, node.keyLen);
}

/** Raises: where, what was found, what was expected. Gives false. */
export function expected(node: JsonNode, what: string): bool {
  configError.clear();
  where(node);
  configError.text(": found ");
  if (node.kind == J_STRING) configError.byte(0x60).bytes(node.ptr, min(node.len, 60)).byte(0x60);
  else if (node.kind == J_NUMBER) configError.bytes(node.ptr, node.len);
  else if (node.kind == J_OBJECT) configError.text("an object");
  else if (node.kind == J_ARRAY) configError.text("a list");
  else configError.text(node.kind == J_TRUE ? "true" : node.kind == J_FALSE ? "false" : "null");
  configError.text(", expected ").text(what);
  return false;
}

export function unknownKey(node: JsonNode, known: string): bool {
  configError.clear();
  where(node);
  configError.text(": unknown key; known here are ").text(known);
  return false;
}

export function isBool(node: JsonNode): bool {
  return isBoolean(node) || expected(node, "true or false");
}

export function isInt(node: JsonNode, low: i64, high: i64): bool {
  return node.isInteger(low, high) || expected(node, "a whole number from " + low.toString() + " to " + high.toString());
}

export function isList(node: JsonNode, what: string): bool {
  if (node.kind != J_ARRAY) return expected(node, "a list of " + what);
  for (let child: JsonNode | null = node.child; child; child = child!.next) if (child.kind != J_STRING) return expected(child, "a text");
  return true;
}

export function isObject(node: JsonNode): bool {
  return node.kind == J_OBJECT || expected(node, "an object");
}
