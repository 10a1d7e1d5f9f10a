/**
 * Errors of rules and configuration: one line that names the place, what was found, and what to do. The
 * first error counts; the compiler stops at it.
 */
import { Buffer } from "../bytes/buffer";

export const message: Buffer = Buffer.create(256);
let raised: bool = false;
let file: usize = 0;
let fileLen: i32 = 0;
let line: i32 = 0;
let directive: usize = 0;
let directiveLen: i32 = 0;

export function clearError(): void {
  raised = false;
  message.clear();
}

export function hasError(): bool {
  return raised;
}

/** Says where later errors are. */
export function setPlace(filePtr: usize, len: i32, lineNumber: i32): void {
  file = filePtr;
  fileLen = len;
  line = lineNumber;
  directiveLen = 0;
}

/** Says in which directive later errors are. */
export function setDirective(ptr: usize, len: i32): void {
  directive = ptr;
  directiveLen = len;
}

function open(): bool {
  if (raised) return false;
  raised = true;
  message.clear();
  message.bytes(file, fileLen).byte(0x3a).int(line).text(": ");
  if (directiveLen > 0) message.bytes(directive, directiveLen).text(": ");
  return true;
}

/** Longest piece of the user's text that an error repeats. */
const QUOTE_MAX: i32 = 80;

/** Raises `text`. Gives false, for `return fail(...)`. */
export function fail(text: string): bool {
  if (open()) message.text(text);
  return false;
}

/** Raises `before`, the user's text in backticks, `after`. Gives false. */
export function failAt(before: string, ptr: usize, len: i32, after: string): bool {
  if (!open()) return false;
  message.text(before).text(" `").bytes(ptr, min(len, QUOTE_MAX));
  if (len > QUOTE_MAX) message.text("...");
  message.text("`").text(after);
  return false;
}
