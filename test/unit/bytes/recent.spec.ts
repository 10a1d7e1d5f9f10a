import { Recent } from "../../../assembly/bytes/recent";
import { len, ptr, put } from "../text";

function keyOf(table: Recent, text: string, kind: u32 = 0): u64 {
  put(text);
  return table.keyOf(kind, ptr, len);
}

describe("recent keys", () => {
  test("each key keeps its number, apart by kind", () => {
    const table = Recent.create(64, 1);
    store<i64>(table.take(keyOf(table, "a"), 0), 5);
    store<i64>(table.take(keyOf(table, "a", 1), 0), 6);
    expect(table.find(keyOf(table, "a"))).toBe(5);
    expect(table.find(keyOf(table, "a", 1))).toBe(6);
    expect(table.find(keyOf(table, "b"))).toBe(0);
    expect(load<i64>(table.take(keyOf(table, "a"), 0))).toBe(5);
  });

  test("where there is no room the least number goes, and is counted if it was in use", () => {
    const table = Recent.create(4, 1);
    for (let i = 1; i <= 4; i++) store<i64>(table.take(keyOf(table, i.toString()), 0), <i64>(i * 10));
    store<i64>(table.take(keyOf(table, "5"), 10), 50);
    expect(table.find(keyOf(table, "1"))).toBe(0);
    expect(table.find(keyOf(table, "2"))).toBe(20);
    expect(table.forgotten).toBe(0);
    store<i64>(table.take(keyOf(table, "6"), 10), 60);
    expect(table.find(keyOf(table, "2"))).toBe(0);
    expect(table.find(keyOf(table, "6"))).toBe(60);
    expect(table.forgotten).toBe(1);
  });

  test("hashes differ from table to table, so that nobody can prepare equal ones", () => {
    const one = Recent.create(4, 1);
    const other = Recent.create(4, 2);
    expect(keyOf(one, "a") != keyOf(other, "a")).toBe(true);
  });

  test("thousands of keys keep apart", () => {
    const table = Recent.create(65536, 7);
    for (let i = 1; i <= 2000; i++) store<i64>(table.take(keyOf(table, "10.0." + i.toString()), 0), <i64>i);
    for (let i = 1; i <= 2000; i++) expect(table.find(keyOf(table, "10.0." + i.toString()))).toBe(<i64>i);
    expect(table.forgotten).toBe(0);
  });
});
