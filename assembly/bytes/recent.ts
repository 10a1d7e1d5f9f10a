/**
 * A table of fixed size for keys that traffic chooses: identities, addresses. Each key has one number, which its user
 * lets grow with time; where there is no room, the key with the least number goes, and what goes too early is counted.
 *
 * Keys are kept as 64-bit hashes, which start from a number that differs from table to table, so that nobody who chooses
 * keys can prepare two with the same hash.
 */

/** Slots that share a hash. */
const WAYS: u32 = 4;
/** Bytes of a slot: u64 key, 0 while it is empty, and i64 number. */
const SLOT: usize = 16;

/** Prime of FNV-1a with 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
const FNV_PRIME: u64 = 0x100000001b3;
/** Odd factors that spread bits (Knuth, The Art of Computer Programming, 6.4). */
const SPREAD: u64 = 0x9e3779b97f4a7;
const SPREAD_MORE: u64 = 0x5851f42d4c957;

@unmanaged
export class Recent {
  private slots: usize;
  private sets: u32;
  private seed: u64;
  /** Keys that went although their number was above the moment at which they did. */
  forgotten: u32;

  /**
   * Makes a table of so many slots, a multiple of 4, which lives as long as the VM. `seed` is something that cannot be
   * known from outside: the moment in nanoseconds.
   */
  static create(slots: u32, seed: i64): Recent {
    const made = changetype<Recent>(heap.alloc(offsetof<Recent>()));
    made.slots = heap.alloc(<usize>slots * SLOT);
    memory.fill(made.slots, 0, <usize>slots * SLOT);
    made.sets = slots / WAYS;
    made.seed = <u64>seed * SPREAD;
    made.forgotten = 0;
    return made;
  }

  /** Gives the hash of a key, for `find` and `take`; `kind` tells tables within the table apart. */
  keyOf(kind: u32, ptr: usize, len: i32): u64 {
    let hash = this.seed ^ <u64>kind;
    for (let i = 0; i < len; i++) hash = (hash ^ <u64>load<u8>(ptr + i)) * FNV_PRIME;
    hash = (hash ^ (hash >> 32)) * SPREAD_MORE;
    hash ^= hash >> 31;
    return hash == 0 ? 1 : hash;
  }

  private setOf(key: u64): usize {
    return this.slots + <usize>((<u32>(key >> 16) % this.sets) * WAYS) * SLOT;
  }

  /** Gives the number of a key, 0 if it has none. */
  find(key: u64): i64 {
    const set = this.setOf(key);
    for (let i: usize = 0; i < WAYS; i++) if (load<u64>(set + i * SLOT) == key) return load<i64>(set + i * SLOT, 8);
    return 0;
  }

  /** Gives the address of the number of a key, which is 0 if the key is new. `moment` says which numbers are in use. */
  take(key: u64, moment: i64): usize {
    const set = this.setOf(key);
    let least = set;
    for (let i: usize = 0; i < WAYS; i++) {
      const slot = set + i * SLOT;
      if (load<u64>(slot) == key) return slot + 8;
      if (load<i64>(slot, 8) < load<i64>(least, 8)) least = slot;
    }
    if (load<i64>(least, 8) > moment) this.forgotten++;
    store<u64>(least, key);
    store<i64>(least, 0, 8);
    return least + 8;
  }
}
