/** What events say of a quarantine. */
import { Buffer } from "../bytes/buffer";
import { putTime } from "../bytes/calendar";

/** Writes a field: whether a quarantine begins with the event, and until when it lasts, in nanoseconds since 1970. */
export function putQuarantine(out: Buffer, begins: bool, until: i64): void {
  out
    .text(',"quarantine":{"begins":')
    .text(begins ? "true" : "false")
    .text(',"until":"');
  putTime(out, until);
  out.text('"}');
}
