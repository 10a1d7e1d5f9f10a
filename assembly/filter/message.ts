/**
 * From a message of the host to the variables of a transaction: the request line, headers, cookies,
 * query, and the body through its processor. Values stay where the host put them.
 */

import { Arena, make } from "../bytes/arena";
import { isSpace } from "../bytes/ascii";
import { indexOf, isText, isTextFold, lastIndexOf, startsWithTextFold } from "../bytes/span";
import { jsonBodyError, parseJsonBody } from "../decode/body/json";
import * as multipart from "../decode/body/multipart";
import { Gap, MultipartTrim } from "../decode/body/multiparttrim";
import { decodedLen, decodedPtr, decodePercent, invalidEncoding, parseUrlencoded, tooMany } from "../decode/body/urlencoded";
import { parseXmlBody, xmlError } from "../decode/body/xml";
import { Item } from "../decode/items";
import { FINDINGS_NAME } from "../findings/format";
import { keyLen, keyPtr, nextPair, startPairs, valueLen, valuePtr } from "../host/pairs";
import { PROCESSOR_JSON, PROCESSOR_MULTIPART, PROCESSOR_NONE, PROCESSOR_URLENCODED, PROCESSOR_XML } from "../seclang/model";
import { MimeType } from "../seclang/settings";
import { Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";

/** Headers that decide how a message is handled, found on the way; 0 if absent. */
export let contentType: usize = 0;
export let contentTypeLen: i32 = 0;
export let contentEncodingLen: i32 = 0;
export let contentLengthPtr: usize = 0;
export let contentLengthLen: i32 = 0;
export let hostPtr: usize = 0;
export let hostLen: i32 = 0;
/**
 * HTTP/1.0 may come without Host, and Envoy then puts the host that `default_host_for_http_10` names. With
 * this name there, which no one can own (RFC 2606), rules still see that the header is missing.
 */
const MISSING_HOST: string = "missing-host.invalid";

/** True if there was a host at all; it can be empty. */
let hasHost: bool = false;
let hasLength: bool = false;
export let pathPtr: usize = 0;
export let pathLen: i32 = 0;
export let methodPtr: usize = 0;
export let methodLen: i32 = 0;
export let requestIdPtr: usize = 0;
export let requestIdLen: i32 = 0;
export let statusPtr: usize = 0;
export let statusLen: i32 = 0;
/** True if the connection becomes a tunnel: CONNECT, or an upgrade that Envoy lets through. */
export let isTunnel: bool = false;
let asksForUpgrade: bool = false;
/** True if the request has findings as the gateway sends them: a client's are forged. */
export let hasFindings: bool = false;
/** True if the request announces a body: Transfer-Encoding, or a length above 0. */
export let announcesBody: bool = false;

/** Finds what is needed before a transaction exists: host, path, method, and the headers above. */
export function scanRequest(pairs: usize, len: i32): void {
  reset();
  startPairs(pairs, len);
  while (nextPair()) {
    if (keyLen > 0 && load<u8>(keyPtr) == 0x3a) scanPseudo();
    else scanHeader();
  }
  if (isText(hostPtr, hostLen, MISSING_HOST)) {
    hasHost = false;
    hostLen = 0;
  }
  // an upgrade that announces a body is no tunnel: a server may ignore the upgrade and take the body
  if (asksForUpgrade && !announcesBody) isTunnel = true;
  // CONNECT has an authority where others have a path
  if (pathLen == 0 && isText(methodPtr, methodLen, "CONNECT")) {
    pathPtr = hostPtr;
    pathLen = hostLen;
    isTunnel = true;
  }
}

function reset(): void {
  contentType = 0;
  contentTypeLen = 0;
  contentEncodingLen = 0;
  contentLengthLen = 0;
  hostPtr = 0;
  hostLen = 0;
  hasHost = false;
  hasLength = false;
  pathPtr = 0;
  pathLen = 0;
  methodLen = 0;
  requestIdLen = 0;
  statusLen = 0;
  hasFindings = false;
  announcesBody = false;
  isTunnel = false;
  asksForUpgrade = false;
}

function scanPseudo(): void {
  if (isText(keyPtr, keyLen, ":authority")) {
    hostPtr = valuePtr;
    hostLen = valueLen;
    hasHost = true;
  } else if (isText(keyPtr, keyLen, ":path")) {
    pathPtr = valuePtr;
    pathLen = valueLen;
  } else if (isText(keyPtr, keyLen, ":method")) {
    methodPtr = valuePtr;
    methodLen = valueLen;
  } else if (isText(keyPtr, keyLen, ":status")) {
    statusPtr = valuePtr;
    statusLen = valueLen;
  }
}

function scanHeader(): void {
  if (isTextFold(keyPtr, keyLen, "content-type")) {
    // rules see all of several; what is decided follows the first
    if (contentType == 0) {
      contentType = valuePtr;
      contentTypeLen = valueLen;
    }
  } else if (isTextFold(keyPtr, keyLen, "content-length")) {
    contentLengthPtr = valuePtr;
    contentLengthLen = valueLen;
    hasLength = true;
    if (!isText(valuePtr, valueLen, "0")) announcesBody = true;
  } else if (isTextFold(keyPtr, keyLen, "transfer-encoding")) announcesBody = true;
  else if (isTextFold(keyPtr, keyLen, "content-encoding")) {
    if (!isTextFold(valuePtr, valueLen, "identity")) contentEncodingLen = valueLen;
  } else if (isTextFold(keyPtr, keyLen, "upgrade")) asksForUpgrade = true;
  else if (isTextFold(keyPtr, keyLen, "x-request-id")) {
    requestIdPtr = valuePtr;
    requestIdLen = valueLen;
  } else if (isTextFold(keyPtr, keyLen, FINDINGS_NAME)) hasFindings = true;
  else if (isTextFold(keyPtr, keyLen, "host") && hostLen == 0) {
    hostPtr = valuePtr;
    hostLen = valueLen;
    hasHost = true;
  }
}

const HOST_NAME: usize = memory.data<u8>([0x48, 0x6f, 0x73, 0x74]);
const TRANSFER_ENCODING: usize = memory.data<u8>([0x74, 0x72, 0x61, 0x6e, 0x73, 0x66, 0x65, 0x72, 0x2d, 0x65, 0x6e, 0x63, 0x6f, 0x64, 0x69, 0x6e, 0x67]);
const CHUNKED: usize = memory.data<u8>([0x63, 0x68, 0x75, 0x6e, 0x6b, 0x65, 0x64]);

/**
 * Sets the variables of the request line and headers, after `scanRequest`. Envoy takes hop-by-hop headers
 * away before any filter sees them. That a request was chunked is still known: it is HTTP/1 and has a body
 * without a length (`hasBody`). Rules look at Transfer-Encoding, so it is given back to them.
 */
export function setRequest(tx: Transaction, pairs: usize, len: i32, protocol: usize, protocolLen: i32, hasBody: bool): void {
  const arena = tx.arena;
  const headers = tx.list(v.REQUEST_HEADERS);
  const http1 = protocolLen >= 6 && load<u8>(protocol + 5) == 0x31;
  if (hasBody && !hasLength && http1 && !announcesBody && !isTunnel) headers.add(arena, TRANSFER_ENCODING, 17, CHUNKED, 7);
  if (hasHost) headers.add(arena, HOST_NAME, 4, hostPtr, hostLen);
  startPairs(pairs, len);
  while (nextPair()) {
    if (keyLen > 0 && load<u8>(keyPtr) == 0x3a) continue;
    if (isText(keyPtr, keyLen, "host")) continue;
    headers.add(arena, keyPtr, keyLen, valuePtr, valueLen);
    if (isTextFold(keyPtr, keyLen, "cookie")) addCookies(arena, tx, valuePtr, valueLen);
  }
  tx.set(v.REQUEST_METHOD, methodPtr, methodLen);
  tx.set(v.REQUEST_PROTOCOL, protocol, protocolLen);
  tx.set(v.UNIQUE_ID, requestIdPtr, requestIdLen);
  tx.set(v.SERVER_NAME, hostPtr, hostNameLength());
  setUri(tx);
  tx.set(v.WEBAPPID, tx.settings.webAppId, tx.settings.webAppIdLen);
  tx.setInt(v.REQBODY_ERROR, 0);
  tx.setInt(v.MULTIPART_STRICT_ERROR, 0);
  tx.setInt(v.URLENCODED_ERROR, urlError ? 1 : 0);
  tx.setInt(v.FILES_COMBINED_SIZE, 0);
  tx.setInt(v.ARGS_COMBINED_SIZE, argumentsSize(tx));
}

let urlError: bool = false;

function hostNameLength(): i32 {
  const colon = lastIndexOf(hostPtr, hostLen, 0x3a);
  return colon < 0 || lastIndexOf(hostPtr, hostLen, 0x5d) > colon ? hostLen : colon;
}

function setUri(tx: Transaction): void {
  tx.set(v.REQUEST_URI_RAW, pathPtr, pathLen);
  tx.set(v.REQUEST_URI, pathPtr, pathLen);
  const question = indexOf(pathPtr, pathLen, 0x3f);
  const fileLen = question < 0 ? pathLen : question;
  // the file name is decoded once, as ModSecurity has it
  decodePercent(tx.arena, pathPtr, fileLen);
  const slash = lastIndexOf(decodedPtr, decodedLen, 0x2f);
  tx.set(v.REQUEST_FILENAME, decodedPtr, decodedLen);
  tx.set(v.REQUEST_BASENAME, decodedPtr + slash + 1, decodedLen - slash - 1);
  const query = question < 0 ? pathLen : question + 1;
  tx.set(v.QUERY_STRING, pathPtr + query, pathLen - query);
  setRequestLine(tx);
  parseUrlencoded(tx.arena, pathPtr + query, pathLen - query, tx.settings.argumentSeparator, tx.list(v.ARGS_GET), tx.settings.argumentsLimit);
  urlError = invalidEncoding;
  if (tooMany) setBodyError(tx, "more arguments than SecArgumentsLimit allows");
}

function setRequestLine(tx: Transaction): void {
  const protocol = tx.scalar(v.REQUEST_PROTOCOL);
  const len = methodLen + pathLen + protocol.len + 2;
  const line = tx.arena.reserve(<usize>len);
  memory.copy(line, methodPtr, <usize>methodLen);
  store<u8>(line + methodLen, 0x20);
  memory.copy(line + methodLen + 1, pathPtr, <usize>pathLen);
  store<u8>(line + methodLen + 1 + pathLen, 0x20);
  memory.copy(line + methodLen + pathLen + 2, protocol.ptr, <usize>protocol.len);
  tx.set(v.REQUEST_LINE, line, len);
}

/** Cookies (RFC 6265, section 4.2.1): `name=value` separated by semicolons; values as they are. */
function addCookies(arena: Arena, tx: Transaction, ptr: usize, len: i32): void {
  const cookies = tx.list(v.REQUEST_COOKIES);
  let i = 0;
  while (i < len) {
    let end = indexOf(ptr, len, 0x3b, i);
    if (end < 0) end = len;
    let from = i;
    while (from < end && isSpace(load<u8>(ptr + from))) from++;
    if (from < end) {
      if (cookies.count >= tx.settings.argumentsLimit) {
        tx.capped = true;
        return;
      }
      const equals = indexOf(ptr, end, 0x3d, from);
      const nameEnd = equals < 0 ? end : equals;
      const value = equals < 0 ? end : equals + 1;
      cookies.add(arena, ptr + from, nameEnd - from, ptr + value, end - value);
    }
    i = end + 1;
  }
}

function argumentsSize(tx: Transaction): i64 {
  let size: i64 = 0;
  for (let item: Item | null = tx.list(v.ARGS_GET).first; item; item = item!.next) size += item.nameLen + item.len;
  for (let item: Item | null = tx.list(v.ARGS_POST).first; item; item = item!.next) size += item.nameLen + item.len;
  return size;
}

/** Chooses the body processor that the content type asks for, before rules run, which may choose another. */
export function chooseProcessor(tx: Transaction): void {
  if (startsWithTextFold(contentType, contentTypeLen, "application/x-www-form-urlencoded")) tx.setProcessor(PROCESSOR_URLENCODED);
  else if (startsWithTextFold(contentType, contentTypeLen, "multipart/form-data")) tx.setProcessor(PROCESSOR_MULTIPART);
}

function setBodyError(tx: Transaction, reason: string): void {
  tx.setInt(v.REQBODY_ERROR, 1);
  tx.setText(v.REQBODY_ERROR_MSG, reason);
}

/**
 * Sets the variables of a multipart body of `total` bytes, of which files were left out as it came; `type` is the
 * request's content type.
 */
export function setTrimmedBody(tx: Transaction, trim: MultipartTrim, total: i32, type: usize, typeLen: i32): void {
  trim.finish();
  tx.setInt(v.REQUEST_BODY_LENGTH, total);
  readMultipart(tx, trim.ptr, trim.len, type, typeLen, trim.gaps);
  tx.setInt(v.ARGS_COMBINED_SIZE, argumentsSize(tx));
}

/** Sets the variables of a request body of `len` bytes at `ptr`; `type` is the request's content type. */
export function setRequestBody(tx: Transaction, ptr: usize, len: i32, type: usize, typeLen: i32): void {
  const arena = tx.arena;
  const limit = tx.settings.argumentsLimit;
  tx.setInt(v.REQUEST_BODY_LENGTH, len);
  const processor = tx.processor;
  if (processor == PROCESSOR_URLENCODED || processor == PROCESSOR_NONE || tx.forceRequestBody) tx.set(v.REQUEST_BODY, ptr, len);
  const list = tx.list(v.ARGS_POST);
  if (processor == PROCESSOR_URLENCODED) {
    parseUrlencoded(arena, ptr, len, tx.settings.argumentSeparator, list, limit);
    if (invalidEncoding) tx.setInt(v.URLENCODED_ERROR, 1);
    if (tooMany) setBodyError(tx, "more arguments than SecArgumentsLimit allows");
  } else if (processor == PROCESSOR_JSON) {
    if (len > 0 && !parseJsonBody(arena, ptr, len, list, limit, tx.settings.jsonDepthLimit)) setBodyError(tx, jsonBodyError);
  } else if (processor == PROCESSOR_XML) {
    if (len > 0 && !parseXmlBody(arena, ptr, len, tx.list(v.XML), limit)) setBodyError(tx, xmlError);
  } else if (processor == PROCESSOR_MULTIPART) readMultipart(tx, ptr, len, type, typeLen, null);
  tx.setInt(v.ARGS_COMBINED_SIZE, argumentsSize(tx));
}

function readMultipart(tx: Transaction, ptr: usize, len: i32, type: usize, typeLen: i32, gaps: Gap | null): void {
  const lists = make<multipart.MultipartLists>(tx.arena);
  lists.args = tx.list(v.ARGS_POST);
  lists.files = tx.list(v.FILES);
  lists.filesNames = tx.list(v.FILES_NAMES);
  lists.filesSizes = tx.list(v.FILES_SIZES);
  lists.filenames = tx.list(v.MULTIPART_FILENAME);
  lists.names = tx.list(v.MULTIPART_NAME);
  lists.partHeaders = tx.list(v.MULTIPART_PART_HEADERS);
  lists.content = tx.list(v.FILES_TMP_CONTENT);
  lists.limit = tx.settings.argumentsLimit;
  lists.gaps = gaps;
  if (!multipart.parseMultipart(tx.arena, ptr, len, type, typeLen, lists)) setBodyError(tx, multipart.multipartError);
  flag(tx, v.MULTIPART_STRICT_ERROR, multipart.strictError());
  flag(tx, v.MULTIPART_BOUNDARY_QUOTED, multipart.boundaryQuoted);
  flag(tx, v.MULTIPART_BOUNDARY_WHITESPACE, multipart.boundaryWhitespace);
  flag(tx, v.MULTIPART_CRLF_LF_LINES, multipart.crlfLfLines);
  flag(tx, v.MULTIPART_DATA_AFTER, multipart.dataAfter);
  flag(tx, v.MULTIPART_DATA_BEFORE, multipart.dataBefore);
  flag(tx, v.MULTIPART_FILE_LIMIT_EXCEEDED, multipart.fileLimitExceeded);
  flag(tx, v.MULTIPART_HEADER_FOLDING, multipart.headerFolding);
  flag(tx, v.MULTIPART_INVALID_HEADER_FOLDING, multipart.invalidHeaderFolding);
  flag(tx, v.MULTIPART_INVALID_PART, multipart.invalidPart);
  flag(tx, v.MULTIPART_INVALID_QUOTING, multipart.invalidQuoting);
  flag(tx, v.MULTIPART_LF_LINE, multipart.lfLine);
  flag(tx, v.MULTIPART_MISSING_SEMICOLON, multipart.missingSemicolon);
  flag(tx, v.MULTIPART_UNMATCHED_BOUNDARY, multipart.unmatchedBoundary);
  tx.set(v.MULTIPART_BOUNDARY, multipart.boundaryPtr, multipart.boundaryLen);
  tx.setInt(v.FILES_COMBINED_SIZE, multipart.filesSize);
}

function flag(tx: Transaction, variable: i32, raised: bool): void {
  tx.setInt(variable, raised ? 1 : 0);
}

/** Sets the variables of the response's status and headers. */
export function setResponse(tx: Transaction, pairs: usize, len: i32): void {
  reset();
  const headers = tx.list(v.RESPONSE_HEADERS);
  startPairs(pairs, len);
  while (nextPair()) {
    if (keyLen > 0 && load<u8>(keyPtr) == 0x3a) {
      scanPseudo();
      continue;
    }
    scanHeader();
    headers.add(tx.arena, keyPtr, keyLen, valuePtr, valueLen);
  }
  const protocol = tx.scalar(v.REQUEST_PROTOCOL);
  tx.set(v.RESPONSE_STATUS, statusPtr, statusLen);
  tx.set(v.RESPONSE_PROTOCOL, protocol.ptr, protocol.len);
  tx.set(v.RESPONSE_CONTENT_TYPE, contentType, contentTypeLen);
  tx.set(v.RESPONSE_CONTENT_LENGTH, contentLengthPtr, contentLengthLen);
  const line = tx.arena.reserve(<usize>(protocol.len + statusLen + 1));
  memory.copy(line, protocol.ptr, <usize>protocol.len);
  store<u8>(line + protocol.len, 0x20);
  memory.copy(line + protocol.len + 1, statusPtr, <usize>statusLen);
  tx.set(v.STATUS_LINE, line, protocol.len + 1 + statusLen);
}

/** True if bodies of the response's content type are inspected. */
export function inspectsType(tx: Transaction): bool {
  let end = indexOf(contentType, contentTypeLen, 0x3b);
  if (end < 0) end = contentTypeLen;
  while (end > 0 && isSpace(load<u8>(contentType + end - 1))) end--;
  for (let type: MimeType | null = tx.settings.mimeTypes; type; type = type!.next) {
    if (type.len == end && sameType(type.ptr, end)) return true;
  }
  return false;
}

function sameType(ptr: usize, len: i32): bool {
  for (let i = 0; i < len; i++) if ((load<u8>(ptr + i) | 0x20) != (load<u8>(contentType + i) | 0x20)) return false;
  return true;
}
