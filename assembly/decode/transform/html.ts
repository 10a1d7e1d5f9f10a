/**
 * `t:htmlEntityDecode`: character references as HTML has them. Numbers become UTF-8. Of the names,
 * those that stand for an ASCII character or the no-break space are known (HTML, section 13.5): no
 * other can spell out markup or script. The closing semicolon may be missing, as browsers allow.
 */
import { hexValue, isAlnum, isDigit, isHex } from "../../bytes/ascii";
import { indexOf } from "../../bytes/span";
import { encode } from "../../bytes/utf8";
import { close, open } from "./output";

/** Pairs of a name and its character. Names are matched as written, then in lower case for HTML 4's five. */
const NAMES: string =
  'quot" QUOT" amp& AMP& lt< LT< gt> GT> apos\' Tab\t NewLine\n excl! num# dollar$ percnt% lpar( rpar) ast* midast* ' +
  "plus+ comma, period. sol/ colon: semi; equals= quest? commat@ lsqb[ lbrack[ bsol\\ rsqb] rbrack] Hat^ lowbar_ " +
  "UnderBar_ grave` DiacriticalGrave` lcub{ lbrace{ verbar| vert| VerticalLine| rcub} rbrace} ";

/** Longest name above. */
const MAX_NAME: i32 = 16;

/** Bytes of the reference that was read last. */
let consumed: i32 = 0;

export function htmlEntityDecode(ptr: usize, len: i32): bool {
  const first = indexOf(ptr, len, 0x26);
  if (first < 0) return false;
  const out = open(len + 4);
  memory.copy(out, ptr, <usize>first);
  let to = out + first;
  let i = first;
  let changed = false;
  while (i < len) {
    const c = load<u8>(ptr + i);
    const code = c == 0x26 ? reference(ptr, len, i + 1) : -1;
    if (code < 0) {
      store<u8>(to++, c);
      i++;
      continue;
    }
    changed = true;
    to += encode(to, <u32>code);
    i += 1 + consumed;
  }
  if (!changed) return false;
  return close(out, to);
}

/** Reads the reference after `&` at `i`: gives its code point and sets `consumed`, or gives -1. */
function reference(ptr: usize, len: i32, i: i32): i32 {
  if (i >= len) return -1;
  const code = load<u8>(ptr + i) == 0x23 ? numeric(ptr, len, i) : name(ptr, len, i);
  if (code >= 0 && i + consumed < len && load<u8>(ptr + i + consumed) == 0x3b) consumed++;
  return code;
}

function numeric(ptr: usize, len: i32, start: i32): i32 {
  let i = start + 1;
  let code: u32 = 0;
  if (i < len && (load<u8>(ptr + i) | 0x20) == 0x78) {
    const from = ++i;
    while (i < len && isHex(load<u8>(ptr + i))) code = min<u32>((code << 4) | hexValue(load<u8>(ptr + i++)), 0xffffff);
    if (i == from) return -1;
  } else {
    const from = i;
    while (i < len && isDigit(load<u8>(ptr + i))) code = min<u32>(code * 10 + (load<u8>(ptr + i++) - 0x30), 0xffffff);
    if (i == from) return -1;
  }
  consumed = i - start;
  return code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0xfffd : <i32>code;
}

function name(ptr: usize, len: i32, start: i32): i32 {
  let n = 0;
  while (n <= MAX_NAME && start + n < len && isAlnum(load<u8>(ptr + start + n))) n++;
  const closed = start + n < len && load<u8>(ptr + start + n) == 0x3b;
  for (let length = n; length >= 2; length--) {
    const code = lookUp(ptr + start, length);
    if (code >= 0) {
      consumed = length;
      return code;
    }
    // only HTML 4's names may go without a semicolon, so only they are tried as a prefix
    if (closed && length == n) continue;
    if (length > 5) length = 5;
  }
  return -1;
}

// Names that begin with the same letter are a chain of entries, filled when first needed. An entry is three numbers of 16
// bits: the number of the next entry, 0 for none, where in NAMES the name starts, and its length.
const NEXT: usize = 0;
const START: usize = 2;
const LENGTH: usize = 4;
const ENTRY: usize = 6;
const entries: usize = memory.data(64 * 6, 2);
/** The number of the first entry by the name's first byte, 0 for none. */
const firsts: usize = memory.data(256);
let nameCount: i32 = 0;

function prepareNames(): void {
  for (let start = 0; start < NAMES.length; start = NAMES.indexOf(" ", start) + 1) {
    nameCount++;
    const entry = entries + <usize>nameCount * ENTRY;
    const first = firsts + <usize>NAMES.charCodeAt(start);
    store<u16>(entry, <u16>load<u8>(first), NEXT);
    store<u16>(entry, <u16>start, START);
    // a name, its character, a space
    store<u16>(entry, <u16>(NAMES.indexOf(" ", start) - start - 1), LENGTH);
    store<u8>(first, <u8>nameCount);
  }
}

function lookUp(ptr: usize, length: i32): i32 {
  if (length == 4 && load<u32>(ptr) == 0x7073626e) return 0xa0; // nbsp
  if (nameCount == 0) prepareNames();
  for (let number = <i32>load<u8>(firsts + <usize>load<u8>(ptr)); number > 0; ) {
    const entry = entries + <usize>number * ENTRY;
    const text = changetype<usize>(NAMES) + ((<usize>load<u16>(entry, START)) << 1);
    if (<i32>load<u16>(entry, LENGTH) == length && isName(text, ptr, length)) return <i32>load<u16>(text + ((<usize>length) << 1));
    number = <i32>load<u16>(entry, NEXT);
  }
  return -1;
}

/** True if `length` bytes are the name at `text` in NAMES, whose characters have two bytes. */
function isName(text: usize, ptr: usize, length: i32): bool {
  for (let k = 0; k < length; k++) if (load<u16>(text + ((<usize>k) << 1)) != <u16>load<u8>(ptr + k)) return false;
  return true;
}
