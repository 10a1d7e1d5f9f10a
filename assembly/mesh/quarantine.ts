/**
 * Quarantine for callers of a workload: who is denied too often gets no answer for a while, see
 * quarantine/quarantine.ts. Gateways never get into it, since they pass on what others send.
 */
import { MeshConfiguration } from "../policy/configuration";
import { actual, decide, denyQuarantined, R_QUARANTINE, R_RATE, readCaller } from "../policy/decide";
import { believe, isFromGateway } from "../policy/edge";
import { A_PRINCIPAL } from "../policy/model";
import * as request from "../policy/request";
import { identity, PRESENT } from "../policy/request";
import { QuarantineOptions } from "../quarantine/options";
import { countViolation, quarantinedUntil } from "../quarantine/quarantine";
import * as metrics from "./metrics";

/** Until when the caller of the request at hand is in quarantine, in nanoseconds since 1970; 0 if it is not. */
export let until: i64 = 0;
/** True if that begins with the request at hand. */
export let begins: bool = false;

/**
 * Decides on the request or connection at hand, of which nothing has been asked yet: who is in quarantine is denied, whatever
 * policies say.
 */
export function decideAll(configuration: MeshConfiguration): void {
  believe(configuration.gateways);
  if (isInQuarantine(configuration)) denyQuarantined();
  else decide(configuration.policies);
}

/** True if the caller is in quarantine. */
function isInQuarantine(configuration: MeshConfiguration): bool {
  until = 0;
  begins = false;
  const options = configuration.options.quarantine;
  if (!options || !readOffender(options)) return false;
  until = quarantinedUntil(request.textPtr, request.textLen, request.readTime());
  return until > 0;
}

/** Counts the decision at hand, if it is a denial for what the caller did. */
export function noteDenial(configuration: MeshConfiguration): void {
  const options = configuration.options.quarantine;
  // too many requests are no attack
  if (!options || actual.allowed || actual.reason == R_QUARANTINE || actual.reason == R_RATE || !readOffender(options)) return;
  until = countViolation(options, request.textPtr, request.textLen, request.readTime());
  begins = until > 0;
  if (begins) metrics.countQuarantined();
}

/** Reads the caller into the text of the request. False if it has nothing to be told apart by, or is exempt. */
function readOffender(options: QuarantineOptions): bool {
  if (options.by == A_PRINCIPAL) {
    const exempt = options.exempt;
    if (request.readIdentity() != PRESENT || isFromGateway() || (exempt && exempt.has(identity.ptr, identity.len))) return false;
  }
  return readCaller(options.by);
}
