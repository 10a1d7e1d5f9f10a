/** Helpers of the specs: text as bytes and back, in an arena that lives as long as the spec. */
import { Arena } from "../../assembly/bytes/arena";

export const arena: Arena = Arena.create(0);

/** Address of the last `put`. */
export let ptr: usize = 0;
/** Its length in bytes. */
export let len: i32 = 0;

/** Puts text into memory, one byte a character: what specs write as \x80 is a byte. */
export function put(text: string): usize {
  len = text.length;
  ptr = arena.alloc(<usize>len);
  for (let i = 0; i < len; i++) store<u8>(ptr + i, <u8>text.charCodeAt(i));
  return ptr;
}

/** Gives bytes as text, one character a byte. */
export function get(from: usize, length: i32): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(load<u8>(from + i));
  return text;
}
