import { transform, transformationNamed } from "../../../assembly/decode/transform/index";
import { outputTo, resultLen, resultPtr } from "../../../assembly/decode/transform/output";
import { arena, get, len, ptr, put } from "../text";

/** Applies a transformation; "=" where it says that nothing changed. */
function t(name: string, text: string): string {
  put(name);
  const number = transformationNamed(ptr, len);
  if (number < 0) return "unknown";
  outputTo(arena);
  put(text);
  return transform(number, ptr, len) ? get(resultPtr, resultLen) : "=";
}

// The slow way to what transformations do sixteen bytes at a time.

function slowCmdLine(text: string): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    let c = text.charAt(i);
    if (c == '"' || c == "'" || c == "\\" || c == "^") continue;
    if (c == "," || c == ";" || c == "\t" || c == "\r" || c == "\n") c = " ";
    if (c == " " && out.endsWith(" ")) continue;
    if ((c == "/" || c == "(") && out.endsWith(" ")) out = out.substring(0, out.length - 1);
    out += c >= "A" && c <= "Z" ? c.toLowerCase() : c;
  }
  return out;
}

function slowLower(text: string): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    out += c >= "A" && c <= "Z" ? c.toLowerCase() : c;
  }
  return out;
}

function isBlank(c: string): bool {
  return c == " " || (c >= "\t" && c <= "\r");
}

function slowWhitespace(text: string, kept: string): string {
  let out = "";
  let before = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    const pair = c == "\xc2" && i + 1 < text.length && (text.charAt(i + 1) == "\xa0" || text.charAt(i + 1) == "\x85");
    const alone = c == "\xa0" && (i == 0 || text.charCodeAt(i - 1) < 0x80);
    if (isBlank(c) || pair || alone) {
      if (!before) out += kept;
      before = true;
      if (pair) i++;
    } else {
      out += c;
      before = false;
    }
  }
  return out;
}

function slowPath(text: string): string {
  const rooted = text.startsWith("/");
  const parts = text.split("/");
  const kept: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] == "" || parts[i] == ".") continue;
    if (parts[i] != "..") kept.push(parts[i]);
    else if (kept.length > 0 && kept[kept.length - 1] != "..") kept.pop();
    else if (!rooted) kept.push("..");
  }
  const body = kept.join("/");
  return (rooted ? "/" : "") + body + (text.endsWith("/") && body != "" ? "/" : "");
}

let seed: u32 = 99;
function randomText(letters: string): string {
  let text = "";
  const n: u32 = 1 + ((seed >> 10) % 70);
  for (let i: u32 = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    // mostly ordinary letters, so that whole blocks are ordinary too
    text += seed >> 28 > 1 ? "abcdefghijklmnop".charAt((seed >> 20) & 15) : letters.charAt((seed >> 8) % <u32>letters.length);
  }
  return text;
}

/** Compares a transformation with the slow way over random texts; gives the first difference. */
function differs(name: string, letters: string, slow: (text: string) => string): string {
  for (let i = 0; i < 3000; i++) {
    const text = randomText(letters);
    const wanted = slow(text);
    const got = t(name, text);
    if (got != (wanted == text ? "=" : wanted)) return `${text} gives ${got}, expected ${wanted}`;
  }
  return "";
}

// Where no RFC says what a transformation gives, the values are those of ModSecurity's own test vectors.
describe("transformations", () => {
  test("names are compared without case and have two spellings of normalize", () => {
    expect(t("LowerCase", "A")).toBe("a");
    expect(t("normalisePath", "/a/../b")).toBe("/b");
    expect(t("bogus", "A")).toBe("unknown");
  });

  test("case", () => {
    expect(t("lowercase", "AbZ[\xc3\x89")).toBe("abz[\xc3\x89");
    expect(t("lowercase", "abc")).toBe("=");
    expect(t("uppercase", "aBz{")).toBe("ABZ{");
  });

  test("white space", () => {
    expect(t("removeWhitespace", " a\tb\n\xc2\xa0c ")).toBe("abc");
    expect(t("removeWhitespace", "abc")).toBe("=");
    expect(t("compressWhitespace", "a \t\n b  c")).toBe("a b c");
    expect(t("compressWhitespace", "a b")).toBe("=");
    expect(t("trim", " \ta b\n")).toBe("a b");
    expect(t("trimLeft", "  a ")).toBe("a ");
    expect(t("trimRight", "  a ")).toBe("  a");
    expect(t("trim", "a")).toBe("=");
  });

  test("sixteen bytes at a time as one by one", () => {
    expect(differs("cmdLine", " \t\n,;\"'\\^/(AZ[@\xc3.", slowCmdLine)).toBe("");
    expect(differs("removeWhitespace", " \t\n\x0b!\xc2\xa0\x85\xc3", (text: string): string => slowWhitespace(text, ""))).toBe("");
    expect(differs("compressWhitespace", "   \t\x0b!\xc2\xa0\x85\xc3", (text: string): string => slowWhitespace(text, " "))).toBe("");
    expect(differs("compressWhitespace", " !", (text: string): string => slowWhitespace(text, " "))).toBe("");
    expect(differs("lowercase", "AZ[@`{\xc3", slowLower)).toBe("");
    expect(differs("normalizePath", "//../.x", slowPath)).toBe("");
  });

  test("nulls and parity", () => {
    expect(t("removeNulls", "a\x00b")).toBe("ab");
    expect(t("replaceNulls", "a\x00b")).toBe("a b");
    expect(t("parityZero7bit", "\xe1b")).toBe("ab");
    expect(t("parityEven7bit", "abc")).toBe("\xe1\xe2c");
    expect(t("parityOdd7bit", "abc")).toBe("ab\xe3");
  });

  test("comments", () => {
    expect(t("replaceComments", "a/* x */b")).toBe("a b");
    expect(t("replaceComments", "a/* x")).toBe("a ");
    expect(t("replaceComments", "a*/b")).toBe("=");
    expect(t("removeComments", "a/*x*/b<!--y-->c#d")).toBe("abc ");
    expect(t("removeCommentsChar", "a/*x*/b--c#<!--d-->")).toBe("axbcd");
  });

  test("paths", () => {
    expect(t("normalizePath", "/a/./b//c/../d")).toBe("/a/b/d");
    expect(t("normalizePath", "../../etc/passwd")).toBe("=");
    expect(t("normalizePath", "a/../../b")).toBe("../b");
    expect(t("normalizePath", "/../../etc")).toBe("/etc");
    expect(t("normalizePath", "/a/b/")).toBe("=");
    expect(t("normalizePath", "a/b/../")).toBe("a/");
    expect(t("normalizePath", "/a/..")).toBe("/");
    expect(t("normalizePathWin", "\\a\\..\\b")).toBe("/b");
  });

  test("URL encoding", () => {
    expect(t("urlDecode", "a%41+%zz%4")).toBe("aA %zz%4");
    expect(t("urlDecode", "abc")).toBe("=");
    expect(t("urlDecodeUni", "%u0041%uff1c%u2019")).toBe("A<'");
    expect(t("urlDecodeUni", "%u00")).toBe("=");
    expect(t("urlEncode", "a b&c")).toBe("a+b%26c");
  });

  test("base64 and hexadecimal", () => {
    expect(t("base64Decode", "VGVzdA==")).toBe("Test");
    expect(t("base64Decode", "VGVz\ndA")).toBe("Test");
    expect(t("base64Decode", "VGV!zdA")).toBe("Te");
    expect(t("base64DecodeExt", "V-G!VzdA")).toBe("W\xe1\x95\xcd\xd0");
    expect(t("base64Encode", "Test")).toBe("VGVzdA==");
    expect(t("base64Encode", "abc")).toBe("YWJj");
    expect(t("hexEncode", "\x00\xff")).toBe("00ff");
    expect(t("hexDecode", "00fFg")).toBe("\x00\xff");
    expect(t("sqlHexDecode", "a0x414243b0x4")).toBe("aABC\xb0x4");
  });

  test("escapes of languages", () => {
    expect(t("escapeSeqDecode", "\\a\\n\\x41\\101\\?\\q\\777")).toBe("\x07\nAA?q\xff");
    expect(t("jsDecode", "\\u0041\\x42\\103\\uff1c\\u{44}\\'")).toBe("ABC<D'");
    expect(t("jsDecode", "\\777")).toBe("?7");
    expect(t("cssDecode", "\\41 b\\000043\\z\\")).toBe("AbCz");
    expect(t("cssDecode", "\\e9")).toBe("\xc3\xa9");
    expect(t("cssDecode", "\\0")).toBe("\xef\xbf\xbd");
    expect(t("cmdLine", '"C^:\\W\\\\indows" ,;  /x (')).toBe("c:windows/x(");
  });

  test("character references", () => {
    expect(t("htmlEntityDecode", "&lt;&#x41;&#66;&amp&colon;&Tab;&bogus;")).toBe("<AB&:\t&bogus;");
    expect(t("htmlEntityDecode", "&nbsp;&#0;&#xD800")).toBe("\xc2\xa0\xef\xbf\xbd\xef\xbf\xbd");
    expect(t("htmlEntityDecode", "a & b")).toBe("=");
  });

  test("Unicode", () => {
    expect(t("utf8toUnicode", "a\xc3\xa9\xe2\x82\xac")).toBe("a%u00e9%u20ac");
    expect(t("utf8toUnicode", "\xf0\x9f\x98\x80\xff")).toBe("%u1f600\xff");
    expect(t("utf8toUnicode", "abc")).toBe("=");
  });

  test("digests (RFC 1321, appendix A.5; RFC 3174, section 7.3)", () => {
    expect(hex(t("md5", ""))).toBe("d41d8cd98f00b204e9800998ecf8427e");
    expect(hex(t("md5", "abc"))).toBe("900150983cd24fb0d6963f7d28e17f72");
    expect(hex(t("md5", "12345678901234567890123456789012345678901234567890123456789012345678901234567890"))).toBe("57edf4a22be3c955ac49da2e2107b67a");
    expect(hex(t("sha1", "abc"))).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(hex(t("sha1", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))).toBe("84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  });

  test("length", () => {
    expect(t("length", "abc")).toBe("3");
    expect(t("length", "")).toBe("0");
  });

  test("no transformation reads past its input or traps on any two bytes", () => {
    const names = [
      "base64Decode",
      "base64DecodeExt",
      "cmdLine",
      "compressWhitespace",
      "cssDecode",
      "escapeSeqDecode",
      "hexDecode",
      "htmlEntityDecode",
      "jsDecode",
      "normalizePath",
      "normalizePathWin",
      "removeComments",
      "removeCommentsChar",
      "removeWhitespace",
      "replaceComments",
      "sqlHexDecode",
      "urlDecode",
      "urlDecodeUni",
      "utf8toUnicode",
    ];
    const starts = "\\%&/u#x0;<-+*'\xc3\xe2\xf0\x00 a.";
    let total = 0;
    for (let n = 0; n < names.length; n++) {
      for (let i = 0; i < starts.length; i++) for (let k = 0; k < starts.length; k++) total += t(names[n], starts.charAt(i) + starts.charAt(k)).length;
    }
    expect(total > 0).toBe(true);
  });
});

function hex(text: string): string {
  return t("hexEncode", text);
}
