/**
 * Who is refused too often, as events of all proxies together say: what one proxy sees of a workload that tries each of a
 * hundred services once is little.
 */
import { eventIn } from "../events.ts";
import { ROOT_NAMESPACE } from "../policies/select.ts";

export interface Threshold {
  violations: number;
  seconds: number;
  /** Identities that never are offenders. */
  except: string[];
}

/** What of an event counts; docs/events.md has all of it. */
interface Event {
  "@timestamp"?: string;
  event?: { action?: string; module?: string; reason?: string };
  bailey?: { peer?: string | null; phase?: number; policy?: { name?: string }; quarantine?: { begins?: boolean } };
}

/** Callers that are remembered: where there are more, the one that was seen least lately goes. */
const MOST_CALLERS = 10_000;

export class Offenders {
  /** Moments of violations in milliseconds, by caller; who was seen last is last. */
  private readonly seen = new Map<string, number[]>();
  private readonly threshold: Threshold;

  constructor(threshold: Threshold) {
    this.threshold = threshold;
  }

  /** Takes a line of a log. Gives the caller's identity if it is one too many, undefined otherwise. */
  take(line: string): string | undefined {
    const event = eventIn<Event>(line);
    const peer = event?.bailey?.peer?.replace(/^spiffe:\/\//, "");
    if (!event || !peer || this.threshold.except.includes(peer) || !isViolation(event)) return undefined;
    const time = Date.parse(event["@timestamp"] ?? "") || Date.now();
    const from = time - this.threshold.seconds * 1000;
    const moments = [...(this.seen.get(peer) ?? []).filter((moment) => moment > from), time];
    this.seen.delete(peer);
    // a proxy that puts somebody into quarantine has counted already
    if (moments.length >= this.threshold.violations || event.bailey?.quarantine?.begins) return peer;
    this.seen.set(peer, moments);
    const [oldest] = this.seen.keys();
    if (this.seen.size > MOST_CALLERS && oldest !== undefined) this.seen.delete(oldest);
    return undefined;
  }
}

/** An attack that was blocked, or a denial; what quarantine itself refuses is no news. */
function isViolation({ event, bailey }: Event): boolean {
  if (bailey?.quarantine && !bailey.quarantine.begins) return false;
  if (bailey?.policy?.name === `${ROOT_NAMESPACE}/quarantine`) return false;
  if (event?.module === "ngfw") return event.action === "blocked" && (bailey?.phase ?? 9) <= 2;
  // too many requests are no attack
  return event?.module === "mesh" && event.action === "denied" && !event.reason?.includes("rate is used up");
}
