/**
 * Parts of the engine as exports, for tests and benchmarks in Node that need files or sizes a spec cannot
 * have. Not shipped.
 */
import { Arena } from "../../assembly/bytes/arena";
import { nextHtml, START_DATA, startHtml, tokenKind, tokenLen, tokenPtr } from "../../assembly/detect/html5";
import { detectSqli, fingerprint, fingerprintLen, foldTokens } from "../../assembly/detect/sqli";
import { nextToken, startTokens, Token, token } from "../../assembly/detect/sqltoken";
import { loadWords } from "../../assembly/detect/words";
import { detectXss } from "../../assembly/detect/xss";

export { detectSqli, detectXss, fingerprint, fingerprintLen, foldTokens, loadWords, nextHtml, nextToken, startTokens, tokenKind, tokenLen, tokenPtr };

const arena: Arena = Arena.create(0);
const _scratch: Arena = Arena.create(0);

export function allocate(size: i32): usize {
  return arena.alloc(<usize>size);
}

export function startHtmlText(ptr: usize, len: i32): void {
  startHtml(ptr, len, START_DATA);
}

/** Gives the address of token `i`. Its fields, see sqltoken.ts: type, open, close, count (u8), len, pos (i32), then text. */
export function tokenAt(i: i32): usize {
  return changetype<usize>(token(i));
}

export function tokenTextOffset(): usize {
  return changetype<Token>(0).text;
}
