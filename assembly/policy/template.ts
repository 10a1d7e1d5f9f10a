/**
 * Path templates: `{*}` stands for one segment, `{**}`, which comes last, for any number of them. They match as
 * Envoy's URI templates do (envoy.extensions.path.match.uri_template.v3): a variable takes one or more of the
 * characters that RFC 3986 allows in a segment, `{**}` also `/`, and possibly none at all.
 */
import { Arena, make } from "../bytes/arena";
import { isAlnum } from "../bytes/ascii";
import { equal, indexOf, isText } from "../bytes/span";

/** A piece of a template: a literal, or a variable. */
@unmanaged
export class Template {
  kind: i32;
  ptr: usize;
  len: i32;
  next: Template | null;
}

const LITERAL: i32 = 0;
const ONE: i32 = 1;
const ANY: i32 = 2;

/** True if the path has a variable. */
export function isTemplate(ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) {
    if (load<u8>(ptr + i) != 0x7b) continue;
    if (i + 3 <= len && isText(ptr + i, 3, "{*}")) return true;
    if (i + 4 <= len && isText(ptr + i, 4, "{**}")) return true;
  }
  return false;
}

/** What was wrong with the last template. */
export let templateError: string = "";

function fail(reason: string): Template | null {
  templateError = reason;
  return null;
}

/**
 * Reads a template into pieces. Null: see `templateError`. What Istio accepts and Envoy then refuses, such as a
 * template that does not start with `/`, is refused here.
 */
export function parseTemplate(arena: Arena, ptr: usize, len: i32): Template | null {
  if (len == 0 || load<u8>(ptr) != 0x2f) return fail("a path template that starts with `/`");
  const head = piece(arena, LITERAL, ptr, 1);
  let last = head;
  let at = 1;
  while (at < len) {
    const slash = indexOf(ptr, len, 0x2f, at);
    const end = slash < 0 ? len : slash;
    const segment = ptr + <usize>at;
    const size = end - at;
    if (last.kind == ANY) return fail("a path template in which `{**}` comes last");
    let next: Template;
    if (isText(segment, size, "{*}")) next = piece(arena, ONE, 0, 0);
    else if (isText(segment, size, "{**}")) next = piece(arena, ANY, 0, 0);
    else if (isLiteral(segment, size)) next = piece(arena, LITERAL, segment, size);
    else return fail("a path template of `{*}`, a last `{**}`, and segments of characters that RFC 3986 allows");
    last.next = next;
    last = next;
    at = end;
    if (slash < 0) break;
    if (last.kind == ANY) return fail("a path template in which `{**}` comes last");
    last.next = piece(arena, LITERAL, ptr + <usize>at, 1);
    last = last.next!;
    at++;
  }
  return head;
}

function piece(arena: Arena, kind: i32, ptr: usize, len: i32): Template {
  const made = make<Template>(arena);
  made.kind = kind;
  made.ptr = ptr;
  made.len = len;
  return made;
}

function isLiteral(ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) if (!isPathByte(load<u8>(ptr + i))) return false;
  return len > 0;
}

/** Characters of a segment: RFC 3986's unreserved and most of its sub-delims, `%`, `:`, `@`; not `*`. */
function isPathByte(c: u8): bool {
  if (isAlnum(c)) return true;
  switch (c) {
    case 0x21: // !
    case 0x24: // $
    case 0x25: // %
    case 0x26: // &
    case 0x27: // '
    case 0x28: // (
    case 0x29: // )
    case 0x2b: // +
    case 0x2c: // ,
    case 0x2d: // -
    case 0x2e: // .
    case 0x3a: // :
    case 0x3b: // ;
    case 0x3d: // =
    case 0x40: // @
    case 0x5f: // _
    case 0x7e: // ~
      return true;
  }
  return false;
}

/** True if the whole path matches. Linear: a variable ends where its characters end, and nothing is tried twice. */
export function templateMatches(template: Template, ptr: usize, len: i32): bool {
  let at = 0;
  for (let part: Template | null = template; part; part = part!.next) {
    if (part.kind == LITERAL) {
      if (at + part.len > len || !equal(part.ptr, part.len, ptr + <usize>at, part.len)) return false;
      at += part.len;
      continue;
    }
    const start = at;
    while (at < len && (isPathByte(load<u8>(ptr + at)) || (part.kind == ANY && load<u8>(ptr + at) == 0x2f))) at++;
    if (part.kind == ONE && at == start) return false;
  }
  return at == len;
}
