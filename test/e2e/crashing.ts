/** A filter whose VM fails: the one that ships, but one of its callbacks does nothing but trap. */
import { Reader, readSections, u32, writeSections } from "../../cli/build/sections.ts";

const IMPORT = 2;
const EXPORT = 7;
const CODE = 10;
/** No locals, `unreachable`, `end`. */
const TRAP = Buffer.from([0, 0x00, 0x0b]);

/** Gives the module with a trap in place of an exported function. */
export function crashingIn(wasm: Buffer, callback: string): Buffer {
  const sections = readSections(wasm);
  const body = (id: number): Reader => new Reader(sections.find((section) => section.id === id)?.body ?? Buffer.alloc(0));
  // functions are counted from the imported ones on; all imports are functions
  const index = exportOf(body(EXPORT), callback) - body(IMPORT).u32();
  const code = body(CODE);
  const functions = Array.from({ length: code.u32() }, () => code.take(code.u32()));
  if (functions[index] === undefined) throw new Error(`the module has no function ${callback}`);
  functions[index] = TRAP;
  const replaced = Buffer.concat([u32(functions.length), ...functions.flatMap((one) => [u32(one.length), one])]);
  return writeSections(sections.map(({ id, body }) => ({ id, body: id === CODE ? replaced : body })));
}

/** Gives the index of an exported function. */
function exportOf(exports: Reader, name: string): number {
  for (let left = exports.u32(); left > 0; left--) {
    const own = exports.take(exports.u32()).toString();
    exports.byte();
    const index = exports.u32();
    if (own === name) return index;
  }
  throw new Error(`the module does not export ${name}`);
}
