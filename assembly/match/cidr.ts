/** Sets of networks (`@ipMatch`): IPv4 and IPv6 addresses, with or without a prefix length (RFC 4632, RFC 4291). */
import { Arena } from "../bytes/arena";
import { hexValue, isHex, isSpace } from "../bytes/ascii";
import { indexOf, isUnsigned, lastIndexOf, parsedInt } from "../bytes/span";

/** The address that `parseAddress` read: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
const address: usize = memory.data(16);

/** A set is u32 count, then for each network 16 bytes and u32 prefix length of those 128 bits. */
const ENTRY: usize = 20;

/** What `compileNetworks` could not read. */
export let badNetwork: usize = 0;
export let badNetworkLen: i32 = 0;

/** Compiles a list separated by commas or white space, `#` starting a comment. 0: see `badNetwork`. */
export function compileNetworks(arena: Arena, ptr: usize, len: i32): usize {
  let entries = 1;
  for (let i = 0; i < len; i++) if (isSeparator(load<u8>(ptr + i))) entries++;
  const set = arena.alloc(4 + <usize>entries * ENTRY);
  let count: u32 = 0;
  let i = 0;
  while (i < len) {
    const start = i;
    while (i < len && !isSeparator(load<u8>(ptr + i))) i++;
    if (i > start && load<u8>(ptr + start) == 0x23) while (i < len && load<u8>(ptr + i) != 0x0a) i++;
    else if (i > start) {
      if (!parseNetwork(set + 4 + <usize>count * ENTRY, ptr + start, i - start)) {
        badNetwork = ptr + start;
        badNetworkLen = i - start;
        return 0;
      }
      count++;
    }
    i++;
  }
  store<u32>(set, count);
  return set;
}

function isSeparator(c: u8): bool {
  return c == 0x2c || isSpace(c);
}

function parseNetwork(entry: usize, ptr: usize, len: i32): bool {
  const slash = indexOf(ptr, len, 0x2f);
  const addressLen = slash < 0 ? len : slash;
  if (!parseAddress(ptr, addressLen)) return false;
  const v4 = indexOf(ptr, addressLen, 0x3a) < 0;
  let bits = 128;
  if (slash >= 0) {
    if (!isUnsigned(ptr + slash + 1, len - slash - 1) || parsedInt > (v4 ? 32 : 128)) return false;
    bits = <i32>parsedInt + (v4 ? 96 : 0);
  }
  memory.copy(entry, address, 16);
  store<u32>(entry, bits, 16);
  return true;
}

/** True if the address, as text, is in one of the networks of the set. */
export function inNetworks(set: usize, ptr: usize, len: i32): bool {
  if (!parseAddress(ptr, len)) return false;
  const v4 = indexOf(ptr, len, 0x3a) < 0;
  const count = load<u32>(set);
  for (let i: u32 = 0; i < count; i++) {
    const entry = set + 4 + <usize>i * ENTRY;
    const bits = load<u32>(entry, 16);
    // ::/0 is all of IPv6, and none of IPv4
    if ((!v4 || bits >= 96) && sharesPrefix(entry, bits)) return true;
  }
  return false;
}

function sharesPrefix(network: usize, bits: u32): bool {
  const bytes = <usize>bits >> 3;
  if (memory.compare(network, address, bytes) != 0) return false;
  const rest = bits & 7;
  return rest == 0 || (load<u8>(network + bytes) ^ load<u8>(address + bytes)) >> (8 - <u8>rest) == 0;
}

function parseAddress(ptr: usize, len: i32): bool {
  return indexOf(ptr, len, 0x3a) < 0 ? parseV4(ptr, len, address) : parseV6(ptr, len);
}

/** Reads a.b.c.d into the last four of the 16 bytes at `out`. */
function parseV4(ptr: usize, len: i32, out: usize): bool {
  memory.fill(out, 0, 10);
  store<u16>(out, 0xffff, 10);
  return readV4(ptr, len, out + 12);
}

function readV4(ptr: usize, len: i32, out: usize): bool {
  let start = 0;
  let part = 0;
  for (let i = 0; i <= len; i++) {
    if (i < len && load<u8>(ptr + i) != 0x2e) continue;
    if (part == 4 || !isUnsigned(ptr + start, i - start) || parsedInt > 255) return false;
    store<u8>(out + part++, <u8>parsedInt);
    start = i + 1;
  }
  return part == 4;
}

/** Reads groups of four digits, at most one `::`, and an optional IPv4 tail. */
function parseV6(ptr: usize, len: i32): bool {
  memory.fill(address, 0, 16);
  let at = 0;
  let gap = -1;
  let i = 0;
  if (len >= 2 && load<u8>(ptr) == 0x3a) {
    if (load<u8>(ptr + 1) != 0x3a) return false;
    gap = 0;
    i = 2;
  }
  while (i < len) {
    let end = indexOf(ptr, len, 0x3a, i);
    if (end < 0) end = len;
    if (end == len && lastIndexOf(ptr + i, end - i, 0x2e) >= 0) {
      if (at > 12 || !readV4(ptr + i, end - i, address + at)) return false;
      at += 4;
      i = end;
      break;
    }
    if (at > 14 || end == i || end - i > 4) return false;
    let value: u32 = 0;
    for (let k = i; k < end; k++) {
      if (!isHex(load<u8>(ptr + k))) return false;
      value = (value << 4) | hexValue(load<u8>(ptr + k));
    }
    store<u16>(address + at, bswap<u16>(<u16>value));
    at += 2;
    i = end + 1;
    if (end < len && i < len && load<u8>(ptr + i) == 0x3a) {
      if (gap >= 0) return false;
      gap = at;
      i++;
    } else if (end < len && i == len) return false;
  }
  if (gap < 0) return at == 16;
  if (at == 16) return false;
  memory.copy(address + 16 - (at - gap), address + gap, <usize>(at - gap));
  memory.fill(address + gap, 0, <usize>(16 - at));
  return true;
}
