/**
 * Quarantine for who sends attacks, see quarantine/quarantine.ts. A caller is known by the identity of its certificate, or
 * by its address where the configuration says so: at the edge clients have no identity.
 */
import { dataLen, dataPtr, getProperty } from "../host/abi";
import { A_PRINCIPAL } from "../policy/model";
import { QuarantineOptions } from "../quarantine/options";
import { countViolation, forgottenOffenders, quarantinedUntil } from "../quarantine/quarantine";
import { Transaction } from "../seclang/transaction";
import * as v from "../seclang/variables";
import { EventFacts } from "./event";
import * as metrics from "./metrics";

/** Reads the identity of the peer, once. */
export function readPeer(facts: EventFacts): void {
  if (facts.peer != 0 || !getProperty("connection.uri_san_peer_certificate")) return;
  facts.peer = dataPtr;
  facts.peerLen = dataLen;
}

// What `readCaller` read.
let callerPtr: usize = 0;
let callerLen: i32 = 0;

/** False if the caller has nothing to be told apart by, or is exempt. */
function readCaller(options: QuarantineOptions, tx: Transaction, facts: EventFacts): bool {
  if (options.by == A_PRINCIPAL) {
    readPeer(facts);
    callerPtr = facts.peer;
    callerLen = facts.peerLen;
    const exempt = options.exempt;
    return callerLen > 0 && !(exempt && exempt.has(callerPtr, callerLen));
  }
  const address = tx.scalar(v.REMOTE_ADDR);
  callerPtr = address.ptr;
  callerLen = address.len;
  return callerLen > 0;
}

/** True if the caller is in quarantine, which `facts` then say. */
export function isInQuarantine(options: QuarantineOptions, tx: Transaction, facts: EventFacts): bool {
  if (!readCaller(options, tx, facts)) return false;
  facts.quarantine = quarantinedUntil(callerPtr, callerLen, facts.time);
  return facts.quarantine > 0;
}

/** Counts a request of the caller that was an attack. `facts` say so if its quarantine begins with that. */
export function noteAttack(options: QuarantineOptions, tx: Transaction, facts: EventFacts): void {
  if (!readCaller(options, tx, facts)) return;
  const end = countViolation(options, callerPtr, callerLen, facts.time);
  metrics.showForgotten(forgottenOffenders());
  if (end == 0) return;
  facts.quarantine = end;
  facts.quarantineBegins = true;
  metrics.countQuarantined();
}
