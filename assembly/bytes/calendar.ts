/** Dates and times of day, in UTC. */
import { Buffer } from "./buffer";

// Civil from days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". UTC.
export let year: i64 = 0;
export let month: i64 = 0;
export let day: i64 = 0;

/** Splits days since 1970-01-01 into a date of the Gregorian calendar, see the variables above. */
export function civilFromDays(days: i64): void {
  const z = days + 719468;
  const era = (z >= 0 ? z : z - 146096) / 146097;
  const doe = z - era * 146097;
  const yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const mp = (5 * doy + 2) / 153;
  day = doy - (153 * mp + 2) / 5 + 1;
  month = mp < 10 ? mp + 3 : mp - 9;
  year = yoe + era * 400 + (month <= 2 ? 1 : 0);
}

/** Appends the time of day, given in seconds since midnight: 12:00:00. */
export function putClock(out: Buffer, seconds: i64): void {
  out
    .padded(seconds / 3600, 2)
    .byte(0x3a)
    .padded((seconds / 60) % 60, 2)
    .byte(0x3a)
    .padded(seconds % 60, 2);
}

/** Appends a time in RFC 3339's form with milliseconds: 2026-01-31T12:00:00.000Z. */
export function putTime(out: Buffer, nanos: i64): void {
  const seconds = nanos / 1000000000;
  civilFromDays(seconds / 86400);
  const rest = seconds % 86400;
  out.padded(year, 4).byte(0x2d).padded(month, 2).byte(0x2d).padded(day, 2).byte(0x54);
  putClock(out, rest);
  out
    .byte(0x2e)
    .padded((nanos / 1000000) % 1000, 3)
    .byte(0x5a);
}
