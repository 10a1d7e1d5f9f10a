import { Buffer } from "../../../assembly/bytes/buffer";
import { INSPECTED_FULL, INSPECTED_HEADERS, INSPECTED_NO } from "../../../assembly/findings/format";
import * as read from "../../../assembly/findings/read";
import { readFindings } from "../../../assembly/findings/read";
import { endRules, putClient, putRule, putScore, putUser, start, startRules } from "../../../assembly/findings/write";
import { arena, get, len, ptr, put } from "../text";

const out = Buffer.create(64);

function isRead(value: string): bool {
  put(value);
  return readFindings(arena, ptr, len);
}

describe("findings", () => {
  test("what is written is read", () => {
    start(out, INSPECTED_FULL);
    putScore(out, 8, 5);
    startRules(out);
    putRule(out, 920350, true);
    putRule(out, 942100, false);
    endRules(out, false);
    put("2001:db8::1");
    putClient(out, ptr, len);
    const issuer = put("https://id.example");
    const issuerLen = len;
    put('a"n%n \xc3\xbc');
    putUser(out, issuer, issuerLen, ptr, len);
    expect(get(out.ptr, out.len)).toBe(
      'inspected=full, score=8, threshold=5, rules=(920350 942100), client="2001:db8::1", user=%"https://id.example/a%22n%25n %c3%bc"',
    );
    expect(readFindings(arena, out.ptr, out.len)).toBe(true);
    expect(get(read.inspectedPtr, read.inspectedLen)).toBe("full");
    expect(read.score).toBe(8);
    expect(get(read.rulesPtr, read.rulesLen)).toBe("920350 942100");
    expect(read.moreRules).toBe(false);
    expect(get(read.clientPtr, read.clientLen)).toBe("2001:db8::1");
    expect(get(read.userPtr, read.userLen)).toBe('https://id.example/a"n%n \xc3\xbc');
  });

  test("what is not there is nothing", () => {
    start(out, INSPECTED_NO);
    expect(get(out.ptr, out.len)).toBe("inspected=no");
    expect(readFindings(arena, out.ptr, out.len)).toBe(true);
    expect(read.score).toBe(-1);
    expect(read.rulesLen + read.clientLen + read.userLen).toBe(0);
  });

  test("a list of rules says that it is not all of them", () => {
    start(out, INSPECTED_HEADERS);
    startRules(out);
    putRule(out, 1, true);
    endRules(out, true);
    expect(get(out.ptr, out.len)).toBe("inspected=headers, rules=(1), more");
    expect(readFindings(arena, out.ptr, out.len)).toBe(true);
    expect(read.moreRules).toBe(true);
  });

  test("a user that is too long is left out", () => {
    put("x".repeat(512));
    start(out, INSPECTED_FULL);
    putUser(out, ptr, len, ptr, 1);
    expect(get(out.ptr, out.len)).toBe("inspected=full");
  });

  test("keys of other versions are passed over", () => {
    expect(isRead('inspected=full, later=(1 "a" b ?1), last, other="x", x=%"%c3%bc", score=3')).toBe(true);
    expect(read.score).toBe(3);
  });

  test("of a key that occurs twice the last counts, as RFC 9651 has it", () => {
    expect(isRead("score=3, score=4")).toBe(true);
    expect(read.score).toBe(4);
  });

  test("what is malformed does not count", () => {
    expect(isRead("")).toBe(false);
    expect(isRead("inspected=")).toBe(false);
    expect(isRead("inspected=full,")).toBe(false);
    expect(isRead("inspected=full score=3")).toBe(false);
    expect(isRead("score=-3")).toBe(false);
    expect(isRead("score=3x")).toBe(false);
    expect(isRead('score="3"')).toBe(false);
    expect(isRead("rules=(1 2")).toBe(false);
    expect(isRead("rules=1")).toBe(false);
    expect(isRead('client="10.0.0.1')).toBe(false);
    expect(isRead('client="a\\"b"')).toBe(false);
    expect(isRead("client=x")).toBe(false);
    expect(isRead('user=%"%c"')).toBe(false);
    expect(isRead('user=%"%zz"')).toBe(false);
    expect(isRead("user=%")).toBe(false);
    expect(isRead('user="x"')).toBe(false);
    expect(isRead("more=(1)")).toBe(false);
    expect(isRead("Score=3")).toBe(false);
    expect(isRead("score=3;a=1")).toBe(false);
    expect(isRead("x=" + "a".repeat(4096))).toBe(false);
  });
});
