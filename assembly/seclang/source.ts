/**
 * From the text of a rule file to directives.
 *
 * A directive is one logical line: lines that end in a backslash are joined. Its words are separated by
 * blanks; a word in double or single quotes may hold blanks, and the quote itself after a backslash. All
 * other backslashes belong to the word, since regular expressions are full of them.
 *
 * A directive lives until the next one is read. What rules need of it is kept: not comments, and not patterns, whose text
 * nobody needs once they are compiled.
 */
import { Arena } from "../bytes/arena";
import { isSpace } from "../bytes/ascii";
import { fail } from "./errors";

/** Words of a directive, the name included. */
export const MAX_WORDS: i32 = 8;

let arena: Arena = changetype<Arena>(0);
/** The last directive; cleared when it is freed, so that a frozen filter does not carry it. */
const directive: Arena = Arena.create(0);
directive.scrubs = true;
let text: usize = 0;
let length: i32 = 0;
let at: i32 = 0;
let nextLine: i32 = 1;

/** Line on which the last directive starts. */
export let directiveLine: i32 = 0;
/** Number of words of the last directive. */
export let wordCount: i32 = 0;
const words: usize = memory.data(64);

/** Gives the address of a word of the last directive; the name is word 0. */
export function wordPtr(i: i32): usize {
  return load<u32>(words + ((<usize>i) << 3));
}

/** Gives the length of a word in bytes. */
export function wordLen(i: i32): i32 {
  return load<i32>(words + ((<usize>i) << 3), 4);
}

/** Starts reading the file of `len` bytes at `ptr`; words that are kept live in `target`. */
export function startSource(target: Arena, ptr: usize, len: i32): void {
  arena = target;
  text = ptr;
  length = len;
  at = 0;
  nextLine = 1;
}

/** Ends reading: the last directive is gone. */
export function endSource(): void {
  directive.release();
}

/** Keeps the arguments of the last directive, but one, for as long as rules live. */
export function keepWords(except: i32 = 0): void {
  for (let i = 1; i < wordCount; i++) {
    if (i != except) store<u32>(words + ((<usize>i) << 3), <u32>arena.copy(wordPtr(i), wordLen(i)));
  }
}

/** Reads the next directive. False at the end of the file, or after an error. */
export function nextDirective(): bool {
  while (at < length) {
    directive.reset();
    const joined = readLogicalLine();
    if (lineLen == 0 || load<u8>(joined) == 0x23) continue;
    return splitWords(joined, lineLen);
  }
  return false;
}

let lineLen: i32 = 0;

/** Joins continued lines; gives the address of the result, white space at both ends cut, and sets `lineLen`. */
function readLogicalLine(): usize {
  directiveLine = nextLine;
  const start = at;
  // a logical line is never longer than the lines it is made of
  let end = start;
  while (end < length && continues(end)) end = endOfLine(end) + 1;
  end = min(endOfLine(end), length);
  const out = directive.reserve(<usize>(end - start));
  let n = 0;
  while (at < end || (at == end && at < length)) {
    const stop = min(endOfLine(at), length);
    const last = contentEnd(at, stop);
    const more = continues(at);
    const keep = more ? last - 1 : last;
    memory.copy(out + n, text + at, <usize>(keep - at));
    n += keep - at;
    at = stop + 1;
    nextLine++;
    if (!more) break;
  }
  at = min(at, length);
  return trimLine(out, n);
}

function trimLine(out: usize, n: i32): usize {
  let from = 0;
  while (from < n && isSpace(load<u8>(out + from))) from++;
  while (n > from && isSpace(load<u8>(out + n - 1))) n--;
  lineLen = n - from;
  return out + from;
}

function endOfLine(i: i32): i32 {
  while (i < length && load<u8>(text + i) != 0x0a) i++;
  return i;
}

/** Gives where the content of the line that ends at `stop` ends: before a carriage return. */
function contentEnd(start: i32, stop: i32): i32 {
  return stop > start && load<u8>(text + stop - 1) == 0x0d ? stop - 1 : stop;
}

/** True if the line at `i` is continued on the next. A comment is not. */
function continues(i: i32): bool {
  const end = contentEnd(i, endOfLine(i));
  let first = i;
  while (first < end && isSpace(load<u8>(text + first))) first++;
  return end > first && load<u8>(text + first) != 0x23 && load<u8>(text + end - 1) == 0x5c;
}

function addWord(ptr: usize, len: i32): bool {
  if (wordCount == MAX_WORDS) return fail("more than 7 arguments; put arguments with blanks in double quotes");
  store<u32>(words + ((<usize>wordCount) << 3), <u32>ptr);
  store<i32>(words + ((<usize>wordCount) << 3), len, 4);
  wordCount++;
  return true;
}

function splitWords(line: usize, len: i32): bool {
  wordCount = 0;
  let i = 0;
  while (i < len) {
    while (i < len && isSpace(load<u8>(line + i))) i++;
    if (i >= len) break;
    const quote = load<u8>(line + i);
    if (quote == 0x22 || quote == 0x27) {
      i = quotedWord(line, len, i + 1, quote);
      if (i < 0) return fail("missing closing quote");
      continue;
    }
    const start = i;
    while (i < len && !isSpace(load<u8>(line + i))) i++;
    if (!addWord(line + start, i - start)) return false;
  }
  return true;
}

/** Reads the word after an opening quote, in place; gives the offset after its end, or -1. */
function quotedWord(line: usize, len: i32, start: i32, quote: u8): i32 {
  let to = start;
  let i = start;
  while (i < len) {
    const c = load<u8>(line + i);
    if (c == 0x5c && i + 1 < len && load<u8>(line + i + 1) == quote) {
      store<u8>(line + to++, quote);
      i += 2;
    } else if (c == quote) {
      return addWord(line + start, to - start) ? i + 1 : -1;
    } else {
      store<u8>(line + to++, c);
      i++;
    }
  }
  return -1;
}
