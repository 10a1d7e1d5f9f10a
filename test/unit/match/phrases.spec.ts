import { compilePhraseFile, compilePhrases } from "../../../assembly/match/phrases";
import { matches } from "../../../assembly/match/regex/dfa";
import { locate, slots } from "../../../assembly/match/regex/pike";
import { arena, len, ptr, put } from "../text";

function finds(phrases: string, text: string): bool {
  put(phrases);
  const set = compilePhrases(arena, ptr, len)!;
  put(text);
  return matches(set, ptr, len);
}

/** What `@pm` means, one phrase after the other. */
function naive(phrases: string, text: string): bool {
  const words = phrases.split(" ");
  for (let i = 0; i < words.length; i++) if (words[i].length > 0 && text.toLowerCase().includes(words[i].toLowerCase())) return true;
  return false;
}

describe("phrases", () => {
  test("find any of several, without case", () => {
    expect(finds("union select", "1 UnIoN all")).toBe(true);
    expect(finds("union select", "unio selec")).toBe(false);
    expect(finds("etc/passwd boot.ini", "../../ETC/passwd")).toBe(true);
  });

  test("overlaps do not hide a phrase", () => {
    expect(finds("abcd bc", "abce")).toBe(true);
    expect(finds("aab", "aaab")).toBe(true);
    expect(finds("he she his hers", "ushers")).toBe(true);
  });

  test("bytes stand between bars", () => {
    expect(finds("a|41 42|c", "xaABc")).toBe(true);
    expect(finds("a|b", "a|b")).toBe(true);
  });

  test("agree with the naive search on many texts", () => {
    const letters = "abcA ";
    let seed: u32 = 7;
    let disagreements = "";
    for (let i = 0; i < 1500; i++) {
      let phrases = "";
      let text = "";
      for (let k = 0; k < 12; k++) {
        seed = seed * 1664525 + 1013904223;
        phrases += letters.charAt((seed >> 9) % 5);
        text += letters.charAt((seed >> 17) % 5);
      }
      if (phrases.trim().length == 0) continue;
      if (finds(phrases, text) != naive(phrases, text)) disagreements += phrases + " in " + text + "; ";
    }
    expect(disagreements).toBe("");
  });

  test("files have comments, blank lines and either line end", () => {
    put("# comment\n\nfoo bar\r\n  baz\n#end");
    const set = compilePhraseFile(arena, ptr, len)!;
    put("x FOO BAR");
    expect(matches(set, ptr, len)).toBe(true);
    put("comment");
    expect(matches(set, ptr, len)).toBe(false);
    put("a baz");
    expect(locate(set, ptr, len)).toBe(true);
    expect(load<i32>(slots)).toBe(2);
  });

  test("a file without phrases is none", () => {
    put("# nothing\n\n");
    expect(compilePhraseFile(arena, ptr, len) == null).toBe(true);
  });
});
