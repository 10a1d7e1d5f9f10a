/** Writes what the gateway found as the value of its header, see format.ts: `start` first, then what there is. */
import { hexDigit } from "../bytes/ascii";
import { Buffer } from "../bytes/buffer";
import { INSPECTED_FULL, INSPECTED_HEADERS, INSPECTED_PARTIAL, MAX_FINDINGS_USER } from "./format";

/** Starts a value. */
export function start(out: Buffer, inspected: i32): void {
  out.clear();
  out.text("inspected=").text(nameOf(inspected));
}

function nameOf(inspected: i32): string {
  if (inspected == INSPECTED_FULL) return "full";
  if (inspected == INSPECTED_PARTIAL) return "partial";
  return inspected == INSPECTED_HEADERS ? "headers" : "no";
}

export function putScore(out: Buffer, score: i64, threshold: i32): void {
  out.text(", score=").int(score).text(", threshold=").int(threshold);
}

/** Begins the list of rules; each is added with `putRule`, and `endRules` ends it. */
export function startRules(out: Buffer): void {
  out.text(", rules=(");
}

export function putRule(out: Buffer, id: i32, isFirst: bool): void {
  if (!isFirst) out.byte(0x20);
  out.int(id);
}

export function endRules(out: Buffer, more: bool): void {
  out.byte(0x29);
  if (more) out.text(", more");
}

/** Adds the client's address. */
export function putClient(out: Buffer, ptr: usize, len: i32): void {
  if (len > 0) out.text(', client="').bytes(ptr, len).byte(0x22);
}

/** Adds a user as `issuer/subject`, unless that is too long. */
export function putUser(out: Buffer, issuer: usize, issuerLen: i32, subject: usize, subjectLen: i32): void {
  if (issuerLen + subjectLen + 1 > MAX_FINDINGS_USER) return;
  out.text(', user=%"');
  putEncoded(out, issuer, issuerLen);
  out.byte(0x2f);
  putEncoded(out, subject, subjectLen);
  out.byte(0x22);
}

/** Bytes as a display string has them: what is not printable ASCII, `%` and `"` are encoded. */
function putEncoded(out: Buffer, ptr: usize, len: i32): void {
  for (let i = 0; i < len; i++) {
    const c = load<u8>(ptr + i);
    if (c >= 0x20 && c < 0x7f && c != 0x25 && c != 0x22) out.byte(c);
    else
      out
        .byte(0x25)
        .byte(hexDigit(c >> 4))
        .byte(hexDigit(c & 15));
  }
}
