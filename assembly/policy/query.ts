/** Query parameters of one name, decoded as forms are: `+` is a blank, `%XX` a byte. */
import { Arena } from "../bytes/arena";
import { hexByte, isHex } from "../bytes/ascii";
import { equal, indexOf } from "../bytes/span";
import { setText } from "./request";

let arena: Arena = changetype<Arena>(0);
let at: usize = 0;
let end: usize = 0;
let name: usize = 0;
let nameLen: i32 = 0;

/** Starts reading the parameters of that name. */
export function startParameters(target: Arena, query: usize, len: i32, wanted: usize, wantedLen: i32): void {
  arena = target;
  at = query;
  end = query + <usize>len;
  name = wanted;
  nameLen = wantedLen;
}

/** Finds the next one; its value is then the text of the request, see request.ts. False if there is none. */
export function nextParameter(): bool {
  while (at < end) {
    const len = <i32>(end - at);
    const and = indexOf(at, len, 0x26);
    const size = and < 0 ? len : and;
    const start = at;
    at += <usize>(size + 1);
    const equals = indexOf(start, size, 0x3d);
    const keySize = equals < 0 ? size : equals;
    decode(start, keySize);
    if (!equal(decoded, decodedLen, name, nameLen)) continue;
    if (equals < 0) setText(start, 0);
    else {
      decode(start + <usize>(equals + 1), size - equals - 1);
      setText(decoded, decodedLen);
    }
    return true;
  }
  return false;
}

let decoded: usize = 0;
let decodedLen: i32 = 0;

function decode(ptr: usize, len: i32): void {
  if (indexOf(ptr, len, 0x25) < 0 && indexOf(ptr, len, 0x2b) < 0) {
    decoded = ptr;
    decodedLen = len;
    return;
  }
  const out = arena.reserve(<usize>len);
  let to = out;
  for (let i = 0; i < len; ) {
    const c = load<u8>(ptr + i);
    if (c == 0x25 && i + 2 < len && isHex(load<u8>(ptr + i + 1)) && isHex(load<u8>(ptr + i + 2))) {
      store<u8>(to++, hexByte(ptr + <usize>(i + 1)));
      i += 3;
    } else {
      store<u8>(to++, c == 0x2b ? 0x20 : c);
      i++;
    }
  }
  decoded = out;
  decodedLen = <i32>(to - out);
}
