/**
 * Rate limits: at most so many requests in so many seconds for each caller, with the generic cell rate algorithm
 * (ITU-T I.371): one moment is kept for each caller, up to which its allowance is used.
 *
 * The table has a fixed size. Where it is full, the caller whose allowance is used least is forgotten, and counted:
 * limits are then looser, never stricter, for callers that were seen long ago. Each VM counts for itself, so with
 * several workers or replicas a caller may get the limit from each.
 */
import { hashBytes } from "../bytes/span";
import { RateLimit } from "./model";

/** Buckets, in sets of `WAYS` that share a hash. */
const BUCKETS: u32 = 8192;
const WAYS: u32 = 4;
/** Bytes of a bucket: u64 key, i64 moment in nanoseconds since 1970. */
const BUCKET: usize = 16;

let table: usize = 0;
/** Callers that were forgotten while they still had a limit. */
export let forgotten: u32 = 0;

/** Makes the table, once. */
export function prepareLimits(): void {
  if (table != 0) return;
  table = heap.alloc(<usize>BUCKETS * BUCKET);
  memory.fill(table, 0, <usize>BUCKETS * BUCKET);
}

/** Takes one request from the allowance of a caller. False if nothing is left of it. */
export function takeFrom(limit: RateLimit, caller: usize, len: i32, now: i64): bool {
  const key = keyOf(limit.id, caller, len);
  const bucket = bucketOf(key, now);
  const period = <i64>limit.seconds * 1000000000;
  const interval = period / limit.requests;
  const used = max<i64>(load<i64>(bucket, 8), now);
  if (used - now > period - interval) return false;
  store<i64>(bucket, used + interval, 8);
  limit.bucket = bucket;
  return true;
}

/** Gives back what the last `takeFrom` of a limit took, before anything else is taken. */
export function giveBackTo(limit: RateLimit): void {
  const bucket = limit.bucket;
  store<i64>(bucket, load<i64>(bucket, 8) - (<i64>limit.seconds * 1000000000) / limit.requests, 8);
}

function keyOf(id: u32, ptr: usize, len: i32): u64 {
  let high = (hashBytes(ptr, len) ^ id) * 0x85ebca6b;
  let low: u32 = id * 0x9e3779b1;
  for (let i = 0; i < len; i++) low = rotl<u32>(low ^ <u32>load<u8>(ptr + i), 7) * 0xcc9e2d51;
  high ^= high >> 13;
  // 0 is an empty bucket
  return (((<u64>high) << 32) | <u64>low) + 1;
}

function bucketOf(key: u64, now: i64): usize {
  const set = table + <usize>((<u32>key % (BUCKETS / WAYS)) * WAYS) * BUCKET;
  let oldest = set;
  for (let i: usize = 0; i < WAYS; i++) {
    const bucket = set + i * BUCKET;
    if (load<u64>(bucket) == key) return bucket;
    if (load<i64>(bucket, 8) < load<i64>(oldest, 8)) oldest = bucket;
  }
  if (load<i64>(oldest, 8) > now) forgotten++;
  store<u64>(oldest, key);
  store<i64>(oldest, 0, 8);
  return oldest;
}
