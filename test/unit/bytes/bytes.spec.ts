import { Arena, bytesHeld } from "../../../assembly/bytes/arena";
import { Buffer } from "../../../assembly/bytes/buffer";
import { equal, equalFold, find, hashFold, isTextFold, isUnsigned, parsedInt, toInt } from "../../../assembly/bytes/span";
import { codePoint, decode, encode } from "../../../assembly/bytes/utf8";
import { random, randomText } from "../random";
import { arena, get, len, ptr, put } from "../text";

describe("arenas", () => {
  test("hand out zeroed, aligned memory and give it all back", () => {
    const before = bytesHeld();
    const own = Arena.create(0);
    for (let i = 1; i < 3000; i++) {
      const at = own.alloc(<usize>i);
      expect(<i32>(at & 7)).toBe(0);
      expect(load<u8>(at + i - 1)).toBe(0);
      store<u8>(at + i - 1, 0xff);
    }
    expect(bytesHeld() > before).toBe(true);
    own.destroy();
    expect(bytesHeld()).toBe(before);
  });

  test("raise a flag past their cap and go on", () => {
    const own = Arena.create(100000);
    expect(own.exceeded).toBe(false);
    own.alloc(200000);
    expect(own.exceeded).toBe(true);
    expect(own.alloc(10) != 0).toBe(true);
    own.destroy();
  });
});

describe("UTF-8", () => {
  test("well-formed sequences of the Unicode Standard, table 3-7", () => {
    put("\xc3\xa9");
    expect(decode(ptr, len)).toBe(2);
    expect(codePoint).toBe(0xe9);
    put("\xf4\x8f\xbf\xbf");
    expect(decode(ptr, len)).toBe(4);
    expect(codePoint).toBe(0x10ffff);
  });
  test("overlong, surrogate, cut and stray bytes are none", () => {
    const bad = ["\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xe2\x82", "\xff"];
    for (let i = 0; i < bad.length; i++) {
      put(bad[i]);
      expect(decode(ptr, len)).toBe(0, bad[i]);
    }
  });
  test("encoding is the inverse of decoding", () => {
    const at = arena.alloc(4);
    for (let cp: u32 = 1; cp < 0x110000; cp += 977) {
      if (cp >= 0xd800 && cp <= 0xdfff) continue;
      const n = encode(at, cp);
      expect(decode(at, n)).toBe(n);
      expect(codePoint).toBe(cp);
    }
  });
});

describe("spans", () => {
  test("numbers are read as C reads them", () => {
    put(" -12x");
    expect(toInt(ptr, len)).toBe(-12);
    put("abc");
    expect(toInt(ptr, len)).toBe(0);
    put("99999999999999999999");
    expect(toInt(ptr, len) > 900000000000000000).toBe(true);
    put("1234");
    expect(isUnsigned(ptr, len)).toBe(true);
    expect(parsedInt).toBe(1234);
    put("12a");
    expect(isUnsigned(ptr, len)).toBe(false);
  });
  test("find", () => {
    put("abcabd");
    const text = ptr;
    put("abd");
    expect(find(text, 6, ptr, 3)).toBe(3);
    expect(find(text, 5, ptr, 3)).toBe(-1);
    expect(find(text, 6, ptr, 0)).toBe(0);
  });
  test("find and comparisons agree with the slow way, at all lengths", () => {
    for (let i = 0; i < 4000; i++) {
      const text = randomText(60);
      const from = random(text.length + 1);
      const needle = random(2) == 0 ? randomText(5) : text.substring(from, from + random(30));
      put(text);
      const at = ptr;
      put(needle);
      expect(find(at, text.length, ptr, len)).toBe(text.indexOf(needle), needle + " in " + text);
    }
    for (let n = 0; n < 40; n++) {
      for (let i = 0; i <= n; i++) {
        const other = i == n ? "" : "@";
        const same = "Ab[".repeat(14).substring(0, n);
        const changed = i == n ? same : same.substring(0, i) + other + same.substring(i + 1);
        put(same);
        const at = ptr;
        put(changed);
        expect(equal(at, n, ptr, len)).toBe(i == n, same + " " + changed);
        expect(equalFold(at, n, ptr, len)).toBe(i == n, same + " " + changed);
        put(changed.toUpperCase());
        expect(equalFold(at, n, ptr, len)).toBe(i == n, same + " " + changed);
        // `[` and `{` differ in the same bit as the cases of a letter
        put(same.replaceAll("[", "{"));
        expect(equalFold(at, n, ptr, len)).toBe(n < 3, same);
      }
    }
  });
  test("names that differ in case have the same hash, and few others", () => {
    const seen = new Set<u32>();
    for (let i = 0; i < 3000; i++) {
      const name = "X-Header-Name-".substring(0, i % 15) + i.toString();
      put(name);
      const hash = hashFold(ptr, len);
      put(name.toLowerCase());
      expect(hashFold(ptr, len)).toBe(hash, name);
      seen.add(hash & 0xfffff);
    }
    expect(seen.size > 2980).toBe(true);
  });
  test("text without case", () => {
    put("Content-Type");
    expect(isTextFold(ptr, len, "content-type")).toBe(true);
    expect(isTextFold(ptr, len, "content-typ")).toBe(false);
  });
});

describe("buffers", () => {
  test("JSON strings are valid whatever the bytes", () => {
    put('a"\\\n\x00\x7f\xc3\xa9\xff');
    const out = Buffer.create(1);
    out.json(ptr, len);
    expect(get(out.ptr, out.len)).toBe('"a\\"\\\\\\u000a\\u0000\\u007f\xc3\xa9\\ufffd"');
  });
  test("numbers", () => {
    const out = Buffer.create(1);
    out.int(0).byte(0x2c).int(-90).byte(0x2c).padded(7, 3).byte(0x2c).padded(1234, 3);
    expect(get(out.ptr, out.len)).toBe("0,-90,007,1234");
  });
});
