/**
 * The variables of SecLang: names, numbers, and where their values are.
 *
 * A scalar has one value. A collection has items with a name and a value. A name variable (`ARGS_NAMES`)
 * has the names of another collection as its values. Numbers are the positions in NAMES; the groups
 * below depend on their order.
 */

import { isTextFold, wordIndex } from "../bytes/span";

// Scalars: 0 to LAST_SCALAR.
export const ARGS_COMBINED_SIZE: i32 = 0;
export const AUTH_TYPE: i32 = 1;
export const DURATION: i32 = 2;
export const FILES_COMBINED_SIZE: i32 = 3;
export const FULL_REQUEST: i32 = 4;
export const FULL_REQUEST_LENGTH: i32 = 5;
export const HIGHEST_SEVERITY: i32 = 6;
export const INBOUND_DATA_ERROR: i32 = 7;
export const MATCHED_VAR: i32 = 8;
export const MATCHED_VAR_NAME: i32 = 9;
export const MULTIPART_BOUNDARY: i32 = 10;
export const MULTIPART_BOUNDARY_QUOTED: i32 = 11;
export const MULTIPART_BOUNDARY_WHITESPACE: i32 = 12;
export const MULTIPART_CRLF_LF_LINES: i32 = 13;
export const MULTIPART_DATA_AFTER: i32 = 14;
export const MULTIPART_DATA_BEFORE: i32 = 15;
export const MULTIPART_FILE_LIMIT_EXCEEDED: i32 = 16;
export const MULTIPART_HEADER_FOLDING: i32 = 17;
export const MULTIPART_INVALID_HEADER_FOLDING: i32 = 18;
export const MULTIPART_INVALID_PART: i32 = 19;
export const MULTIPART_INVALID_QUOTING: i32 = 20;
export const MULTIPART_LF_LINE: i32 = 21;
export const MULTIPART_MISSING_SEMICOLON: i32 = 22;
export const MULTIPART_STRICT_ERROR: i32 = 23;
export const MULTIPART_UNMATCHED_BOUNDARY: i32 = 24;
export const OUTBOUND_DATA_ERROR: i32 = 25;
export const PATH_INFO: i32 = 26;
export const QUERY_STRING: i32 = 27;
export const REMOTE_ADDR: i32 = 28;
export const REMOTE_HOST: i32 = 29;
export const REMOTE_PORT: i32 = 30;
export const REMOTE_USER: i32 = 31;
export const REQBODY_ERROR: i32 = 32;
export const REQBODY_ERROR_MSG: i32 = 33;
export const REQBODY_PROCESSOR: i32 = 34;
export const REQUEST_BASENAME: i32 = 35;
export const REQUEST_BODY: i32 = 36;
export const REQUEST_BODY_LENGTH: i32 = 37;
export const REQUEST_FILENAME: i32 = 38;
export const REQUEST_LINE: i32 = 39;
export const REQUEST_METHOD: i32 = 40;
export const REQUEST_PROTOCOL: i32 = 41;
export const REQUEST_URI: i32 = 42;
export const REQUEST_URI_RAW: i32 = 43;
export const RESPONSE_BODY: i32 = 44;
export const RESPONSE_CONTENT_LENGTH: i32 = 45;
export const RESPONSE_CONTENT_TYPE: i32 = 46;
export const RESPONSE_PROTOCOL: i32 = 47;
export const RESPONSE_STATUS: i32 = 48;
export const SERVER_ADDR: i32 = 49;
export const SERVER_NAME: i32 = 50;
export const SERVER_PORT: i32 = 51;
export const SESSIONID: i32 = 52;
export const STATUS_LINE: i32 = 53;
export const TIME: i32 = 54;
export const TIME_DAY: i32 = 55;
export const TIME_EPOCH: i32 = 56;
export const TIME_HOUR: i32 = 57;
export const TIME_MIN: i32 = 58;
export const TIME_MON: i32 = 59;
export const TIME_SEC: i32 = 60;
export const TIME_WDAY: i32 = 61;
export const TIME_YEAR: i32 = 62;
export const UNIQUE_ID: i32 = 63;
export const URLENCODED_ERROR: i32 = 64;
export const USERID: i32 = 65;
export const WEBAPPID: i32 = 66;
export const LAST_SCALAR: i32 = 66;

// Collections that a transaction holds as lists: to LAST_LIST.
export const FIRST_LIST: i32 = 67;
export const ARGS_GET: i32 = 67;
export const ARGS_POST: i32 = 68;
export const ARGS_PATH: i32 = 69;
export const ENV: i32 = 70;
export const FILES: i32 = 71;
export const FILES_NAMES: i32 = 72;
export const FILES_SIZES: i32 = 73;
export const FILES_TMPNAMES: i32 = 74;
export const FILES_TMP_CONTENT: i32 = 75;
export const GLOBAL: i32 = 76;
export const IP: i32 = 77;
export const MATCHED_VARS: i32 = 78;
export const MULTIPART_FILENAME: i32 = 79;
export const MULTIPART_NAME: i32 = 80;
export const MULTIPART_PART_HEADERS: i32 = 81;
export const REQUEST_COOKIES: i32 = 82;
export const REQUEST_HEADERS: i32 = 83;
export const RESOURCE: i32 = 84;
export const RESPONSE_HEADERS: i32 = 85;
export const SESSION: i32 = 86;
export const USER: i32 = 87;
export const XML: i32 = 88;
export const LAST_LIST: i32 = 88;

// Views of others, and collections with a form of their own.
export const ARGS: i32 = 89;
export const ARGS_NAMES: i32 = 90;
export const ARGS_GET_NAMES: i32 = 91;
export const ARGS_POST_NAMES: i32 = 92;
export const MATCHED_VARS_NAMES: i32 = 93;
export const REQUEST_COOKIES_NAMES: i32 = 94;
export const REQUEST_HEADERS_NAMES: i32 = 95;
export const RESPONSE_HEADERS_NAMES: i32 = 96;
export const RULE: i32 = 97;
export const TX: i32 = 98;

const NAMES: string =
  "ARGS_COMBINED_SIZE AUTH_TYPE DURATION FILES_COMBINED_SIZE FULL_REQUEST FULL_REQUEST_LENGTH HIGHEST_SEVERITY " +
  "INBOUND_DATA_ERROR MATCHED_VAR MATCHED_VAR_NAME MULTIPART_BOUNDARY MULTIPART_BOUNDARY_QUOTED " +
  "MULTIPART_BOUNDARY_WHITESPACE MULTIPART_CRLF_LF_LINES MULTIPART_DATA_AFTER MULTIPART_DATA_BEFORE " +
  "MULTIPART_FILE_LIMIT_EXCEEDED MULTIPART_HEADER_FOLDING MULTIPART_INVALID_HEADER_FOLDING MULTIPART_INVALID_PART " +
  "MULTIPART_INVALID_QUOTING MULTIPART_LF_LINE MULTIPART_MISSING_SEMICOLON MULTIPART_STRICT_ERROR " +
  "MULTIPART_UNMATCHED_BOUNDARY OUTBOUND_DATA_ERROR PATH_INFO QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_PORT " +
  "REMOTE_USER REQBODY_ERROR REQBODY_ERROR_MSG REQBODY_PROCESSOR REQUEST_BASENAME REQUEST_BODY REQUEST_BODY_LENGTH " +
  "REQUEST_FILENAME REQUEST_LINE REQUEST_METHOD REQUEST_PROTOCOL REQUEST_URI REQUEST_URI_RAW RESPONSE_BODY " +
  "RESPONSE_CONTENT_LENGTH RESPONSE_CONTENT_TYPE RESPONSE_PROTOCOL RESPONSE_STATUS SERVER_ADDR SERVER_NAME " +
  "SERVER_PORT SESSIONID STATUS_LINE TIME TIME_DAY TIME_EPOCH TIME_HOUR TIME_MIN TIME_MON TIME_SEC TIME_WDAY " +
  "TIME_YEAR UNIQUE_ID URLENCODED_ERROR USERID WEBAPPID " +
  "ARGS_GET ARGS_POST ARGS_PATH ENV FILES FILES_NAMES FILES_SIZES FILES_TMPNAMES FILES_TMP_CONTENT GLOBAL IP " +
  "MATCHED_VARS MULTIPART_FILENAME MULTIPART_NAME MULTIPART_PART_HEADERS REQUEST_COOKIES REQUEST_HEADERS RESOURCE " +
  "RESPONSE_HEADERS SESSION USER XML " +
  "ARGS ARGS_NAMES ARGS_GET_NAMES ARGS_POST_NAMES MATCHED_VARS_NAMES REQUEST_COOKIES_NAMES REQUEST_HEADERS_NAMES " +
  "RESPONSE_HEADERS_NAMES RULE TX ";

/** Number of lists that a transaction holds. */
export const LIST_COUNT: i32 = LAST_LIST - FIRST_LIST + 1;

/** Gives the list whose names or values a variable has. */
export function listOf(variable: i32): i32 {
  switch (variable) {
    case ARGS_GET_NAMES:
      return ARGS_GET;
    case ARGS_POST_NAMES:
      return ARGS_POST;
    case MATCHED_VARS_NAMES:
      return MATCHED_VARS;
    case REQUEST_COOKIES_NAMES:
      return REQUEST_COOKIES;
    case REQUEST_HEADERS_NAMES:
      return REQUEST_HEADERS;
    case RESPONSE_HEADERS_NAMES:
      return RESPONSE_HEADERS;
    default:
      return variable <= LAST_LIST ? variable : MATCHED_VARS;
  }
}

/** True if rules change the variable while a phase runs: by matching, by `setvar`, by `ctl`. */
export function isChangedByRules(variable: i32): bool {
  switch (variable) {
    case TX:
    case RULE:
    case MATCHED_VAR:
    case MATCHED_VAR_NAME:
    case MATCHED_VARS:
    case MATCHED_VARS_NAMES:
    case HIGHEST_SEVERITY:
    case REQBODY_PROCESSOR:
    case GLOBAL:
    case IP:
    case RESOURCE:
    case SESSION:
    case USER:
      return true;
    default:
      return false;
  }
}

/** True if the variable takes a selector. */
export function isCollection(variable: i32): bool {
  return variable > LAST_SCALAR;
}

/** Gives the number of the variable of that name, in any case, or -1. */
export function variableNamed(ptr: usize, len: i32): i32 {
  return isTextFold(ptr, len, "status") ? RESPONSE_STATUS : wordIndex(NAMES, ptr, len);
}

/** All names as ASCII bytes, and where each starts: built once, for events and MATCHED_VAR_NAME. */
const nameBytes: usize = memory.data(2048);
const nameStarts: usize = memory.data(512);
let namesReady: bool = false;

function prepareNames(): void {
  namesReady = true;
  let number = 0;
  let at: usize = 0;
  store<u32>(nameStarts, 0);
  for (let i = 0; i < NAMES.length; i++) {
    const c = NAMES.charCodeAt(i);
    if (c == 0x20) {
      number++;
      store<u32>(nameStarts + ((<usize>number) << 2), <u32>at);
    } else store<u8>(nameBytes + at++, <u8>c);
  }
}

/** Gives the address of a variable's name, as ASCII bytes. */
export function variableNamePtr(variable: i32): usize {
  if (!namesReady) prepareNames();
  return nameBytes + load<u32>(nameStarts + ((<usize>variable) << 2));
}

/** Gives the length of a variable's name in bytes. */
export function variableNameLen(variable: i32): i32 {
  if (!namesReady) prepareNames();
  const at = nameStarts + ((<usize>variable) << 2);
  return load<u32>(at, 4) - load<u32>(at);
}
