/**
 * Paths for the decision only; the request is never changed.
 *
 * Proxies and applications disagree on which paths are the same: `/admin`, `//admin`, `/x/../admin`, `/%61dmin`,
 * `/admin;a=b`, `/x%2f..%2fadmin`. Whoever compares the path as it came can be walked around; whoever compares only
 * a cleaned path may allow what an application takes for something else. So both forms are judged: a DENY counts if
 * either matches, an ALLOW only if both do. Cleaning can thus deny more than the path as it came, and never less.
 *
 * The canonical form of a path has no query and no fragment, `%XX` only where RFC 3986, 6.2.2, keeps it, in upper
 * case, and is otherwise cleaned as the configuration says. Values of policies are brought to the same form.
 */
import { Arena } from "../bytes/arena";
import { hexByte, hexDigit, isAlnum, isHex, lower } from "../bytes/ascii";

@unmanaged
export class PathOptions {
  /** `/./` and `/../` are resolved (RFC 3986, 5.2.4). */
  dotSegments: bool;
  /** `//` is `/`. */
  mergeSlashes: bool;
  /** `%2F`, `%5C` and `\` are `/`. */
  escapedSlashes: bool;
  /** `%2561` is `%61` is `a`: decoded until nothing changes. */
  doubleEncoding: bool;
  /** `;...` at the end of a segment does not count. */
  parameters: bool;
  /** Case of letters does not count. */
  ignoreCase: bool;

  get any(): bool {
    return this.dotSegments || this.mergeSlashes || this.escapedSlashes || this.doubleEncoding || this.parameters || this.ignoreCase;
  }
}

/** Times that a byte may be encoded: more than anything that decodes twice undoes. */
const MAX_ENCODINGS: i32 = 4;

/** The result of `canonical`. */
export let canonicalPtr: usize = 0;
export let canonicalLen: i32 = 0;

/** True if the path may have another canonical form: most have none, and a look at their bytes tells. */
export function mayChange(ptr: usize, len: i32, options: PathOptions): bool {
  let previous: u8 = 0;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c == 0x25 || c == 0x5c || c == 0x3b) return true;
    if (previous == 0x2f && (c == 0x2f || c == 0x2e)) return true;
    if (options.ignoreCase && lower(c) != c) return true;
    previous = c;
  }
  return false;
}

/**
 * Brings a path without a query to its canonical form, in `arena`; see `canonicalPtr`. A `whole` path starts with
 * `/` and its last segment is complete; of a part, such as the start of a path that ends anywhere, only bytes are
 * decoded.
 */
export function canonical(arena: Arena, ptr: usize, len: i32, options: PathOptions, whole: bool): void {
  const out = arena.reserve(<usize>len + 1);
  let size = decodeBytes(out, ptr, len, options);
  if (options.doubleEncoding) {
    for (let i = 1; i < MAX_ENCODINGS; i++) {
      const again = decodeBytes(out, out, size, options);
      if (again == size) break;
      size = again;
    }
  }
  if (whole) size = cleanSegments(out, size, options);
  canonicalPtr = out;
  canonicalLen = size;
}

/** Bytes that mean the same encoded or not: RFC 3986's unreserved ones. */
function isUnreserved(c: u8): bool {
  return isAlnum(c) || c == 0x2d || c == 0x2e || c == 0x5f || c == 0x7e;
}

/** Decodes into `out`, which may be `ptr`: the result is never longer. Gives its length. */
function decodeBytes(out: usize, ptr: usize, len: i32, options: PathOptions): i32 {
  let to = out;
  let i = 0;
  while (i < len) {
    let c = load<u8>(ptr + i);
    if (c == 0x25 && i + 2 < len && isHex(load<u8>(ptr + i + 1)) && isHex(load<u8>(ptr + i + 2))) {
      const byte = hexByte(ptr + <usize>(i + 1));
      i += 3;
      if (!isDecoded(byte, options)) {
        store<u8>(to, 0x25);
        store<u8>(to, upperDigit(byte >> 4), 1);
        store<u8>(to, upperDigit(byte & 15), 2);
        to += 3;
        continue;
      }
      c = byte;
    } else i++;
    if (c == 0x5c && options.escapedSlashes) c = 0x2f;
    store<u8>(to++, options.ignoreCase ? lower(c) : c);
  }
  return <i32>(to - out);
}

function isDecoded(byte: u8, options: PathOptions): bool {
  if (isUnreserved(byte)) return true;
  if (byte == 0x2f || byte == 0x5c) return options.escapedSlashes;
  if (byte == 0x25) return options.doubleEncoding;
  return byte == 0x3b && options.parameters;
}

function upperDigit(value: u8): u8 {
  const digit = hexDigit(value);
  return digit >= 0x61 ? digit - 0x20 : digit;
}

/** Drops parameters, empty and dot segments of the path at `out`, in place. Gives its new length. */
function cleanSegments(out: usize, len: i32, options: PathOptions): i32 {
  if (len == 0 || load<u8>(out) != 0x2f) return len;
  let to = 0;
  let at = 0;
  while (at < len) {
    // a slash, and the segment after it
    let end = at + 1;
    while (end < len && load<u8>(out + end) != 0x2f) end++;
    const start = at + 1;
    const size = options.parameters ? beforeSemicolon(out + <usize>start, end - start) : end - start;
    const last = end == len;
    at = end;
    if (size == 0 && !last && options.mergeSlashes) continue;
    if (options.dotSegments && isDots(out + <usize>start, size)) {
      if (size == 2) while (to > 0 && load<u8>(out + --to) != 0x2f);
      // "/a/.." is "/", and "/a/." is "/a/"
      if (last) store<u8>(out + to++, 0x2f);
      continue;
    }
    store<u8>(out + to, 0x2f);
    memory.copy(out + <usize>(to + 1), out + <usize>start, <usize>size);
    to += size + 1;
  }
  return to;
}

function beforeSemicolon(ptr: usize, len: i32): i32 {
  for (let i = 0; i < len; i++) if (load<u8>(ptr + i) == 0x3b) return i;
  return len;
}

function isDots(ptr: usize, len: i32): bool {
  if (len == 1) return load<u8>(ptr) == 0x2e;
  return len == 2 && load<u16>(ptr) == 0x2e2e;
}
