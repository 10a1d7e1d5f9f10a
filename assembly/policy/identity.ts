/**
 * Who calls: the identity of the peer's certificate, never a header. It is the first URI SAN, which is all that a
 * host shows to a plugin, otherwise the first DNS SAN, otherwise the subject, as in Envoy's RBAC.
 *
 * A workload of a mesh is `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`: such an identity is `plain`
 * and taken apart at once. Others are compared as Istio's generated expressions would, see `contains` and
 * `hasServiceAccount`.
 */
import { equal, find, indexOf } from "../bytes/span";

/** Length of `spiffe://`. */
export const SCHEME: i32 = 9;

@unmanaged
export class Identity {
  ptr: usize;
  len: i32;
  /** True if it has just the parts of a workload's identity. */
  plain: bool;
  trustDomain: usize;
  trustDomainLen: i32;
  namespace: usize;
  namespaceLen: i32;
  account: usize;
  accountLen: i32;

  /** Takes an identity apart. The bytes must outlive it. */
  set(ptr: usize, len: i32): void {
    this.ptr = ptr;
    this.len = len;
    this.plain = false;
    this.trustDomainLen = 0;
    if (!isSpiffe(ptr, len)) return;
    const end = indexOf(ptr, len, 0x2f, SCHEME);
    this.trustDomain = ptr + SCHEME;
    this.trustDomainLen = (end < 0 ? len : end) - SCHEME;
    if (end <= SCHEME || !isAt(ptr, len, end, NS)) return;
    const ns = end + 4;
    const slash = indexOf(ptr, len, 0x2f, ns);
    if (slash <= ns || !isAt(ptr, len, slash, SA)) return;
    const sa = slash + 4;
    if (sa == len || indexOf(ptr, len, 0x2f, sa) >= 0) return;
    this.namespace = ptr + <usize>ns;
    this.namespaceLen = slash - ns;
    this.account = ptr + <usize>sa;
    this.accountLen = len - sa;
    this.plain = true;
  }

  namespaceIs(ptr: usize, len: i32): bool {
    return equal(this.namespace, this.namespaceLen, ptr, len);
  }

  accountIs(ptr: usize, len: i32): bool {
    return equal(this.account, this.accountLen, ptr, len);
  }

  /** True if `/ns/<namespace>/` stands somewhere in it. */
  contains(namespace: usize, len: i32): bool {
    for (let at = 0; at + 4 + len < this.len; at++) {
      if (!isAt(this.ptr, this.len, at, NS) || load<u8>(this.ptr + <usize>(at + 4 + len)) != 0x2f) continue;
      if (equal(this.ptr + <usize>(at + 4), len, namespace, len)) return true;
    }
    return false;
  }
}

/** `/ns/` and `/sa/`. */
const NS: usize = memory.data<u8>([0x2f, 0x6e, 0x73, 0x2f]);
const SA: usize = memory.data<u8>([0x2f, 0x73, 0x61, 0x2f]);

/** True if the four bytes at `word` stand at `at`. */
function isAt(ptr: usize, len: i32, at: i32, word: usize): bool {
  return at + 4 <= len && load<u32>(ptr + <usize>at) == load<u32>(word);
}

export function isSpiffe(ptr: usize, len: i32): bool {
  return len >= SCHEME && equal(ptr, SCHEME, SPIFFE, SCHEME);
}

/** `spiffe://` */
export const SPIFFE: usize = memory.data<u8>([0x73, 0x70, 0x69, 0x66, 0x66, 0x65, 0x3a, 0x2f, 0x2f]);

/**
 * True if an identity that is not plain belongs to a service account: Istio's
 * `spiffe://.+/ns/<namespace>/(.+/|)sa/<account>(/.+)?` for the whole of it.
 */
export function hasServiceAccount(id: Identity, namespace: usize, namespaceLen: i32, account: usize, accountLen: i32): bool {
  if (!isSpiffe(id.ptr, id.len)) return false;
  // at least one byte before "/ns/"
  for (let at = SCHEME + 1; at + 4 + namespaceLen < id.len; at++) {
    if (!isAt(id.ptr, id.len, at, NS)) continue;
    const after = at + 4 + namespaceLen;
    if (!equal(id.ptr + <usize>(at + 4), namespaceLen, namespace, namespaceLen) || load<u8>(id.ptr + <usize>after) != 0x2f) continue;
    if (endsWithAccount(id.ptr + <usize>after, id.len - after, account, accountLen)) return true;
  }
  return false;
}

/** The rest from the slash after the namespace on: `/sa/x`, or `/anything/sa/x`, and possibly `/more`. */
function endsWithAccount(ptr: usize, len: i32, account: usize, accountLen: i32): bool {
  let from = 0;
  while (from < len) {
    const at = find(ptr + <usize>from, len - from, SA, 4);
    if (at < 0) return false;
    const start = from + at + 4;
    const end = start + accountLen;
    // between the two slashes there is something, or they are one slash
    const apart = from + at == 0 || from + at > 1;
    if (apart && end <= len && equal(ptr + <usize>start, accountLen, account, accountLen)) {
      if (end == len || (load<u8>(ptr + <usize>end) == 0x2f && end + 1 < len)) return true;
    }
    from += at + 1;
  }
  return false;
}
