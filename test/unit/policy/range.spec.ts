import { isInRange, isRange } from "../../../assembly/policy/range";
import { len, ptr, put } from "../text";

function has(range: string, number: i64): bool {
  put(range);
  return isInRange(ptr, len, number);
}

function isOne(range: string): bool {
  put(range);
  return isRange(ptr, len);
}

describe("ranges of numbers", () => {
  test("a number, two ends, and bounds", () => {
    expect(has("5", 5)).toBe(true);
    expect(has("5", 4)).toBe(false);
    expect(has("1-4", 1)).toBe(true);
    expect(has("1-4", 4)).toBe(true);
    expect(has("1-4", 5)).toBe(false);
    expect(has("<5", 4)).toBe(true);
    expect(has("<5", 5)).toBe(false);
    expect(has("<=5", 5)).toBe(true);
    expect(has(">5", 5)).toBe(false);
    expect(has(">5", 6)).toBe(true);
    expect(has(">=5", 5)).toBe(true);
    expect(has("<0", 0)).toBe(false);
  });

  test("anything else is none", () => {
    expect(isOne("")).toBe(false);
    expect(isOne("a")).toBe(false);
    expect(isOne("4-1")).toBe(false);
    expect(isOne("1-")).toBe(false);
    expect(isOne("-1")).toBe(false);
    expect(isOne("<")).toBe(false);
    expect(isOne("<=")).toBe(false);
    expect(isOne("=5")).toBe(false);
    expect(isOne("*")).toBe(false);
  });
});
