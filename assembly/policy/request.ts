/**
 * The attributes of the request, or connection, that is being decided. Each is asked of the host when a condition
 * first needs it, and not at all if none does; one request is decided at a time, so they are variables of the module.
 */
import { Arena } from "../bytes/arena";
import { equal, equalFold, hashBytes, indexOf, isText, isTextFold, lastIndexOf, startsWithTextFold } from "../bytes/span";
import { FINDINGS_HEADER_LEN, FINDINGS_NAME } from "../findings/format";
import { dataLen, dataPtr, getNamedProperty, getProperty, lastStatus, now, STATUS_NOT_FOUND } from "../host/abi";
import { keyLen, keyPtr, nextPair, startPairs, valueLen, valuePtr } from "../host/pairs";
import { Identity } from "./identity";
import { Name, nameOf } from "./model";
import { canonical, canonicalLen, canonicalPtr, mayChange, PathOptions } from "./path";

/** What is known of an attribute. */
export const UNASKED: i32 = 0;
export const ABSENT: i32 = 1;
export const PRESENT: i32 = 2;
/** The host could not give it. */
export const UNREADABLE: i32 = 3;

/** Where what is read lives until the decision is made. */
export let arena: Arena = changetype<Arena>(0);
/** Number of the request: grows by one with each. */
export let serial: u32 = 0;
export let isHttp: bool = false;

let pairs: usize = 0;
let pairsLen: i32 = 0;
export let methodPtr: usize = 0;
export let methodLen: i32 = 0;
export let methodState: i32 = 0;
export let hostPtr: usize = 0;
export let hostLen: i32 = 0;
export let hostState: i32 = 0;
/** The path without its query, as it came, and the query. */
export let pathPtr: usize = 0;
export let pathLen: i32 = 0;
export let queryPtr: usize = 0;
export let queryLen: i32 = 0;
export let requestIdPtr: usize = 0;
export let requestIdLen: i32 = 0;
export let typePtr: usize = 0;
export let typeLen: i32 = 0;
export let isGrpc: bool = false;
/** What a gateway found, if the peer is one (see edge.ts), and how many times the header occurs. */
export let findingsPtr: usize = 0;
export let findingsLen: i32 = 0;
export let findingsCount: i32 = 0;
let isForwarded: bool = false;

/** The form of the path that is being judged, and whether that is the canonical one. */
export let formPtr: usize = 0;
export let formLen: i32 = 0;
export let isCanonical: bool = false;

/** Starts a request with its headers, an encoded map that lives as long as the decision. */
export function startRequest(target: Arena, ptr: usize, len: i32): void {
  startConnection(target);
  isHttp = true;
  pairs = ptr;
  pairsLen = len;
  startPairs(ptr, len);
  while (nextPair()) readHeader();
  isGrpc = startsWithTextFold(typePtr, typeLen, "application/grpc");
  splitPath();
}

/** Starts a connection without HTTP. */
export function startConnection(target: Arena): void {
  arena = target;
  serial++;
  isHttp = false;
  pairsLen = 0;
  methodLen = 0;
  methodState = ABSENT;
  hostLen = 0;
  hostState = ABSENT;
  pathLen = 0;
  queryLen = 0;
  formLen = 0;
  isCanonical = false;
  requestIdLen = 0;
  typeLen = 0;
  isGrpc = false;
  isForwarded = false;
  findingsCount = 0;
  identityState = UNASKED;
  sourceState = UNASKED;
  peerState = UNASKED;
  destinationState = UNASKED;
  portState = UNASKED;
  sniState = UNASKED;
  metadataState = UNASKED;
  nowTime = 0;
}

function readHeader(): void {
  const name = keyPtr;
  switch (keyLen) {
    case 5:
      if (!isText(name, 5, ":path")) return;
      pathPtr = valuePtr;
      pathLen = valueLen;
      return;
    case 7:
      if (!isText(name, 7, ":method")) return;
      methodPtr = valuePtr;
      methodLen = valueLen;
      methodState = PRESENT;
      return;
    case 10:
      if (!isText(name, 10, ":authority")) return;
      hostPtr = valuePtr;
      hostLen = valueLen;
      hostState = PRESENT;
      return;
    case 12:
      if (typeLen > 0 || !isText(name, 12, "content-type")) {
        if (requestIdLen > 0 || !isText(name, 12, "x-request-id")) return;
        requestIdPtr = valuePtr;
        requestIdLen = valueLen;
        return;
      }
      typePtr = valuePtr;
      typeLen = valueLen;
      return;
    case FINDINGS_HEADER_LEN:
      if (!isText(name, FINDINGS_HEADER_LEN, FINDINGS_NAME)) return;
      findingsPtr = valuePtr;
      findingsLen = valueLen;
      findingsCount++;
      return;
    case 15:
      if (isText(name, 15, "x-forwarded-for")) isForwarded = true;
  }
}

/** A path ends where its query or fragment begins. */
function splitPath(): void {
  const whole = pathLen;
  let end = 0;
  while (end < whole && load<u8>(pathPtr + end) != 0x3f && load<u8>(pathPtr + end) != 0x23) end++;
  pathLen = end;
  if (end < whole && load<u8>(pathPtr + end) == 0x3f) {
    queryPtr = pathPtr + <usize>(end + 1);
    const hash = indexOf(queryPtr, whole - end - 1, 0x23);
    queryLen = hash < 0 ? whole - end - 1 : hash;
  }
  formPtr = pathPtr;
  formLen = pathLen;
}

/** Goes on to the canonical form of the path. False if it is the one that came, unless it is wanted all the same. */
export function useCanonicalPath(options: PathOptions, wanted: bool): bool {
  if (!isHttp) return false;
  if (mayChange(pathPtr, pathLen, options)) {
    canonical(arena, pathPtr, pathLen, options, true);
    formPtr = canonicalPtr;
    formLen = canonicalLen;
  }
  isCanonical = wanted || !equal(formPtr, formLen, pathPtr, pathLen);
  return isCanonical;
}

/** Goes back to the path as it came. */
export function useRawPath(): void {
  formPtr = pathPtr;
  formLen = pathLen;
  isCanonical = false;
}

/** The value that the last function below gave. */
export let textPtr: usize = 0;
export let textLen: i32 = 0;

function text(ptr: usize, len: i32): i32 {
  textPtr = ptr;
  textLen = len;
  return PRESENT;
}

/** Sets the text. */
export function setText(ptr: usize, len: i32): void {
  textPtr = ptr;
  textLen = len;
}

/** What a property's status means, where empty is as good as absent. */
function stateOfProperty(got: bool): i32 {
  if (got) return dataLen > 0 ? PRESENT : ABSENT;
  return lastStatus == STATUS_NOT_FOUND ? ABSENT : UNREADABLE;
}

export const identity: Identity = changetype<Identity>(memory.data(64, 8));
let identityState: i32 = 0;

/** Reads the identity of the peer. ABSENT: plaintext, or no certificate. */
export function readIdentity(): i32 {
  if (identityState != UNASKED) return identityState;
  identityState = stateOfProperty(getProperty("connection.uri_san_peer_certificate"));
  if (identityState == ABSENT) identityState = stateOfProperty(getProperty("connection.dns_san_peer_certificate"));
  if (identityState == ABSENT) identityState = stateOfProperty(getProperty("connection.subject_peer_certificate"));
  if (identityState == PRESENT) identity.set(dataPtr, dataLen);
  else identity.set(0, 0);
  return identityState;
}

let sourceState: i32 = 0;
let sourcePtr: usize = 0;
let sourceLen: i32 = 0;

/** Reads the client's address as Envoy sees it through trusted proxies: `remote.ip`. */
export function readRemoteAddress(): i32 {
  if (sourceState == UNASKED) {
    sourceState = stateOfProperty(getProperty("source.address"));
    sourcePtr = dataPtr;
    sourceLen = dataLen;
  }
  if (sourceState == PRESENT) withoutPort(sourcePtr, sourceLen);
  return sourceState;
}

let peerState: i32 = 0;
let peerPtr: usize = 0;
let peerLen: i32 = 0;

/**
 * Reads the address of the peer itself: `source.ip`. Envoy shows it to plugins only if something keeps it in filter
 * state; without that it is the remote address if no header can have changed that, and otherwise unknown.
 */
export function readPeerAddress(): i32 {
  if (peerState == UNASKED) {
    peerState = stateOfProperty(getNamedProperty("filter_state", "bailey.peer_address"));
    peerPtr = dataPtr;
    peerLen = dataLen;
    if (peerState == ABSENT) {
      peerState = isForwarded ? UNREADABLE : readRemoteAddress();
      peerPtr = sourcePtr;
      peerLen = sourceLen;
    }
  }
  if (peerState == PRESENT) withoutPort(peerPtr, peerLen);
  return peerState;
}

let destinationState: i32 = 0;
let destinationPtr: usize = 0;
let destinationLen: i32 = 0;

/** Reads the address that the peer connected to. */
export function readDestinationAddress(): i32 {
  if (destinationState == UNASKED) {
    destinationState = stateOfProperty(getProperty("destination.address"));
    destinationPtr = dataPtr;
    destinationLen = dataLen;
  }
  if (destinationState == PRESENT) withoutPort(destinationPtr, destinationLen);
  return destinationState;
}

/** Gives the address of `192.0.2.1:80` or `[2001:db8::1]:80`. */
function withoutPort(ptr: usize, len: i32): void {
  if (len > 0 && load<u8>(ptr) == 0x5b) {
    const close = indexOf(ptr, len, 0x5d);
    text(ptr + 1, close < 0 ? len - 1 : close - 1);
    return;
  }
  const colon = lastIndexOf(ptr, len, 0x3a);
  // several colons and no brackets: an address alone
  text(ptr, colon < 0 || indexOf(ptr, len, 0x3a) != colon ? len : colon);
}

let portState: i32 = 0;
let portPtr: usize = 0;
let portLen: i32 = 0;

/** Reads the port that the peer connected to, in decimal digits. */
export function readDestinationPort(): i32 {
  if (portState == UNASKED) {
    portState = readDestinationAddress();
    if (portState == PRESENT) {
      const colon = lastIndexOf(destinationPtr, destinationLen, 0x3a);
      portPtr = destinationPtr + <usize>(colon + 1);
      portLen = colon < 0 ? 0 : destinationLen - colon - 1;
    }
  }
  return portState == PRESENT ? text(portPtr, portLen) : portState;
}

let sniState: i32 = 0;
let sniPtr: usize = 0;
let sniLen: i32 = 0;

/** Reads the server name that the peer asked for (TLS SNI); empty if it did not. */
export function readSni(): i32 {
  if (sniState == UNASKED) {
    sniState = stateOfProperty(getProperty("connection.requested_server_name"));
    sniPtr = dataPtr;
    sniLen = sniState == PRESENT ? dataLen : 0;
    if (sniState == ABSENT) sniState = PRESENT;
  }
  return sniState == PRESENT ? text(sniPtr, sniLen) : sniState;
}

let metadataState: i32 = 0;
export let metadataPtr: usize = 0;
export let metadataLen: i32 = 0;

/** Reads Envoy's dynamic metadata, see metadata.ts. */
export function readMetadata(): i32 {
  if (metadataState == UNASKED) {
    metadataState = stateOfProperty(getProperty("metadata"));
    metadataPtr = dataPtr;
    metadataLen = dataLen;
  }
  return metadataState;
}

let nowTime: i64 = 0;

/** Gives the time of the request in nanoseconds since 1970. */
export function readTime(): i64 {
  if (nowTime == 0) nowTime = now();
  return nowTime;
}

/** Starts going over the values of a header, one for each time that it occurs; `host` is `:authority`. */
export function startHeader(name: usize, len: i32): void {
  headerName = name;
  headerNameLen = len;
  if (isTextFold(name, len, "host")) {
    headerName = AUTHORITY.ptr;
    headerNameLen = AUTHORITY.len;
  }
  startPairs(pairs, pairsLen);
}
let headerName: usize = 0;
let headerNameLen: i32 = 0;
const AUTHORITY: Name = nameOf(":authority");

/** Finds the next value. False if there is none. */
export function nextHeader(): bool {
  while (nextPair()) {
    if (!equalFold(keyPtr, keyLen, headerName, headerNameLen)) continue;
    setText(valuePtr, valueLen);
    return true;
  }
  return false;
}

/** Sets the text to two texts with a byte between them. */
export function joinTexts(first: usize, firstLen: i32, between: u8, second: usize, secondLen: i32): void {
  const joined = arena.reserve(<usize>(firstLen + secondLen + 1));
  memory.copy(joined, first, <usize>firstLen);
  store<u8>(joined + <usize>firstLen, between);
  memory.copy(joined + <usize>(firstLen + 1), second, <usize>secondLen);
  text(joined, firstLen + secondLen + 1);
}

/** Gives the service of a gRPC request: `package.Service` of `/package.Service/Method`. */
export function readGrpcService(): i32 {
  const slash = grpcSlash();
  return slash < 0 ? ABSENT : text(formPtr + 1, slash - 1);
}

/** Gives the method of a gRPC request. */
export function readGrpcMethod(): i32 {
  const slash = grpcSlash();
  return slash < 0 ? ABSENT : text(formPtr + <usize>(slash + 1), formLen - slash - 1);
}

function grpcSlash(): i32 {
  if (!isGrpc || formLen < 3 || load<u8>(formPtr) != 0x2f) return -1;
  return indexOf(formPtr, formLen, 0x2f, 1);
}

/** A number for the identity of the peer, for what is counted by it. */
export function identityHash(): u32 {
  return readIdentity() == PRESENT ? hashBytes(identity.ptr, identity.len) : 0;
}
