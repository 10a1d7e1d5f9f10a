import { hasBit } from "../../../assembly/bytes/bits";
import { Span } from "../../../assembly/bytes/span";
import { LANES, matchAbreast, siftAbreast } from "../../../assembly/match/regex/abreast";
import { Automaton } from "../../../assembly/match/regex/automaton";
import { flushCache, matches, setCacheLimit } from "../../../assembly/match/regex/dfa";
import { compileRegex } from "../../../assembly/match/regex/index";
import { Regex } from "../../../assembly/match/regex/program";
import { addToSieve, finishSieve, startSieve } from "../../../assembly/match/sieve";
import { random, randomPattern, randomText } from "../random";
import { arena, len, ptr, put } from "../text";

function compiled(count: i32): Regex[] {
  const patterns: Regex[] = [];
  for (let i = 0; i < count; i++) {
    put(randomPattern(2));
    patterns.push(compileRegex(arena, ptr, len)!);
  }
  return patterns;
}

function sieveOf(patterns: Regex[]): Automaton {
  const sieve = startSieve(arena, patterns.length);
  for (let i = 0; i < patterns.length; i++) addToSieve(sieve, patterns[i]);
  finishSieve(sieve);
  return sieve;
}

/** Gives the addresses of spans of random texts, u32 each. */
function texts(count: i32): usize {
  const list = arena.alloc((<usize>count) << 2);
  for (let i: usize = 0; i < <usize>count; i++) {
    put(randomText(40));
    const span = changetype<Span>(arena.alloc(offsetof<Span>()));
    span.ptr = ptr;
    span.len = len;
    store<u32>(list + (i << 2), changetype<u32>(span));
  }
  return list;
}

/** Sifts random texts together. Gives the number of answers, -1 if one is not what the patterns say by themselves. */
function siftedRight(patterns: Regex[], count: i32, patience: i32): i32 {
  const sieve = sieveOf(patterns);
  const list = texts(count);
  const maps = arena.alloc((<usize>count) << 2);
  siftAbreast(sieve, list, count, maps, patience);
  // they are valid until the next state is built
  for (let i: usize = 0; i < <usize>count; i++) {
    const map = <usize>load<u32>(maps + (i << 2));
    if (map != 0) store<u32>(maps + (i << 2), <u32>arena.copy(map, <i32>sieve.maskBytes));
  }
  let answers = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const map = <usize>load<u32>(maps + (i << 2));
    if (map == 0) continue;
    answers++;
    const span = changetype<Span>(<usize>load<u32>(list + (i << 2)));
    for (let k = 0; k < patterns.length; k++) if (hasBit(map, k) != matches(patterns[k], span.ptr, span.len)) return -1;
  }
  return answers;
}

/** True if patterns that are asked together say what each says by itself. */
function askedRight(patterns: Regex[], text: string): bool {
  const count = patterns.length;
  const list = arena.alloc((<usize>count) << 2);
  const found = arena.alloc(<usize>count);
  for (let i = 0; i < count; i++) store<u32>(list + ((<usize>i) << 2), changetype<u32>(patterns[i]));
  put(text);
  matchAbreast(list, count, ptr, len, found);
  for (let i = 0; i < count; i++) if ((load<u8>(found + i) == 1) != matches(patterns[i], ptr, len)) return false;
  return true;
}

describe("several at the same time", () => {
  test("texts: a sieve says of each what it says of it alone", () => {
    for (let i = 0; i < 300; i++) {
      const count = LANES + random(8);
      expect(siftedRight(compiled(1 + random(4)), count, i32.MAX_VALUE)).toBe(count);
    }
  });

  test("texts: without patience there is no answer, and none that is wrong", () => {
    const patterns = compiled(3);
    expect(siftedRight(patterns, 8, 0) >= 0).toBe(true);
    let least = 8;
    for (let patience = 0; patience < 40; patience++) {
      const answers = siftedRight(compiled(3), 8, patience);
      expect(answers >= 0).toBe(true);
      least = min(least, answers);
    }
    expect(least < 8).toBe(true);
  });

  test("patterns: each says what it says alone, however many there are", () => {
    for (let i = 0; i < 500; i++) expect(askedRight(compiled(random(12)), randomText(40))).toBe(true);
  });

  test("a full cache changes nothing but speed", () => {
    setCacheLimit(3000);
    for (let i = 0; i < 200; i++) {
      expect(askedRight(compiled(random(12)), randomText(200))).toBe(true);
      expect(siftedRight(compiled(3), 8, i32.MAX_VALUE) >= 0).toBe(true);
    }
    setCacheLimit(4 * 1024 * 1024);
    flushCache();
  });
});
