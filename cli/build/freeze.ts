/**
 * Freezes a wasm instance: writes a module whose memory and globals already hold what the instance
 * computed, as Wizer does. Envoy then starts with all rules compiled. The start function has a guard
 * that is frozen too, so it does nothing a second time.
 */
import { DATA, DATA_COUNT, EXPORT, GLOBAL, MEMORY, Reader, readGlobals, readSections, type Section, signed, u32, writeSections } from "./sections.ts";

const PAGE = 65536;
/** Pages that the host allows: 1 GiB. */
const MAX_PAGES = 16384;
/** A run of zeros this long is left out of the data segments. */
const GAP = 32;
const I32 = 0x7f;
const I64 = 0x7e;

/** Gives a copy of the module in which every mutable global is exported, as `global:<index>`. */
export function openGlobals(wasm: Uint8Array): Uint8Array {
  const sections = readSections(wasm);
  const globals = readGlobals(bodyOf(sections, GLOBAL));
  const added = globals.flatMap(({ mutable }, i) => {
    const name = Buffer.from(`global:${i}`);
    return mutable ? [Buffer.concat([u32(name.length), name, Buffer.from([3]), u32(i)])] : [];
  });
  return writeSections(
    sections.map((section) => {
      if (section.id !== EXPORT) return section;
      const reader = new Reader(section.body);
      const count = reader.u32();
      return { id: EXPORT, body: Buffer.concat([u32(count + added.length), section.body.subarray(reader.at), ...added]) };
    }),
  );
}

/** Gives the module with the state of `instance`, made from what `openGlobals` gave. */
export function freeze(wasm: Uint8Array, instance: WebAssembly.Instance): Uint8Array {
  const memory = Buffer.from((instance.exports.memory as WebAssembly.Memory).buffer);
  const runs = runsOf(memory);
  const sections = readSections(wasm).filter(({ id }) => id !== DATA);
  const frozen = sections.map(({ id, body }): Section => {
    if (id === GLOBAL) return { id, body: frozenGlobals(body, instance) };
    if (id === MEMORY) return { id, body: Buffer.concat([Buffer.from([1, 1]), u32(memory.length / PAGE), u32(MAX_PAGES)]) };
    if (id === DATA_COUNT) return { id, body: u32(runs.length) };
    return { id, body };
  });
  // data is the last section but for custom ones
  const custom = frozen.findIndex(({ id }, i) => id === 0 && i > 0);
  frozen.splice(custom < 0 ? frozen.length : custom, 0, { id: DATA, body: dataSection(memory, runs) });
  return writeSections(frozen);
}

function bodyOf(sections: Section[], id: number): Buffer {
  const section = sections.find((candidate) => candidate.id === id);
  if (!section) throw new Error(`wasm module without section ${id}`);
  return section.body;
}

function frozenGlobals(body: Buffer, instance: WebAssembly.Instance): Buffer {
  const globals = readGlobals(body);
  const written = globals.map(({ type, mutable, bytes }, i) => {
    if (!mutable) return bytes;
    const { value } = instance.exports[`global:${i}`] as WebAssembly.Global;
    if (type !== I32 && type !== I64) throw new Error(`global ${i} of a type that cannot be frozen`);
    return Buffer.concat([Buffer.from([type, 1, type === I32 ? 0x41 : 0x42]), signed(BigInt(value)), Buffer.from([0x0b])]);
  });
  return Buffer.concat([u32(globals.length), ...written]);
}

function dataSection(memory: Buffer, runs: [number, number][]): Buffer {
  const segments = runs.flatMap(([start, end]) => [
    Buffer.from([0, 0x41]),
    signed(BigInt(start)),
    Buffer.from([0x0b]),
    u32(end - start),
    memory.subarray(start, end),
  ]);
  return Buffer.concat([u32(runs.length), ...segments]);
}

/** Gives the runs of bytes that are not zero. */
function runsOf(memory: Buffer): [number, number][] {
  const runs: [number, number][] = [];
  let i = 0;
  while (i < memory.length) {
    while (i < memory.length && memory[i] === 0) i++;
    const start = i;
    let end = i;
    while (i < memory.length && i - end < GAP) if (memory[i++] !== 0) end = i;
    if (end > start) runs.push([start, end]);
  }
  return runs;
}
