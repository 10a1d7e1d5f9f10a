/** Envoy's dynamic metadata, as the host gives it to a filter. */

export type Json = { readonly [key: string]: JsonValue };
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | Json;

/** Gives metadata with the claims of a token that Envoy's jwt_authn verified, where Istio has it put them. */
export function claimsOf(claims: Json): { [filter: string]: Json } {
  return { "envoy.filters.http.jwt_authn": { payload: claims } };
}

/** Encodes metadata as Envoy does: see assembly/policy/metadata.ts. */
export function encodeMetadata(filters: { [filter: string]: Json }): Buffer {
  return encodeMap(filters as Json, encodeStruct);
}

function encodeMap(map: Json, encode: (value: never) => Buffer): Buffer {
  return Buffer.concat(Object.entries(map).map(([key, value]) => field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, encode(value as never))]))));
}

function encodeStruct(fields: Json): Buffer {
  return encodeMap(fields, encodeValue);
}

function encodeValue(value: JsonValue): Buffer {
  if (value === null) return Buffer.from([0x08, 0]);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(9);
    bytes[0] = 0x11;
    bytes.writeDoubleLE(value, 1);
    return bytes;
  }
  if (typeof value === "string") return field(3, Buffer.from(value));
  if (typeof value === "boolean") return Buffer.from([0x20, value ? 1 : 0]);
  if (Array.isArray(value)) return field(6, Buffer.concat(value.map((item) => field(1, encodeValue(item)))));
  return field(5, encodeStruct(value as Json));
}

/** A field with a length. */
function field(number: number, content: Buffer): Buffer {
  const head = [(number << 3) | 2];
  let rest = content.length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, rest]), content]);
}
