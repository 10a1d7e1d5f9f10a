/** The transformations of SecLang by name, and the one place that runs them. */
import { writeInt } from "../../bytes/buffer";
import { isTextFold, wordIndex } from "../../bytes/span";
import { BLANKS, CONTROL, HIGH, marks, UPPER } from "../../match/signature";
import { base64Decode, base64DecodeExt, base64Encode } from "./base64";
import { lowercase, uppercase } from "./case";
import { cmdLine } from "./commandline";
import { removeComments, removeCommentsChar, replaceComments } from "./comments";
import { md5, sha1 } from "./digest";
import { cssDecode, escapeSeqDecode, jsDecode } from "./escape";
import { hexDecode, hexEncode, sqlHexDecode } from "./hex";
import { htmlEntityDecode } from "./html";
import { removeNulls, replaceNulls } from "./nulls";
import { close, open } from "./output";
import { parityEven7bit, parityOdd7bit, parityZero7bit } from "./parity";
import { normalizePath, normalizePathWin } from "./path";
import { utf8toUnicode } from "./unicode";
import { urlDecode, urlDecodeUni, urlEncode } from "./url";
import { compressWhitespace, removeWhitespace, trim, trimLeft, trimRight } from "./whitespace";

/** Names in the order of their numbers, `none` being 0; the two spellings of the path ones come last. */
const NAMES: string =
  "none base64decode base64decodeext base64encode cmdline compresswhitespace cssdecode escapeseqdecode hexdecode " +
  "hexencode htmlentitydecode jsdecode length lowercase md5 normalizepath normalizepathwin parityeven7bit parityodd7bit " +
  "parityzero7bit removecomments removecommentschar removenulls removewhitespace replacecomments replacenulls sha1 " +
  "sqlhexdecode trim trimleft trimright uppercase urldecode urldecodeuni urlencode utf8tounicode ";

/** Gives the number of the transformation of that name, in any case, or -1. */
export function transformationNamed(ptr: usize, len: i32): i32 {
  if (isTextFold(ptr, len, "normalisepath")) return 15;
  if (isTextFold(ptr, len, "normalisepathwin")) return 16;
  return wordIndex(NAMES, ptr, len);
}

/** Runs a transformation, see output.ts. */
export function transform(number: i32, ptr: usize, len: i32): bool {
  switch (number) {
    case 1:
      return base64Decode(ptr, len);
    case 2:
      return base64DecodeExt(ptr, len);
    case 3:
      return base64Encode(ptr, len);
    case 4:
      return cmdLine(ptr, len);
    case 5:
      return compressWhitespace(ptr, len);
    case 6:
      return cssDecode(ptr, len);
    case 7:
      return escapeSeqDecode(ptr, len);
    case 8:
      return hexDecode(ptr, len);
    case 9:
      return hexEncode(ptr, len);
    case 10:
      return htmlEntityDecode(ptr, len);
    case 11:
      return jsDecode(ptr, len);
    case 12:
      return length(len);
    case 13:
      return lowercase(ptr, len);
    case 14:
      return md5(ptr, len);
    case 15:
      return normalizePath(ptr, len);
    case 16:
      return normalizePathWin(ptr, len);
    case 17:
      return parityEven7bit(ptr, len);
    case 18:
      return parityOdd7bit(ptr, len);
    case 19:
      return parityZero7bit(ptr, len);
    case 20:
      return removeComments(ptr, len);
    case 21:
      return removeCommentsChar(ptr, len);
    case 22:
      return removeNulls(ptr, len);
    case 23:
      return removeWhitespace(ptr, len);
    case 24:
      return replaceComments(ptr, len);
    case 25:
      return replaceNulls(ptr, len);
    case 26:
      return sha1(ptr, len);
    case 27:
      return sqlHexDecode(ptr, len);
    case 28:
      return trim(ptr, len);
    case 29:
      return trimLeft(ptr, len);
    case 30:
      return trimRight(ptr, len);
    case 31:
      return uppercase(ptr, len);
    case 32:
      return urlDecode(ptr, len);
    case 33:
      return urlDecodeUni(ptr, len);
    case 34:
      return urlEncode(ptr, len);
    case 35:
      return utf8toUnicode(ptr, len);
    default:
      return false;
  }
}

/** `t:length`: the number of bytes, in decimal. */
function length(len: i32): bool {
  const out = open(20);
  return close(out, out + writeInt(out, len));
}

/** Bits that a value must have for a transformation to change it, by its number: 36 times 8 bytes. */
const triggers: usize = memory.data(288, 8);
let triggersReady: bool = false;
const ALWAYS: u64 = ~(<u64>0);

function trigger(number: i32, bits: u64): void {
  store<u64>(triggers + ((<usize>number) << 3), bits);
}

/** Fills the table of triggers; safe to call again. What is not listed may change any value. */
export function prepareTriggers(): void {
  if (triggersReady) return;
  triggersReady = true;
  for (let number = 0; number < 36; number++) trigger(number, ALWAYS);
  trigger(4, UPPER | BLANKS | marks("\"'\\^,;")); // cmdLine
  trigger(5, BLANKS | HIGH); // compressWhitespace
  trigger(6, marks("\\")); // cssDecode
  trigger(7, marks("\\")); // escapeSeqDecode
  trigger(10, marks("&")); // htmlEntityDecode
  trigger(11, marks("\\")); // jsDecode
  trigger(13, UPPER); // lowercase
  trigger(15, marks("./")); // normalizePath
  trigger(16, marks("./\\")); // normalizePathWin
  trigger(20, marks("/<-#")); // removeComments
  trigger(21, marks("/*<-#")); // removeCommentsChar
  trigger(22, CONTROL); // removeNulls
  trigger(23, BLANKS | HIGH); // removeWhitespace
  trigger(24, marks("/")); // replaceComments
  trigger(25, CONTROL); // replaceNulls
  trigger(28, BLANKS); // trim
  trigger(29, BLANKS);
  trigger(30, BLANKS);
  trigger(32, marks("%+")); // urlDecode
  trigger(33, marks("%+")); // urlDecodeUni
  trigger(35, HIGH); // utf8toUnicode
}

/** Gives bits of which a value must have one, or the transformation changes nothing. */
export function triggerOf(number: i32): u64 {
  return load<u64>(triggers + ((<usize>number) << 3));
}
