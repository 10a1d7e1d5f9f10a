import { bucketOf, prepareSignatures, signatureOf, UPPER } from "../../../assembly/match/signature";
import { random } from "../random";
import { len, ptr, put } from "../text";

function slowly(from: usize, length: i32): u64 {
  let signature: u64 = 0;
  for (let i = 0; i < length; i++) {
    const c = load<u8>(from + i);
    signature |= bucketOf(c) | (c >= 0x41 && c <= 0x5a ? UPPER : 0);
  }
  return signature;
}

describe("signatures", () => {
  test("of each byte, alone and in a long text", () => {
    prepareSignatures();
    for (let c = 0; c < 256; c++) {
      put(String.fromCharCode(c));
      expect(signatureOf(ptr, len)).toBe(slowly(ptr, len));
      put("-".repeat(33 + (c & 15)) + String.fromCharCode(c) + "-".repeat(c & 31));
      expect(signatureOf(ptr, len)).toBe(slowly(ptr, len), c.toString());
    }
  });

  test("of random texts of any length", () => {
    for (let i = 0; i < 3000; i++) {
      const from = random(256);
      const width = 1 + random(256 - from);
      let text = "";
      for (let n = random(100); n > 0; n--) text += String.fromCharCode(from + random(width));
      put(text);
      expect(signatureOf(ptr, len)).toBe(slowly(ptr, len), text);
    }
  });
});
