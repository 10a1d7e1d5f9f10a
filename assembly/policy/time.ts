/**
 * Windows of time in UTC: `08:00-18:00`, `Mon-Fri 08:00-18:00`, `Sat,Sun`. The end does not belong to the window;
 * one that ends before it begins goes over midnight and belongs to the day on which it begins.
 */
import { isDigit } from "../bytes/ascii";
import { indexOf, wordIndex } from "../bytes/span";

const DAYS: string = "mon tue wed thu fri sat sun ";
const MINUTES_OF_DAY: i32 = 1440;

/** What the last window that was read says: bit 0 is Monday; minutes of the day. */
let days: u32 = 0;
let from: i32 = 0;
let to: i32 = 0;

/** True if the text is a window. */
export function isWindow(ptr: usize, len: i32): bool {
  days = 0x7f;
  from = 0;
  to = MINUTES_OF_DAY;
  const blank = indexOf(ptr, len, 0x20);
  if (blank >= 0) return readDays(ptr, blank) && readHours(ptr + <usize>(blank + 1), len - blank - 1);
  return len > 0 && isDigit(load<u8>(ptr)) ? readHours(ptr, len) : readDays(ptr, len);
}

function dayOf(ptr: usize): i32 {
  return wordIndex(DAYS, ptr, 3);
}

/** `Mon-Fri`, `Sat,Sun`, and lists of both. */
function readDays(ptr: usize, len: i32): bool {
  days = 0;
  let at = 0;
  while (at + 3 <= len) {
    const first = dayOf(ptr + <usize>at);
    if (first < 0) return false;
    at += 3;
    let last = first;
    if (at < len && load<u8>(ptr + at) == 0x2d) {
      if (at + 4 > len) return false;
      last = dayOf(ptr + <usize>(at + 1));
      if (last < 0) return false;
      at += 4;
    }
    for (let day = first; ; day = (day + 1) % 7) {
      days |= (<u32>1) << (<u32>day);
      if (day == last) break;
    }
    if (at == len) return true;
    if (load<u8>(ptr + at) != 0x2c) return false;
    at++;
  }
  return false;
}

/** Gives the minutes of `HH:MM`, -1 if it is something else. `24:00` is the end of a day. */
function minutes(ptr: usize): i32 {
  for (let i: usize = 0; i < 5; i++) if (i == 2 ? load<u8>(ptr + i) != 0x3a : !isDigit(load<u8>(ptr + i))) return -1;
  const hour = <i32>(load<u8>(ptr) - 0x30) * 10 + <i32>(load<u8>(ptr, 1) - 0x30);
  const minute = <i32>(load<u8>(ptr, 3) - 0x30) * 10 + <i32>(load<u8>(ptr, 4) - 0x30);
  return minute > 59 || hour * 60 + minute > MINUTES_OF_DAY ? -1 : hour * 60 + minute;
}

function readHours(ptr: usize, len: i32): bool {
  if (len != 11 || load<u8>(ptr, 5) != 0x2d) return false;
  from = minutes(ptr);
  to = minutes(ptr + 6);
  return from >= 0 && to >= 0 && from != to;
}

/** True if a moment, in nanoseconds since 1970, is in the window. */
export function isWithin(ptr: usize, len: i32, nanoseconds: i64): bool {
  if (!isWindow(ptr, len)) return false;
  const minute = nanoseconds / 60000000000;
  const ofDay = <i32>(minute % MINUTES_OF_DAY);
  // 1970-01-01 was a Thursday
  const day = <i32>((minute / MINUTES_OF_DAY + 3) % 7);
  if (from < to) return hasDay(day) && ofDay >= from && ofDay < to;
  return (hasDay(day) && ofDay >= from) || (hasDay((day + 6) % 7) && ofDay < to);
}

function hasDay(day: i32): bool {
  return ((days >> <u32>day) & 1) != 0;
}
