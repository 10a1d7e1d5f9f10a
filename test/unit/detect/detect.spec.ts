import { detectSqli, fingerprint, fingerprintLen } from "../../../assembly/detect/sqli";
import { loadWords, lookUp, SQL } from "../../../assembly/detect/words";
import { detectXss } from "../../../assembly/detect/xss";
import { get, len, ptr, put } from "../text";

// A handful of libinjection's words, enough for these cases; all of them are loaded in test/harness.
put("s k UNION\ns U UNION\ns E SELECT\ns & OR\ns o =\ns F 0S&1C\ns F 0S&SOS\ns F 01&1\nt 1 SCRIPT\nt 1 IFRAME\ne 1 CLICK\na 2 HREF\na 3 STYLE\n");
loadWords(ptr, len);

function xss(text: string): bool {
  put(text);
  return detectXss(ptr, len);
}

function sqli(text: string): string {
  put(text);
  return detectSqli(ptr, len) ? get(fingerprint, fingerprintLen) : "";
}

describe("words", () => {
  test("are found without case, in their table only", () => {
    put("select");
    expect(lookUp(SQL, ptr, len)).toBe(0x45);
    put("script");
    expect(lookUp(SQL, ptr, len)).toBe(0);
  });
});

describe("SQL injection", () => {
  test("is seen bare and inside quotes", () => {
    expect(sqli("1' or 1 --")).toBe("s&1c");
    expect(sqli("hello world")).toBe("");
    expect(sqli("")).toBe("");
  });
});

describe("XSS", () => {
  test("tags, events, URLs, styles", () => {
    expect(xss("<script>alert(1)</script>")).toBe(true);
    expect(xss("<sc\x00ript>")).toBe(true);
    expect(xss("x onclick=alert(1)")).toBe(true);
    expect(xss("' onclick=alert(1)")).toBe(true);
    expect(xss("<a href='javascript:alert(1)'>")).toBe(true);
    expect(xss("<a href='&#106;ava&#x73;cript:alert(1)'>")).toBe(true);
    expect(xss("<p style=x>")).toBe(true);
    expect(xss("<!DOCTYPE x>")).toBe(true);
    expect(xss("<!--[if IE]>")).toBe(true);
  });
  test("ordinary text and harmless markup are not", () => {
    expect(xss("hello")).toBe(false);
    expect(xss("a < b and c > d")).toBe(false);
    expect(xss("<b>bold</b>")).toBe(false);
    expect(xss("<a href='https://example.org/'>x</a>")).toBe(false);
    expect(xss("href=&#")).toBe(false);
    expect(xss("href=&#X")).toBe(false);
  });
});
