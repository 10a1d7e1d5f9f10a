/**
 * `multipart/form-data` (RFC 7578, RFC 2046): fields become arguments, files their names and sizes.
 *
 * Attackers use what parsers disagree about, so whatever is not as the RFCs say raises a flag that rules
 * can look at (`MULTIPART_STRICT_ERROR` is the sum of them), and where two readings are possible both are
 * shown to the rules.
 */
import { Arena } from "../../bytes/arena";
import { hexByte, isAlnum, isHex, isSpace } from "../../bytes/ascii";
import { writeInt } from "../../bytes/buffer";
import { equal, indexOf, isTextFold, startsWithTextFold } from "../../bytes/span";
import { ItemList } from "../items";
import { Gap } from "./multiparttrim";

/** Longest boundary (RFC 2046, section 5.1.1). */
const BOUNDARY_MAX: i32 = 70;

/** Header lines of one part. */
const MAX_PART_HEADERS: i32 = 64;

// Flags of the last body.
export let boundaryQuoted: bool = false;
export let boundaryWhitespace: bool = false;
export let crlfLfLines: bool = false;
export let dataAfter: bool = false;
export let dataBefore: bool = false;
export let headerFolding: bool = false;
export let invalidHeaderFolding: bool = false;
export let invalidPart: bool = false;
export let invalidQuoting: bool = false;
export let lfLine: bool = false;
export let missingSemicolon: bool = false;
export let unmatchedBoundary: bool = false;
export let fileLimitExceeded: bool = false;
/** What made the last body unreadable, empty if nothing. */
export let multipartError: string = "";
/** The boundary of the last body. */
export let boundaryPtr: usize = 0;
export let boundaryLen: i32 = 0;
/** Bytes of all files of the last body. */
export let filesSize: i32 = 0;

/** Where the parts of a body go. */
@unmanaged
export class MultipartLists {
  args: ItemList;
  files: ItemList;
  filesNames: ItemList;
  filesSizes: ItemList;
  filenames: ItemList;
  names: ItemList;
  partHeaders: ItemList;
  content: ItemList;
  /** Arguments and files allowed. */
  limit: i32;
  /** Bytes that were left out of files, see multiparttrim.ts. */
  gaps: Gap | null;
}

let arena: Arena = changetype<Arena>(0);
let text: usize = 0;
let length: i32 = 0;
let lists: MultipartLists = changetype<MultipartLists>(0);

/** True if any flag is raised that `MULTIPART_STRICT_ERROR` sums up. */
export function strictError(): bool {
  return (
    boundaryQuoted ||
    boundaryWhitespace ||
    dataAfter ||
    dataBefore ||
    headerFolding ||
    invalidHeaderFolding ||
    invalidPart ||
    invalidQuoting ||
    lfLine ||
    missingSemicolon ||
    unmatchedBoundary ||
    fileLimitExceeded ||
    multipartError != ""
  );
}

/** Clears what the last body left. */
export function resetMultipart(): void {
  boundaryQuoted = false;
  boundaryWhitespace = false;
  crlfLfLines = false;
  dataAfter = false;
  dataBefore = false;
  headerFolding = false;
  invalidHeaderFolding = false;
  invalidPart = false;
  invalidQuoting = false;
  lfLine = false;
  missingSemicolon = false;
  unmatchedBoundary = false;
  fileLimitExceeded = false;
  multipartError = "";
  filesSize = 0;
  boundaryLen = 0;
}

/** Reads the body of `len` bytes at `ptr` with the Content-Type of `typeLen` bytes at `type`. */
export function parseMultipart(target: Arena, ptr: usize, len: i32, type: usize, typeLen: i32, into: MultipartLists): bool {
  arena = target;
  text = ptr;
  length = len;
  lists = into;
  resetMultipart();
  if (!findBoundary(type, typeLen)) return false;
  let at = nextDelimiter(0);
  if (at < 0) {
    if (len > 0) multipartError = "boundary that does not occur in the body";
    return multipartError == "";
  }
  if (at > 0) dataBefore = true;
  while (!delimiterIsLast) {
    const from = delimiterEnd;
    at = nextDelimiter(from);
    if (at < 0) {
      // cut short: what is there is still looked at
      multipartError = "last boundary is missing";
      part(from, length);
      return false;
    }
    part(from, contentEnd(from, at));
    if (multipartError != "") return false;
  }
  if (hasDataFrom(delimiterEnd)) dataAfter = true;
  return true;
}

function hasDataFrom(i: i32): bool {
  for (; i < length; i++) if (!isSpace(load<u8>(text + i))) return true;
  return false;
}

/** Gives the end of a part's content: before the line break that belongs to the delimiter at `at`. */
function contentEnd(from: i32, at: i32): i32 {
  let end = at;
  if (end > from && load<u8>(text + end - 1) == 0x0a) {
    end--;
    if (end > from && load<u8>(text + end - 1) == 0x0d) end--;
    else lfLine = true;
  }
  return max(end, from);
}

/** Finds the boundary parameter (RFC 2046, section 5.1.1). False if there is none that is well formed. */
export function findBoundary(type: usize, len: i32): bool {
  let i = indexOf(type, len, 0x3b);
  if (i < 0) {
    // PHP takes a comma or nothing before the parameter
    missingSemicolon = true;
    i = 0;
  }
  let found = false;
  for (; i + 8 < len; i++) {
    // the name of a parameter, not a part of a value
    const before = i > 0 ? load<u8>(type + i - 1) : 0x3b;
    if (before != 0x3b && before != 0x2c && !isSpace(before)) continue;
    if (!startsWithTextFold(type + i, len - i, "boundary")) continue;
    if (found) {
      multipartError = "more than one boundary in the content type";
      return false;
    }
    found = true;
    if (!readBoundary(type, len, i + 8)) return false;
    i += 8;
  }
  if (!found) multipartError = "no boundary in the content type";
  return found;
}

function readBoundary(type: usize, len: i32, at: i32): bool {
  let i = at;
  while (i < len && isSpace(load<u8>(type + i))) i++;
  if (i >= len || load<u8>(type + i) != 0x3d) {
    multipartError = "boundary without a value in the content type";
    return false;
  }
  if (i > at) boundaryWhitespace = true;
  i++;
  const space = i;
  while (i < len && isSpace(load<u8>(type + i))) i++;
  if (i > space) boundaryWhitespace = true;
  let end: i32;
  if (i < len && load<u8>(type + i) == 0x22) {
    boundaryQuoted = true;
    i++;
    end = indexOf(type, len, 0x22, i);
    if (end < 0) {
      multipartError = "boundary whose quote is not closed in the content type";
      return false;
    }
  } else {
    end = i;
    while (end < len && load<u8>(type + end) != 0x3b && load<u8>(type + end) != 0x2c && !isSpace(load<u8>(type + end))) end++;
  }
  boundaryPtr = type + i;
  boundaryLen = end - i;
  if (boundaryLen == 0 || boundaryLen > BOUNDARY_MAX || !isBoundaryText()) {
    multipartError = "boundary that is empty, too long or has characters that none may have";
    return false;
  }
  // quoting is only wrong where nothing needs it
  if (boundaryQuoted && needsQuotes()) boundaryQuoted = false;
  return true;
}

function isBoundaryText(): bool {
  for (let i = 0; i < boundaryLen; i++) {
    const c = load<u8>(boundaryPtr + i);
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

function needsQuotes(): bool {
  for (let i = 0; i < boundaryLen; i++) {
    const c = load<u8>(boundaryPtr + i);
    if (!isAlnum(c) && c != 0x2d && c != 0x5f && c != 0x2e && c != 0x27 && c != 0x2b) return true;
  }
  return false;
}

/** Offset after the line of the last delimiter, and whether it was the closing one. */
let delimiterEnd: i32 = 0;
export let delimiterIsLast: bool = false;

/** True if the line at `i` of a text, which starts like a delimiter, is one; sets `delimiterIsLast`. After `findBoundary`. */
export function isDelimiter(ptr: usize, len: i32, i: i32): bool {
  text = ptr;
  length = len;
  return endsDelimiter(i + 2 + boundaryLen);
}

/** True if the headers from `from` to the end of a text are those of a file. */
export function describesFile(target: Arena, ptr: usize, len: i32, from: i32): bool {
  arena = target;
  text = ptr;
  length = len;
  clearPart();
  headers(from, len);
  return multipartError == "" && (fileLen >= 0 || altLen >= 0);
}

/** Finds the next line that starts with `--boundary`, from `from` on; gives its offset, or -1. */
function nextDelimiter(from: i32): i32 {
  let i = from;
  while (i < length) {
    const atLine = i == 0 || load<u8>(text + i - 1) == 0x0a;
    if (atLine && startsDelimiter(i)) {
      if (endsDelimiter(i + 2 + boundaryLen)) return i;
      // starts like the boundary and goes on: a sign of a second reading
      unmatchedBoundary = true;
    }
    const next = indexOf(text, length, 0x0a, i);
    if (next < 0) return -1;
    i = next + 1;
  }
  return -1;
}

function startsDelimiter(i: i32): bool {
  if (i + 2 + boundaryLen > length || load<u8>(text + i) != 0x2d || load<u8>(text + i + 1) != 0x2d) return false;
  return equal(text + i + 2, boundaryLen, boundaryPtr, boundaryLen);
}

/** Reads what may follow the boundary on its line: nothing, or `--` on the closing one, and blanks. */
function endsDelimiter(i: i32): bool {
  delimiterIsLast = i + 1 < length && load<u8>(text + i) == 0x2d && load<u8>(text + i + 1) == 0x2d;
  if (delimiterIsLast) i += 2;
  while (i < length && (load<u8>(text + i) == 0x20 || load<u8>(text + i) == 0x09)) i++;
  if (i >= length) {
    delimiterEnd = length;
    return delimiterIsLast;
  }
  if (load<u8>(text + i) == 0x0a) {
    lfLine = true;
    delimiterEnd = i + 1;
    return true;
  }
  if (load<u8>(text + i) == 0x0d && i + 1 < length && load<u8>(text + i + 1) == 0x0a) {
    delimiterEnd = i + 2;
    return true;
  }
  if (!delimiterIsLast) return false;
  delimiterEnd = i;
  return true;
}

// The part being read.
let namePtr: usize = 0;
let nameLen: i32 = -1;
let filePtr: usize = 0;
let fileLen: i32 = -1;
let altPtr: usize = 0;
let altLen: i32 = -1;

function clearPart(): void {
  namePtr = 0;
  nameLen = -1;
  fileLen = -1;
  altLen = -1;
}

/** Reads the part whose headers start at `from` and whose content ends at `end`. */
function part(from: i32, end: i32): void {
  clearPart();
  const body = headers(from, end);
  if (nameLen < 0) {
    invalidPart = true;
    nameLen = 0;
    namePtr = text;
  }
  addPartHeaders(from, body);
  const size = max(0, end - body);
  if (lists.args.count + lists.files.count >= lists.limit) {
    multipartError = "more parts than SecArgumentsLimit allows";
    return;
  }
  lists.names.add(arena, namePtr, nameLen, namePtr, nameLen);
  if (fileLen < 0 && altLen < 0) {
    lists.args.add(arena, namePtr, nameLen, text + min(body, end), size);
    return;
  }
  file(text + min(body, end), size, size + missingAt(body));
}

/** Gives the bytes that were left out of the content at `body`. */
function missingAt(body: i32): i32 {
  let gap = lists.gaps;
  // a file without content ends before the line break that ends its headers, so its gap is behind it, and empty
  while (gap && gap.at < body) gap = gap.next;
  lists.gaps = gap;
  return gap && gap.at == body ? gap.missing : 0;
}

/** Adds a file of `size` bytes, of which there are `len` at `content`. */
function file(content: usize, len: i32, size: i32): void {
  if (fileLen < 0) {
    filePtr = altPtr;
    fileLen = altLen;
    altLen = -1;
  }
  addFile(filePtr, fileLen);
  if (altLen >= 0 && !equal(filePtr, fileLen, altPtr, altLen)) addFile(altPtr, altLen);
  lists.filesNames.add(arena, namePtr, nameLen, namePtr, nameLen);
  const digits = arena.reserve(20);
  lists.filesSizes.add(arena, namePtr, nameLen, digits, writeInt(digits, size));
  lists.content.add(arena, namePtr, nameLen, content, len);
  filesSize += size;
}

function addFile(ptr: usize, len: i32): void {
  lists.files.add(arena, namePtr, nameLen, ptr, len);
  lists.filenames.add(arena, namePtr, nameLen, ptr, len);
}

/** Gives the end of the line at `i`, before its line break, and sets `lineNext`. */
let lineNext: i32 = 0;
function lineEnd(i: i32, end: i32): i32 {
  const feed = indexOf(text, end, 0x0a, i);
  if (feed < 0) {
    lineNext = end;
    return end;
  }
  lineNext = feed + 1;
  if (feed > i && load<u8>(text + feed - 1) == 0x0d) return feed - 1;
  lfLine = true;
  return feed;
}

/** Reads the headers of a part; gives the offset of its content. */
function headers(from: i32, end: i32): i32 {
  let i = from;
  let dispositions = 0;
  for (let n = 0; i < end; n++) {
    const stop = lineEnd(i, end);
    if (stop == i) return lineNext;
    if (n == MAX_PART_HEADERS) {
      multipartError = "more than 64 headers in one part";
      return end;
    }
    const first = load<u8>(text + i);
    if (first == 0x20 || first == 0x09) headerFolding = true;
    const colon = indexOf(text, stop, 0x3a, i);
    if (colon < 0) {
      if (first == 0x20 || first == 0x09) invalidHeaderFolding = true;
      else invalidPart = true;
    } else if (isTextFold(text + i, trimmedEnd(i, colon) - i, "content-disposition")) {
      if (++dispositions > 1) invalidPart = true;
      disposition(text + colon + 1, stop - colon - 1);
    }
    i = lineNext;
  }
  return end;
}

function trimmedEnd(from: i32, to: i32): i32 {
  while (to > from && isSpace(load<u8>(text + to - 1))) to--;
  return to;
}

/** Adds each header line of the part, as `Name: value`, under the name of the part. */
function addPartHeaders(from: i32, end: i32): void {
  let i = from;
  while (i < end) {
    const wasLf = lfLine;
    const stop = lineEnd(i, end);
    lfLine = wasLf;
    if (stop == i) return;
    lists.partHeaders.add(arena, namePtr, nameLen, text + i, stop - i);
    i = lineNext;
  }
}

let valuePtr: usize = 0;
let valueLen: i32 = 0;

/** Reads `form-data; name="..."; filename="..."; filename*=UTF-8''...` (RFC 6266, RFC 8187). */
function disposition(ptr: usize, len: i32): void {
  let i = 0;
  while (i < len && isSpace(load<u8>(ptr + i))) i++;
  if (!startsWithTextFold(ptr + i, len - i, "form-data")) invalidPart = true;
  i = indexOf(ptr, len, 0x3b, i);
  while (i >= 0 && i < len) {
    i++;
    while (i < len && isSpace(load<u8>(ptr + i))) i++;
    if (i >= len) return;
    const start = i;
    while (i < len && load<u8>(ptr + i) != 0x3d && load<u8>(ptr + i) != 0x3b) i++;
    if (i >= len || load<u8>(ptr + i) == 0x3b) {
      invalidPart = true;
      continue;
    }
    let nameEnd = i;
    while (nameEnd > start && isSpace(load<u8>(ptr + nameEnd - 1))) nameEnd--;
    i = parameterValue(ptr, len, i + 1);
    parameter(ptr + start, nameEnd - start);
    while (i < len && isSpace(load<u8>(ptr + i))) i++;
    if (i < len && load<u8>(ptr + i) != 0x3b) {
      missingSemicolon = true;
      i = indexOf(ptr, len, 0x3b, i);
    }
  }
}

/** Reads a token or a quoted string; gives the offset after it. */
function parameterValue(ptr: usize, len: i32, i: i32): i32 {
  while (i < len && isSpace(load<u8>(ptr + i))) i++;
  const quote: u8 = i < len ? load<u8>(ptr + i) : 0;
  if (quote != 0x22) {
    const start = i;
    while (i < len && load<u8>(ptr + i) != 0x3b && !isSpace(load<u8>(ptr + i))) i++;
    valuePtr = ptr + start;
    valueLen = i - start;
    if (quote == 0x27) invalidQuoting = true;
    return i;
  }
  const out = arena.reserve(<usize>(len - i));
  let n = 0;
  i++;
  while (i < len && load<u8>(ptr + i) != 0x22) {
    // only quotes and backslashes are escaped; in a Windows path a backslash is itself
    const next = i + 1 < len ? load<u8>(ptr + i + 1) : 0;
    if (load<u8>(ptr + i) == 0x5c && (next == 0x22 || next == 0x5c)) i++;
    store<u8>(out + n++, load<u8>(ptr + i));
    i++;
  }
  if (i >= len) invalidQuoting = true;
  arena.trim(out + n);
  valuePtr = out;
  valueLen = n;
  return i + 1;
}

function parameter(name: usize, len: i32): void {
  if (isTextFold(name, len, "name")) {
    if (nameLen >= 0) invalidPart = true;
    namePtr = valuePtr;
    nameLen = valueLen;
  } else if (isTextFold(name, len, "filename")) {
    if (fileLen >= 0) {
      invalidPart = true;
      altPtr = filePtr;
      altLen = fileLen;
    }
    filePtr = valuePtr;
    fileLen = valueLen;
  } else if (isTextFold(name, len, "filename*")) extendedName();
  else if (startsWithTextFold(name, len, "filename*") || startsWithTextFold(name, len, "name*")) invalidPart = true;
}

/** Reads `charset'language'percent-encoded`; the plain form, where there is one, stays visible too. */
function extendedName(): void {
  const first = indexOf(valuePtr, valueLen, 0x27);
  const second = first < 0 ? -1 : indexOf(valuePtr, valueLen, 0x27, first + 1);
  if (second < 0) {
    invalidPart = true;
    return;
  }
  const from = valuePtr + second + 1;
  const len = valueLen - second - 1;
  const out = arena.reserve(<usize>len);
  let n = 0;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(from + i);
    if (c == 0x25 && i + 2 < len && isHex(load<u8>(from + i + 1)) && isHex(load<u8>(from + i + 2))) {
      store<u8>(out + n++, hexByte(from + i + 1));
      i += 2;
    } else {
      if (c == 0x25) invalidPart = true;
      store<u8>(out + n++, c);
    }
  }
  arena.trim(out + n);
  altPtr = out;
  altLen = n;
}
