/**
 * What policies ask of a body: the methods of JSON-RPC (https://www.jsonrpc.org/specification) and the operations and
 * fields of GraphQL (https://graphql.github.io/graphql-over-http). A batch has those of all its calls. A GraphQL
 * document may also stand in the query of a GET.
 *
 * A body is read once for each request, and only if a condition asks. One that is too large, is not JSON, or cannot
 * be followed is unreadable, and not empty: who sends it does not get past a DENY.
 */

import { make } from "../bytes/arena";
import { isText, startsWithTextFold } from "../bytes/span";
import { G_FIELD, G_OPERATION, G_ROOT_FIELD, G_TYPE, isOfOperation, Mention, readGraphql } from "../decode/graphql";
import { J_ARRAY, J_END, J_ERROR, J_KEY, J_STRING, jsonDepth, jsonLen, jsonPtr, nextJson, startJson } from "../decode/json";
import { A_GRAPHQL_OPERATION, A_GRAPHQL_ROOT_FIELD, A_GRAPHQL_TYPE, A_JSONRPC_METHOD, nameOf } from "./model";
import { nextParameter, startParameters } from "./query";
import { ABSENT, arena, PRESENT, queryLen, queryPtr, serial, setText, textLen, textPtr, typeLen, typePtr, UNREADABLE } from "./request";

/** The request has no body, or no rule asks for it. */
export const NONE: i32 = 0;
/** It has not come yet. */
export const AWAITED: i32 = 1;
export const COMPLETE: i32 = 2;
/** It is too large, or the host did not give it. */
export const UNREAD: i32 = 3;

/** Levels of JSON that are followed. */
const MAX_DEPTH: i32 = 64;
/** Kind of a mention that is a method of JSON-RPC, beside those of GraphQL. */
const METHOD: i32 = 16;

let state: i32 = 0;
let bodyPtr: usize = 0;
let bodyLen: i32 = 0;
/** True if something was asked of a body that has not come yet. */
export let wasMissed: bool = false;

/** Says what there is of the body of the request that is decided next. */
export function setBody(current: i32, ptr: usize, len: i32): void {
  state = current;
  bodyPtr = ptr;
  bodyLen = len;
  wasMissed = false;
}

// What the body of a request says, and the request of which it was read.
let mentions: Mention | null = null;
let readable: bool = false;
/** True if a GraphQL document is named and not given, as persisted queries are: what it asks for is not known. */
let isPersisted: bool = false;
let readFor: u32 = 0;
/** Where `nextValue` is, and what it looks for. */
let place: Mention | null = null;
let wanted: i32 = 0;

/** Starts reading the values of an attribute. */
export function startValues(attribute: i32): i32 {
  if (state == AWAITED || state == UNREAD) {
    wasMissed = wasMissed || state == AWAITED;
    return UNREADABLE;
  }
  if (readFor != serial) readAll();
  place = mentions;
  wanted = kindOf(attribute);
  if (!readable || (isPersisted && wanted != METHOD)) return UNREADABLE;
  return mentions ? PRESENT : ABSENT;
}

function kindOf(attribute: i32): i32 {
  if (attribute == A_JSONRPC_METHOD) return METHOD;
  if (attribute == A_GRAPHQL_TYPE) return G_TYPE;
  if (attribute == A_GRAPHQL_OPERATION) return G_OPERATION;
  return attribute == A_GRAPHQL_ROOT_FIELD ? G_ROOT_FIELD : G_FIELD;
}

/** Finds the next one; it is then the text of the request. False if there is none. */
export function nextValue(): bool {
  for (; place; place = place!.next) {
    const mention = place!;
    if (mention.kind != wanted || (wanted == G_ROOT_FIELD && !isOfOperation(mention))) continue;
    setText(mention.ptr, mention.len);
    place = mention.next;
    return true;
  }
  return false;
}

const QUERY = nameOf("query");
const EXTENSIONS = nameOf("extensions");

function readAll(): void {
  readFor = serial;
  mentions = null;
  readable = true;
  startParameters(arena, queryPtr, queryLen, EXTENSIONS.ptr, EXTENSIONS.len);
  isPersisted = nextParameter();
  startParameters(arena, queryPtr, queryLen, QUERY.ptr, QUERY.len);
  while (readable && nextParameter()) readDocument(textPtr, textLen);
  if (!readable || state == NONE || bodyLen == 0) return;
  if (startsWithTextFold(typePtr, typeLen, "application/graphql") && !startsWithTextFold(typePtr, typeLen, "application/graphql-response")) {
    readDocument(bodyPtr, bodyLen);
  } else readable = readCalls();
}

function readDocument(ptr: usize, len: i32): void {
  const read = readGraphql(arena, ptr, len, mentions);
  if (read) mentions = read;
  else readable = false;
  // what is given counts, whatever else is named
  isPersisted = false;
}

/** Reads a call, or a batch of them: objects at the root, or in a list there. False if it is not JSON. */
function readCalls(): bool {
  startJson(arena, bodyPtr, bodyLen, MAX_DEPTH);
  let inBatch = false;
  let key = 0;
  // documents are read afterwards, since the parser is one for all
  let documents: Mention | null = null;
  while (true) {
    const token = nextJson();
    if (token == J_ERROR) return false;
    if (token == J_END) break;
    if (token == J_ARRAY && jsonDepth == 1) inBatch = true;
    const isCall = jsonDepth == (inBatch ? 2 : 1);
    if (token == J_KEY && isCall) {
      key = keyOf(jsonPtr, jsonLen);
      if (isText(jsonPtr, jsonLen, "extensions") || isText(jsonPtr, jsonLen, "documentId")) isPersisted = true;
    } else if (token == J_STRING && isCall && key != 0) {
      if (key == DOCUMENT) documents = remember(DOCUMENT, documents);
      else mentions = remember(key, mentions);
      key = 0;
    } else key = 0;
  }
  for (; documents && readable; documents = documents!.next) readDocument(documents!.ptr, documents!.len);
  return readable;
}

const DOCUMENT: i32 = 17;

function keyOf(ptr: usize, len: i32): i32 {
  if (isText(ptr, len, "method")) return METHOD;
  if (isText(ptr, len, "query")) return DOCUMENT;
  return isText(ptr, len, "operationName") ? G_OPERATION : 0;
}

function remember(kind: i32, list: Mention | null): Mention {
  const made = make<Mention>(arena);
  made.kind = kind;
  made.ptr = jsonPtr;
  made.len = jsonLen;
  made.next = list;
  return made;
}
