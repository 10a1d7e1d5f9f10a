/**
 * libinjection's word tables: SQL keywords and operators, fingerprints of injections, and HTML's
 * dangerous tags, attributes and events. They are data, taken at set-up from the Go module
 * libinjection-go and loaded once, before the memory of the filter is frozen into its wasm file.
 *
 * A table is a fixed hash table of trusted keys; a look-up costs one hash of at most WORD_MAX bytes. Most words of
 * ordinary text are in none: a map of bits by hash, small enough to stay in the processor's nearest cache, says so.
 */
import { Arena } from "../bytes/arena";
import { hasBit, setBit } from "../bytes/bits";
import { equalFold, hashFold } from "../bytes/span";

/** Keywords, operators and fingerprints (`0` and the fingerprint in upper case), with their type. */
export const SQL: i32 = 0;
/** Dangerous tags. */
export const TAGS: i32 = 1;
/** Events, without their `ON`, with the kind of attribute they are. */
export const EVENTS: i32 = 2;
/** Dangerous attributes, with their kind. */
export const ATTRIBUTES: i32 = 3;

/** Longest word that is looked up. */
export const WORD_MAX: i32 = 40;

const SLOTS: u32 = 32768;

let arena: Arena = changetype<Arena>(0);
/** SLOTS addresses of entries: u8 table, u8 type, u8 length, then the word in upper case. */
let slots: usize = 0;
/** A bit for each hash of a word, of as many as there are slots. */
const present: usize = memory.data(4096);

/** Tells tables apart. */
const TABLE_FACTOR: u32 = 0x9e3779b1;

function hashOf(table: i32, word: usize, len: i32): u32 {
  return hashFold(word, len) + <u32>table * TABLE_FACTOR;
}

function same(entry: usize, table: i32, word: usize, len: i32): bool {
  return load<u8>(entry) == <u8>table && equalFold(entry + 3, <i32>load<u8>(entry, 2), word, len);
}

function slotOf(hash: u32, table: i32, word: usize, len: i32): usize {
  let slot = hash & (SLOTS - 1);
  while (true) {
    const at = slots + ((<usize>slot) << 2);
    const entry = <usize>load<u32>(at);
    if (entry == 0 || same(entry, table, word, len)) return at;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

/** Adds a word, given in upper case. */
export function addWord(table: i32, type: u8, word: usize, len: i32): void {
  if (slots == 0) {
    arena = Arena.create(0);
    slots = arena.alloc((<usize>SLOTS) << 2);
  }
  if (len > WORD_MAX) return;
  const hash = hashOf(table, word, len);
  const at = slotOf(hash, table, word, len);
  if (load<u32>(at) != 0) return;
  const bit = hash & (SLOTS - 1);
  setBit(present, bit);
  const entry = arena.alloc(<usize>len + 3);
  store<u8>(entry, <u8>table);
  store<u8>(entry, type, 1);
  store<u8>(entry, <u8>len, 2);
  memory.copy(entry + 3, word, <usize>len);
  store<u32>(at, <u32>entry);
}

/** Gives the type of a word, in any case, or 0 if it is not in the table. */
export function lookUp(table: i32, word: usize, len: i32): u8 {
  if (len > WORD_MAX || slots == 0) return 0;
  const hash = hashOf(table, word, len);
  if (!hasBit(present, hash & (SLOTS - 1))) return 0;
  const entry = <usize>load<u32>(slotOf(hash, table, word, len));
  return entry == 0 ? 0 : load<u8>(entry, 1);
}

/**
 * Loads tables from text: a line is the table's letter (`s`, `t`, `e`, `a`), a space, the type, a space,
 * and the word. Gives the number of words.
 */
export function loadWords(text: usize, len: i32): i32 {
  let count = 0;
  let start = 0;
  for (let i = 0; i <= len; i++) {
    if (i < len && load<u8>(text + i) != 0x0a) continue;
    if (i - start > 4) {
      addWord(tableOf(load<u8>(text + start)), load<u8>(text + start + 2), text + start + 4, i - start - 4);
      count++;
    }
    start = i + 1;
  }
  return count;
}

function tableOf(letter: u8): i32 {
  if (letter == 0x73) return SQL;
  if (letter == 0x74) return TAGS;
  return letter == 0x65 ? EVENTS : ATTRIBUTES;
}
