/**
 * The binary format of WebAssembly as far as freezing needs it: sections, LEB128 numbers, globals
 * (https://webassembly.github.io/spec/core/binary/modules.html). Sections that are not changed are copied.
 */

export const GLOBAL = 6;
export const EXPORT = 7;
export const MEMORY = 5;
export const DATA_COUNT = 12;
export const DATA = 11;

const HEADER = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

export interface Section {
  id: number;
  body: Buffer;
}

/** Reads a module from its start. */
export class Reader {
  at = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Error("wasm module is cut short");
    return value;
  }

  /** Reads an unsigned LEB128 number of up to 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

export function readSections(wasm: Uint8Array): Section[] {
  const reader = new Reader(Buffer.from(wasm));
  if (!reader.take(HEADER.length).equals(HEADER)) throw new Error("not a WebAssembly module");
  const sections: Section[] = [];
  while (!reader.done) {
    const id = reader.byte();
    sections.push({ id, body: reader.take(reader.u32()) });
  }
  return sections;
}

export function writeSections(sections: Section[]): Buffer {
  return Buffer.concat([HEADER, ...sections.flatMap(({ id, body }) => [Buffer.from([id]), u32(body.length), body])]);
}

/** Writes an unsigned LEB128 number. */
export function u32(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Writes a signed LEB128 number. */
export function signed(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const ends = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    bytes.push(ends ? low : low | 0x80);
    if (ends) return Buffer.from(bytes);
  }
}

export interface Global {
  /** Value type: 0x7f i32, 0x7e i64. */
  type: number;
  mutable: boolean;
  /** Its bytes: type, mutability, initial value. */
  bytes: Buffer;
}

/** Reads the globals of a module that imports none; initial values are single constants. */
export function readGlobals(body: Buffer): Global[] {
  const reader = new Reader(body);
  return Array.from({ length: reader.u32() }, () => {
    const start = reader.at;
    const type = reader.byte();
    const mutable = reader.byte() === 1;
    const opcode = reader.byte();
    if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23) while (reader.byte() >= 0x80);
    else if (opcode === 0x43) reader.take(4);
    else if (opcode === 0x44) reader.take(8);
    else throw new Error(`global with an initial value of opcode ${opcode}`);
    reader.byte();
    return { type, mutable, bytes: body.subarray(start, reader.at) };
  });
}
