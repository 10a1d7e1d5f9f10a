/**
 * Trust domains that mean the same, as in Istio's mesh configuration: a principal of one of them, or of
 * `cluster.local`, stands for that workload in all of them.
 */
import { Arena, make } from "../bytes/arena";
import { equal, indexOf } from "../bytes/span";
import { JsonNode } from "../config/json";
import { SCHEME, SPIFFE } from "./identity";
import { Name, nameOf } from "./model";
import { anything, between, exactly, M_NOT_EMPTY, M_PRESENT, StringSet, wildcard } from "./strings";

const CLUSTER_LOCAL: Name = nameOf("cluster.local");

@unmanaged
export class TrustDomains {
  /** The mesh's own, null for `cluster.local`. */
  own: JsonNode | null;
  /** A list, or null. */
  aliases: JsonNode | null;

  static create(arena: Arena): TrustDomains {
    return make<TrustDomains>(arena);
  }

  get ownPtr(): usize {
    const own = this.own;
    return own ? own.ptr : CLUSTER_LOCAL.ptr;
  }

  get ownLen(): i32 {
    const own = this.own;
    return own ? own.len : CLUSTER_LOCAL.len;
  }

  /** Adds a principal of a policy to a set, for each trust domain that it means. */
  expand(arena: Arena, set: StringSet, ptr: usize, len: i32): void {
    const end = indexOf(ptr, len, 0x2f);
    if (!namesDomain(ptr, len) || !this.means(ptr, end)) {
      addPrincipal(arena, set, ptr, len);
      return;
    }
    addIn(arena, set, this.ownPtr, this.ownLen, ptr, len);
    const aliases = this.aliases;
    if (aliases) for (let node: JsonNode | null = aliases.child; node; node = node!.next) addIn(arena, set, node.ptr, node.len, ptr, len);
  }

  /** True if a trust domain of a policy, possibly with a wildcard, is one of the mesh's. */
  private means(ptr: usize, len: i32): bool {
    if (equal(ptr, len, CLUSTER_LOCAL.ptr, CLUSTER_LOCAL.len) || fits(ptr, len, this.ownPtr, this.ownLen)) return true;
    const aliases = this.aliases;
    if (aliases) for (let node: JsonNode | null = aliases.child; node; node = node!.next) if (fits(ptr, len, node.ptr, node.len)) return true;
    return false;
  }

  /** Adds a trust domain of a policy to a set, with those that mean the same. */
  expandDomain(arena: Arena, set: StringSet, ptr: usize, len: i32): void {
    const aliases = this.aliases;
    let known = equal(this.ownPtr, this.ownLen, ptr, len);
    if (aliases) for (let node: JsonNode | null = aliases.child; node; node = node!.next) known = known || equal(node.ptr, node.len, ptr, len);
    if (!known) {
      set.add(wildcard(arena, ptr, len, M_PRESENT));
      return;
    }
    set.add(exactly(arena, this.ownPtr, this.ownLen));
    if (aliases) for (let node: JsonNode | null = aliases.child; node; node = node!.next) set.add(exactly(arena, node.ptr, node.len));
  }
}

/** True if a pattern with `*` at its start or end, or a name, is that of a trust domain. */
function fits(ptr: usize, len: i32, domain: usize, domainLen: i32): bool {
  if (equal(ptr, len, domain, domainLen) || endsAs(ptr, len, domain, domainLen)) return true;
  return load<u8>(ptr + <usize>(len - 1)) == 0x2a && len - 1 <= domainLen && equal(ptr, len - 1, domain, len - 1);
}

/** True if a pattern starts with `*` and the trust domain ends with the rest. */
function endsAs(ptr: usize, len: i32, domain: usize, domainLen: i32): bool {
  if (load<u8>(ptr) != 0x2a || len - 1 > domainLen) return false;
  return equal(ptr + 1, len - 1, domain + <usize>(domainLen - (len - 1)), len - 1);
}

/** Adds a principal as it is in a trust domain: a pattern that fits that stays, anything else is replaced by it. */
function addIn(arena: Arena, set: StringSet, domain: usize, domainLen: i32, ptr: usize, len: i32): void {
  const end = indexOf(ptr, len, 0x2f);
  if (endsAs(ptr, end, domain, domainLen)) {
    addPrincipal(arena, set, ptr, len);
    return;
  }
  const text = arena.reserve(<usize>(domainLen + len - end));
  memory.copy(text, domain, <usize>domainLen);
  memory.copy(text + <usize>domainLen, ptr + <usize>end, <usize>(len - end));
  addPrincipal(arena, set, text, domainLen + len - end);
}

/** Only `<trust domain>/ns/<namespace>/sa/<account>`, its domain not just `*`, names a trust domain for certain. */
function namesDomain(ptr: usize, len: i32): bool {
  let slashes = 0;
  for (let i = 0; i < len; i++) if (load<u8>(ptr + i) == 0x2f) slashes++;
  const end = indexOf(ptr, len, 0x2f);
  return slashes == 4 && end > 0 && !(end == 1 && load<u8>(ptr) == 0x2a);
}

/** A principal is compared with the whole identity: `spiffe://` and what the policy says. */
function addPrincipal(arena: Arena, set: StringSet, ptr: usize, len: i32): void {
  if (len == 1 && load<u8>(ptr) == 0x2a) {
    set.add(anything(arena, M_NOT_EMPTY));
    return;
  }
  if (load<u8>(ptr) == 0x2a) {
    set.add(between(arena, SPIFFE, SCHEME, ptr + 1, len - 1));
    return;
  }
  const text = arena.reserve(<usize>(SCHEME + len));
  memory.copy(text, SPIFFE, SCHEME);
  memory.copy(text + SCHEME, ptr, <usize>len);
  const ends = load<u8>(ptr + <usize>(len - 1)) == 0x2a;
  set.add(ends ? between(arena, text, SCHEME + len - 1, text, 0) : exactly(arena, text, SCHEME + len));
}
