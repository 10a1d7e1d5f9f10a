/**
 * Several texts or patterns at the same time. What a byte costs is mostly waiting: which state follows is known when the
 * state before it is there. Texts do not wait for each other, and patterns do not either, so four of them take little
 * longer than one.
 */
import { Automaton } from "./automaton";
import { cacheFlushes, endOf, MATCHED, matches, matchesFrom, NEXT, patienceLeft, siftFrom, startOf, step, UNKNOWN } from "./dfa";
import { Regex } from "./program";

/** How many are read at the same time. */
export const LANES: i32 = 4;

/** A text that is being read by an automaton. */
@unmanaged
class Lane {
  automaton: Automaton;
  at: usize;
  end: usize;
  state: usize;
  /** Which of the texts or patterns this is; -1 if there are no more. */
  number: i32;

  begin(number: i32, automaton: Automaton, ptr: usize, len: i32): void {
    this.number = number;
    this.automaton = automaton;
    this.at = ptr;
    this.end = ptr + <usize>len;
    this.state = startOf(automaton);
  }

  /** Gives what follows the byte at hand, UNKNOWN while it is not built. */
  next(): usize {
    const column = <usize>load<u8>(this.automaton.classOf + <usize>load<u8>(this.at));
    return <usize>load<u32>(this.state + (column << 2), NEXT);
  }

  build(): usize {
    return step(this.automaton, this.state, <i32>load<u8>(this.at));
  }
}

const lanes: usize = memory.data(4 * 20, 8);

function lane(i: i32): Lane {
  return changetype<Lane>(lanes + <usize>i * offsetof<Lane>());
}

/** How often the cache had been dropped when reading began. */
let flushes: i32 = 0;

/** True while the states and maps that lanes have come to are there. */
function isIntact(): bool {
  return cacheFlushes == flushes;
}

/** Reads all lanes until one of them ends, is decided, or comes to a step that is not built. */
function readTogether(): void {
  const a = lane(0);
  const b = lane(1);
  const c = lane(2);
  const d = lane(3);
  const classA = a.automaton.classOf;
  const classB = b.automaton.classOf;
  const classC = c.automaton.classOf;
  const classD = d.automaton.classOf;
  let atA = a.at;
  let atB = b.at;
  let atC = c.at;
  let atD = d.at;
  let stateA = a.state;
  let stateB = b.state;
  let stateC = c.state;
  let stateD = d.state;
  const stop = atA + min(min(a.end - atA, b.end - atB), min(c.end - atC, d.end - atD));
  for (; atA < stop; atA++, atB++, atC++, atD++) {
    const nextA = <usize>load<u32>(stateA + ((<usize>load<u8>(classA + <usize>load<u8>(atA))) << 2), NEXT);
    const nextB = <usize>load<u32>(stateB + ((<usize>load<u8>(classB + <usize>load<u8>(atB))) << 2), NEXT);
    const nextC = <usize>load<u32>(stateC + ((<usize>load<u8>(classC + <usize>load<u8>(atC))) << 2), NEXT);
    const nextD = <usize>load<u32>(stateD + ((<usize>load<u8>(classD + <usize>load<u8>(atD))) << 2), NEXT);
    if (nextA <= MATCHED || nextB <= MATCHED || nextC <= MATCHED || nextD <= MATCHED) break;
    stateA = nextA;
    stateB = nextB;
    stateC = nextC;
    stateD = nextD;
  }
  a.at = atA;
  b.at = atB;
  c.at = atC;
  d.at = atD;
  a.state = stateA;
  b.state = stateB;
  c.state = stateC;
  d.state = stateD;
}

// Several texts, one automaton.

let sieve: Automaton = changetype<Automaton>(0);
let texts: usize = 0;
let maps: usize = 0;
let count: i32 = 0;
/** Number of the next text or pattern to be read. */
let following: i32 = 0;
/** Steps that the last `siftAbreast` did not need. */
export let abreastPatience: i32 = 0;

/**
 * Reads texts with an automaton of several members, see `sift`: `size` addresses of an address and a length each, u32 at
 * `from`, at least LANES. Leaves at `into` for each text the address of the map of members that match, NONE, or 0 if that
 * was not found out, since it would take more than `patience` steps or the cache was dropped meanwhile. Maps are valid
 * until the next state is built.
 */
export function siftAbreast(automaton: Automaton, from: usize, size: i32, into: usize, patience: i32): void {
  sieve = automaton;
  texts = from;
  maps = into;
  count = size;
  following = 0;
  abreastPatience = patience;
  memory.fill(maps, 0, (<usize>size) << 2);
  flushes = cacheFlushes;
  for (let i = 0; i < LANES; i++) nextText(lane(i));
  let going = isIntact();
  while (going) {
    readTogether();
    for (let i = 0; i < LANES && going; i++) going = siftOn(lane(i)) && isIntact();
  }
  for (let i = 0; i < LANES; i++) siftAlone(lane(i));
  if (!isIntact()) memory.fill(maps, 0, (<usize>size) << 2);
}

/** Gives a lane the next text. False if there is none. */
function nextText(lane: Lane): bool {
  if (following == count) {
    lane.number = -1;
    return false;
  }
  const text = <usize>load<u32>(texts + ((<usize>following) << 2));
  lane.begin(following++, sieve, load<usize>(text), load<i32>(text, 4));
  return true;
}

/** Takes one byte, or ends the text and begins the next. False if the lane has nothing more to do: the rest is too few. */
function siftOn(lane: Lane): bool {
  if (lane.at == lane.end) {
    store<u32>(maps + ((<usize>lane.number) << 2), <u32>endOf(sieve, lane.state));
    return nextText(lane);
  }
  let next = lane.next();
  if (next == UNKNOWN) {
    if (abreastPatience == 0) return false;
    abreastPatience--;
    next = lane.build();
  }
  lane.state = next;
  lane.at++;
  return true;
}

/** Finishes a lane when the rest is too few. */
function siftAlone(lane: Lane): void {
  if (lane.number < 0 || !isIntact()) return;
  store<u32>(maps + ((<usize>lane.number) << 2), <u32>siftFrom(sieve, lane.state, lane.at, lane.end, abreastPatience));
  abreastPatience = patienceLeft;
}

// Several patterns, one text.

let patterns: usize = 0;
let found: usize = 0;
let subject: usize = 0;
let subjectLen: i32 = 0;

/**
 * Finds which of `size` patterns match the `len` bytes at `ptr`: addresses of patterns, u32 each at `from`. Leaves a byte for
 * each at `into`: 1 if it matches.
 */
export function matchAbreast(from: usize, size: i32, ptr: usize, len: i32, into: usize): void {
  patterns = from;
  found = into;
  count = size;
  following = 0;
  subject = ptr;
  subjectLen = len;
  flushes = cacheFlushes;
  let going = size >= LANES;
  for (let i = 0; i < LANES; i++) lane(i).number = -1;
  for (let i = 0; i < LANES && going; i++) going = nextPattern(lane(i)) && isIntact();
  while (going) {
    readTogether();
    for (let i = 0; i < LANES && going; i++) going = matchOn(lane(i)) && isIntact();
  }
  for (let i = 0; i < LANES; i++) finishAlone(lane(i));
  for (; following < count; following++) note(following, matches(pattern(following), subject, subjectLen));
}

function pattern(number: i32): Regex {
  return changetype<Regex>(<usize>load<u32>(patterns + ((<usize>number) << 2)));
}

function note(number: i32, matched: bool): void {
  store<u8>(found + <usize>number, matched ? 1 : 0);
}

/** Gives a lane the next pattern. False if there is none. */
function nextPattern(lane: Lane): bool {
  while (following < count) {
    const number = following++;
    lane.begin(number, pattern(number), subject, subjectLen);
    if (lane.state > MATCHED) return true;
    note(number, lane.state == MATCHED);
  }
  lane.number = -1;
  return false;
}

/** Takes one byte, and if that decides the pattern, begins the next. False if there is none: the rest is too few. */
function matchOn(lane: Lane): bool {
  let next: usize;
  if (lane.at == lane.end) next = endOf(lane.automaton, lane.state);
  else {
    next = lane.next();
    if (next == UNKNOWN) next = lane.build();
    lane.at++;
  }
  lane.state = next;
  if (next > MATCHED) return true;
  note(lane.number, next == MATCHED);
  return nextPattern(lane);
}

/** Finishes a lane that has a pattern: from where it is, or if its state is gone, from the start. */
function finishAlone(lane: Lane): void {
  if (lane.number < 0) return;
  const matched = isIntact() ? matchesFrom(lane.automaton, lane.state, lane.at, lane.end) : matches(pattern(lane.number), subject, subjectLen);
  note(lane.number, matched);
}
