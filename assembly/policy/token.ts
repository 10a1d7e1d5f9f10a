/** What a verified token says: Envoy's jwt_authn puts its claims into dynamic metadata. */
import { findMetadata, metadataIsList, metadataLen, metadataPtr } from "./metadata";
import { Name, nameOf } from "./model";

const JWT_FILTER: Name = nameOf("envoy.filters.http.jwt_authn");
/** Where Istio has the filter put what a token says; the path to a claim goes on from here. */
const PAYLOAD: Name = nameOf("payload");
const ISSUER: Name = nameOf("iss");
const SUBJECT: Name = nameOf("sub");

/** Finds a claim in the metadata of `len` bytes at `ptr`, see `findMetadata`. */
export function findClaim(ptr: usize, len: i32, path: Name | null): bool {
  PAYLOAD.next = path;
  return findMetadata(ptr, len, JWT_FILTER, PAYLOAD);
}

// What `findUser` found.
export let issuerPtr: usize = 0;
export let issuerLen: i32 = 0;
export let subjectPtr: usize = 0;
export let subjectLen: i32 = 0;

/** Finds the issuer and the subject of the token. False if there is none with both. */
export function findUser(ptr: usize, len: i32): bool {
  if (!findClaim(ptr, len, ISSUER) || metadataIsList) return false;
  issuerPtr = metadataPtr;
  issuerLen = metadataLen;
  if (!findClaim(ptr, len, SUBJECT) || metadataIsList) return false;
  subjectPtr = metadataPtr;
  subjectLen = metadataLen;
  return true;
}
