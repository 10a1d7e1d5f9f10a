/**
 * What the firewall tells the mesh: findings/format.ts has the form. A header of that name that a client sent never gets
 * past the firewall, unless it runs on a sidecar (`findings.header: pass`), behind which the mesh filter judges it.
 */
import { Buffer } from "../bytes/buffer";
import { toInt } from "../bytes/span";
import { FINDINGS_PASS, FINDINGS_SEND, Globals, Options } from "../config/options";
import { FINDINGS_HEADER, FINDINGS_HEADER_LEN, MAX_FINDINGS_RULES } from "../findings/format";
import { endRules, putClient, putRule, putScore, putUser, start, startRules } from "../findings/write";
import { addHeader, dataLen, dataPtr, getProperty, REQUEST_HEADER_MAP, removeHeader } from "../host/abi";
import { findUser, issuerLen, issuerPtr, subjectLen, subjectPtr } from "../policy/token";
import { Match, Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";

const value: Buffer = Buffer.create(256);
const name: Buffer = Buffer.create(32);

/** Takes away what a client sent as findings. */
export function removeForged(globals: Globals): void {
  if (globals.findings != FINDINGS_PASS) removeHeader(REQUEST_HEADER_MAP, FINDINGS_HEADER, FINDINGS_HEADER_LEN);
}

/**
 * Adds the findings to the request, which goes on to the mesh; `inspected` says how much was looked at. `tx` is null if
 * nothing was. Headers that have gone on already stay as they are.
 */
export function sendFindings(tx: Transaction | null, options: Options, globals: Globals, inspected: i32): void {
  if (globals.findings != FINDINGS_SEND) return;
  start(value, inspected);
  if (tx) {
    putScore(value, scoreOf(tx, options.paranoiaLevel), options.inboundThreshold);
    putRules(tx);
    const client = tx.scalar(v.REMOTE_ADDR);
    putClient(value, client.ptr, client.len);
  }
  if (globals.sendsUser && getProperty("metadata") && findUser(dataPtr, dataLen)) putUser(value, issuerPtr, issuerLen, subjectPtr, subjectLen);
  addHeader(REQUEST_HEADER_MAP, FINDINGS_HEADER, FINDINGS_HEADER_LEN, value);
}

/** The score of the paranoia levels that count: CRS sums it up only in phase 2, and headers may go on before that. */
function scoreOf(tx: Transaction, paranoiaLevel: i32): i64 {
  let score: i64 = 0;
  for (let level = 1; level <= paranoiaLevel; level++) {
    name.clear();
    name.text("inbound_anomaly_score_pl").int(level);
    const span = tx.findTx(name.ptr, name.len);
    if (span != 0 && load<usize>(span) != 0) score += toInt(load<usize>(span), load<i32>(span, 4));
  }
  return score;
}

function putRules(tx: Transaction): void {
  if (!tx.matches) return;
  startRules(value);
  let count = 0;
  for (let match: Match | null = tx.matches; match && count < MAX_FINDINGS_RULES; match = match!.next) putRule(value, match.rule.id, count++ == 0);
  endRules(value, tx.matchCount > count);
}
