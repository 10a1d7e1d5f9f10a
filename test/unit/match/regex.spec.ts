import { hasBit } from "../../../assembly/bytes/bits";
import { addGrams, hasAnyGram, LIST_MAP, newGrams, VALUE_MAP } from "../../../assembly/match/grams";
import { cacheHeld, flushCache, matches, setCacheLimit, sift } from "../../../assembly/match/regex/dfa";
import { compileRegex, regexError } from "../../../assembly/match/regex/index";
import { parse } from "../../../assembly/match/regex/parser";
import { locate, slots } from "../../../assembly/match/regex/pike";
import { Regex } from "../../../assembly/match/regex/program";
import { findShortest, shortestFrom, shortestLen } from "../../../assembly/match/regex/shortest";
import { addToSieve, finishSieve, startSieve } from "../../../assembly/match/sieve";
import { prepareSignatures, signatureOf } from "../../../assembly/match/signature";
import { randomPattern, randomText } from "../random";
import { arena, len, ptr, put } from "../text";
import { oracle } from "./oracle";

/** One case: pattern, text, and where the match of a backtracking engine is, "-" for none: "start,end". */
class Case {
  constructor(
    public pattern: string,
    public text: string,
    public place: string,
  ) {}
}

// Expected places are those of Perl, PCRE and RE2, which agree on all of these.
const CASES: Case[] = [
  new Case("abc", "xxabcxx", "2,5"),
  new Case("abc", "ab", "-"),
  new Case("", "abc", "0,0"),
  new Case("a|b|c", "xxc", "2,3"),
  new Case("ab|a", "ab", "0,2"),
  new Case("a|ab", "ab", "0,1"),
  new Case("a*", "aaa", "0,3"),
  new Case("a*?", "aaa", "0,0"),
  new Case("a+?", "aaa", "0,1"),
  new Case("a?b", "ab", "0,2"),
  new Case("(a+)(b+)", "xaabb", "1,5"),
  new Case("(?:a|b)*c", "ababc", "0,5"),
  new Case("a{2,3}", "aaaa", "0,3"),
  new Case("a{2,3}?", "aaaa", "0,2"),
  new Case("a{2}", "a", "-"),
  new Case("a{2,}", "xaaa", "1,4"),
  new Case("a{0}b", "ab", "1,2"),
  new Case("a{,3}", "a{,3}", "0,5"),
  new Case("^abc$", "abc", "0,3"),
  new Case("^abc$", "abc\n", "-"),
  new Case("(?m)^b$", "a\nb\nc", "2,3"),
  new Case("(?m)^$", "a\n\nb", "2,2"),
  new Case("^b", "ab", "-"),
  new Case("(?:^|x)b", "ab xb", "3,5"),
  new Case("(?:^a|b)c", "bc", "0,2"),
  new Case("a.c", "a\nc", "0,3"),
  new Case("(?-s)a.c", "a\nc", "-"),
  new Case("(?i)SeLeCt", "xselect", "1,7"),
  new Case("(?i:a)b", "Ab", "0,2"),
  new Case("(?i:a)b", "AB", "-"),
  new Case("(?i)[a-c]+", "ABCabc", "0,6"),
  new Case("(?i)[^a]", "Ab", "1,2"),
  new Case("[abc]+", "xxcab", "2,5"),
  new Case("[^abc]+", "abxy", "2,4"),
  new Case("[]a]+", "]a", "0,2"),
  new Case("[^]a]", "]ab", "2,3"),
  new Case("[a-]+", "a-", "0,2"),
  new Case("[\\w-]+", "a-b_", "0,4"),
  new Case("[\\d\\s]+", "a1 2", "1,4"),
  new Case("[[:alpha:]]+", "12ab", "2,4"),
  new Case("[[:^alpha:]]+", "ab12", "2,4"),
  new Case("\\d+\\.\\d+", "v1.25", "1,5"),
  new Case("\\bcat\\b", "a cat!", "2,5"),
  new Case("\\bcat\\b", "concat", "-"),
  new Case("\\Bcat", "concat", "3,6"),
  new Case("cat\\B", "cats", "0,3"),
  new Case("\\b", "", "-"),
  new Case("\\B", "", "0,0"),
  new Case("a\\b.", "a b", "0,2"),
  new Case("\\b\\w+\\b$", "one two", "4,7"),
  new Case("x\\b$", "x", "0,1"),
  new Case("\\x41\\x{42}\\103", "ABC", "0,3"),
  new Case("\\Qa.b\\E+", "a.bb", "0,4"),
  new Case("\\Aab\\z", "ab", "0,2"),
  new Case("\x80+", "a\x80\x80", "1,3"),
  new Case("[\\x80-\\xff]", "a\xe9", "1,2"),
  new Case("[^\\x00-\\x7f]", "ab\xc3\xa9", "2,3"),
  new Case("\xc3\xa9", "x\xc3\xa9", "1,3"),
  new Case("[\xc3\xa9x]", "a\xc3\xa9", "1,3"),
  new Case("[\\n\\r]", "a\r", "1,2"),
  new Case("(?U)a+", "aaa", "0,1"),
  new Case("(?P<name>a)b", "ab", "0,2"),
  new Case("(a*)*", "aa", "0,2"),
  new Case("(a*)+b", "aab", "0,3"),
  new Case("(?:a?){3}a{3}", "aaa", "0,3"),
  new Case("(a|b)*?c", "abc", "0,3"),
  new Case("(?:(?:a|b)|c)+", "xabcx", "1,4"),
  new Case("select.+?from", "select a from b from", "0,13"),
  new Case("\\s*;\\s*", "a ; b", "1,4"),
  new Case("[\"'`]", "a'b", "1,2"),
];

function place(pattern: string, text: string): string {
  put(pattern);
  const regex = compileRegex(arena, ptr, len);
  if (!regex) return "error: " + regexError;
  put(text);
  if (!locate(regex, ptr, len)) return "-";
  return load<i32>(slots).toString() + "," + load<i32>(slots, 4).toString();
}

/** Gives offset and length of the shortest match that ends first, `-` if there is none. */
function shortest(pattern: string, text: string): string {
  put(pattern);
  const regex = compileRegex(arena, ptr, len)!;
  put(text);
  return findShortest(regex, ptr, len) ? shortestFrom.toString() + "," + shortestLen.toString() : "-";
}

function dfa(pattern: string, text: string): bool {
  put(pattern);
  const regex = compileRegex(arena, ptr, len);
  put(text);
  return matches(regex!, ptr, len);
}

/** False if the prefilters say that the pattern cannot match. */
function prefiltered(pattern: string, text: string): bool {
  put(pattern);
  const regex = compileRegex(arena, ptr, len)!;
  put(text);
  prepareSignatures();
  if (!regex.canMatch(len, signatureOf(ptr, len))) return false;
  return regex.gramCount == 0 || (hasGramIn(VALUE_MAP, regex) && hasGramIn(LIST_MAP, regex));
}

function hasGramIn(map: u32, regex: Regex): bool {
  const bits = newGrams(arena, map);
  addGrams(bits, map, ptr, len);
  return hasAnyGram(bits, map, regex.grams, regex.gramCount);
}

/** Asks a sieve of some patterns: a digit for each, 1 if it matches; empty if it needs more than `patience` steps. */
function sifted(patterns: string[], text: string, patience: i32 = i32.MAX_VALUE): string {
  const sieve = startSieve(arena, patterns.length);
  for (let i = 0; i < patterns.length; i++) {
    put(patterns[i]);
    addToSieve(sieve, compileRegex(arena, ptr, len)!);
  }
  finishSieve(sieve);
  put(text);
  const map = sift(sieve, ptr, len, patience);
  let result = "";
  if (map != 0) for (let i = 0; i < patterns.length; i++) result += hasBit(map, i) ? "1" : "0";
  return result;
}

function naive(pattern: string, text: string): bool {
  put(pattern);
  const tree = parse(arena, ptr, len);
  put(text);
  return oracle(tree!, ptr, len);
}

describe("regular expressions", () => {
  test("all cases agree with Perl on the place of the match", () => {
    for (let i = 0; i < CASES.length; i++) {
      const c = CASES[i];
      expect(c.pattern + " in " + c.text + " at " + place(c.pattern, c.text)).toBe(c.pattern + " in " + c.text + " at " + c.place);
    }
  });

  test("the lazy DFA agrees with the table and with the oracle", () => {
    for (let i = 0; i < CASES.length; i++) {
      const c = CASES[i];
      const wanted = c.place != "-";
      expect(dfa(c.pattern, c.text)).toBe(wanted, c.pattern + " in " + c.text);
      expect(naive(c.pattern, c.text)).toBe(wanted, "oracle: " + c.pattern + " in " + c.text);
    }
  });

  test("random patterns and texts: DFA, simulation and oracle agree", () => {
    let disagreements = "";
    for (let i = 0; i < 4000; i++) {
      const pattern = randomPattern(3);
      const text = randomText();
      const wanted = naive(pattern, text);
      if (dfa(pattern, text) != wanted || (place(pattern, text) != "-") != wanted) disagreements += pattern + " in " + text + "; ";
    }
    expect(disagreements).toBe("");
  });

  test("no prefilter rules out a match", () => {
    for (let i = 0; i < CASES.length; i++) {
      const c = CASES[i];
      if (c.place != "-") expect(prefiltered(c.pattern, c.text)).toBe(true, c.pattern + " in " + c.text);
    }
    let wrong = "";
    for (let i = 0; i < 4000; i++) {
      const pattern = randomPattern(3);
      const text = randomText();
      if (naive(pattern, text) && !prefiltered(pattern, text)) wrong += pattern + " in " + text + "; ";
    }
    expect(wrong).toBe("");
  });

  test("prefilters rule out what lacks the literals or bytes of every match", () => {
    expect(prefiltered("<script", "a script")).toBe(false);
    expect(prefiltered("(?i)(?:union|select)\\s+from", "select fron the")).toBe(false);
    expect(prefiltered("(?i)(?:union|select)\\s+from", "SELECT  FROM")).toBe(true);
    expect(prefiltered("[0-9]{5}", "1234")).toBe(false);
  });

  test("a full cache changes nothing but speed", () => {
    setCacheLimit(2000);
    for (let i = 0; i < CASES.length; i++) expect(dfa(CASES[i].pattern, CASES[i].text)).toBe(CASES[i].place != "-", CASES[i].pattern);
    let text = "";
    for (let i = 0; i < 2000; i++) text += String.fromCharCode(0x61 + ((i * i) % 7));
    expect(dfa("[a-c]{20}[d-f]{20}x|(?:a|b|c|d){40}$", text)).toBe(false);
    expect(cacheHeld() < 200000).toBe(true);
    setCacheLimit(4 * 1024 * 1024);
    flushCache();
  });

  test("a sieve says of each of its patterns whether it matches", () => {
    const patterns: string[] = [];
    for (let i = 0; i < CASES.length; i++) patterns.push(CASES[i].pattern);
    let wrong = "";
    for (let i = 0; i < CASES.length; i++) {
      let wanted = "";
      for (let k = 0; k < patterns.length; k++) wanted += dfa(patterns[k], CASES[i].text) ? "1" : "0";
      if (sifted(patterns, CASES[i].text) != wanted) wrong += CASES[i].text + "; ";
    }
    for (let i = 0; i < 1000; i++) {
      const some: string[] = [randomPattern(2), randomPattern(3), randomPattern(1), randomPattern(2)];
      const text = randomText();
      let wanted = "";
      for (let k = 0; k < some.length; k++) wanted += naive(some[k], text) ? "1" : "0";
      if (sifted(some, text) != wanted) wrong += some.join(" and ") + " in " + text + "; ";
    }
    expect(wrong).toBe("");
  });

  test("a sieve that may build no more steps gives no answer", () => {
    expect(sifted(["ab+c", "x[yz]{3}"], "aaabbbxyz", 3)).toBe("");
    expect(sifted(["ab+c", "x[yz]{3}"], "aaabbbxyz", 9)).toBe("00");
    expect(sifted(["ab+c", "x[yz]{3}"], "aaabbbcxyz", 10)).toBe("10");
  });

  test("the shortest match that ends first is a match, ends where the DFA decides, and has none within", () => {
    expect(shortest("(?i)b+c", "aaBBBc bc")).toBe("4,2");
    expect(shortest("foo|foobar", "a foobar")).toBe("2,3");
    expect(shortest("^ab", "abab")).toBe("0,2");
    expect(shortest("x{40}", "y".repeat(100) + "x".repeat(60))).toBe("100,40");
    expect(shortest("z", "y".repeat(100))).toBe("-");
    let wrong = "";
    for (let i = 0; i < 4000; i++) {
      // with assertions a part of a text is not what it is within the text
      const pattern = randomPattern(3);
      if (pattern.indexOf("\\") >= 0 || pattern.indexOf("^") >= 0 || pattern.indexOf("$") >= 0 || pattern.indexOf("(?m") >= 0) continue;
      const text = randomText();
      const found = shortest(pattern, text);
      if ((found == "-") == naive(pattern, text)) wrong += pattern + " in " + text + "; ";
      if (found == "-") continue;
      const from = I32.parseInt(found);
      const end = from + I32.parseInt(found.substring(found.indexOf(",") + 1));
      const isMatch = naive(pattern, text.substring(from, end));
      const isShortest = from == end || !naive(pattern, text.substring(from + 1, end));
      const isFirst = end == 0 || !naive(pattern, text.substring(0, end - 1)) || from == end;
      if (!isMatch || !isShortest || !isFirst) wrong += pattern + " in " + text + " at " + found + "; ";
    }
    expect(wrong).toBe("");
  });

  test("groups are where a backtracking engine puts them", () => {
    put("(a+)(?:x|(b))(c)?");
    const regex = compileRegex(arena, ptr, len)!;
    put("zaabc");
    expect(locate(regex, ptr, len)).toBe(true);
    expect(load<i32>(slots, 8)).toBe(1);
    expect(load<i32>(slots, 12)).toBe(3);
    expect(load<i32>(slots, 16)).toBe(3);
    expect(load<i32>(slots, 24)).toBe(4);
    put("aax");
    expect(locate(regex, ptr, len)).toBe(true);
    expect(load<i32>(slots, 16)).toBe(-1);
  });

  test("patterns that cannot be matched in linear time, or are malformed, are errors", () => {
    expect(place("(?=a)", "a").startsWith("error: unknown group")).toBe(true);
    expect(place("(?<!a)b", "a").startsWith("error: look-behind")).toBe(true);
    expect(place("(a)\\1", "aa").startsWith("error: unknown escape")).toBe(true);
    expect(place("a**", "a").startsWith("error: repetition operator after")).toBe(true);
    expect(place("*a", "a").startsWith("error: repetition operator with nothing")).toBe(true);
    expect(place("(a", "a")).toBe("error: missing )");
    expect(place("a)", "a")).toBe("error: unexpected )");
    expect(place("[a", "a")).toBe("error: missing ]");
    expect(place("[b-a]", "a")).toBe("error: malformed character class");
    expect(place("a{3,2}", "a").startsWith("error: repetition whose maximum")).toBe(true);
    expect(place("a{1001}", "a")).toBe("error: repetition of more than 1000");
    expect(place("(?:(?:a{1000}){1000}){1000}", "a")).toBe("error: pattern too large");
    expect(place("\\p{L}", "a").startsWith("error: unknown escape")).toBe(true);
  });

  test("nesting has a limit", () => {
    let deep = "";
    for (let i = 0; i < 300; i++) deep += "(";
    expect(place(deep, "a")).toBe("error: groups nested more than 200 deep");
  });
});
