import { WasmReader } from "../quickjs/wasm-bytes.ts";

const HEADER_BYTES = 8;
const FUNCTION = 0x60;
const I64 = 0x7e;
const EXPORTED_FUNCTION = 0;

/**
 * Which parameters of an exported function are 64-bit integers: the interface to JavaScript takes those as big integers only, and
 * doesn't tell which they are. Null where the module has no such function, or types that aren't plain. For modules without imports.
 */
export function bigParameters(bytes: Uint8Array, name: string): boolean[] | null {
  const reader = new WasmReader(bytes, HEADER_BYTES);
  let types: (boolean[] | null)[] = [];
  let functions: number[] = [];
  try {
    while (reader.at < reader.end) {
      const id = reader.byte();
      const section = reader.part(reader.unsigned());
      if (id === 1) types = readTypes(section);
      else if (id === 3) functions = Array.from({ length: countOf(section) }, () => section.unsigned());
      else if (id === 7) {
        const index = exported(section, name);
        return index === null ? null : (types[functions[index] ?? -1] ?? null);
      }
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    // The engine says what is wrong with it.
  }
  return null;
}

/** Types are named by their position; from the first that isn't a plain function on, positions aren't known. */
function readTypes(section: WasmReader): (boolean[] | null)[] {
  const types: boolean[][] = [];
  for (let left = countOf(section); left > 0; left -= 1) {
    if (section.byte() !== FUNCTION) break;
    types.push(Array.from({ length: countOf(section) }, () => section.byte() === I64));
    section.skip(section.unsigned());
  }
  return types;
}

function exported(section: WasmReader, name: string): number | null {
  const decoder = new TextDecoder();
  for (let left = countOf(section); left > 0; left -= 1) {
    const { bytes, at, end } = section.part(section.unsigned());
    const found = decoder.decode(bytes.subarray(at, end));
    const kind = section.byte();
    const index = section.unsigned();
    if (found === name && kind === EXPORTED_FUNCTION) return index;
  }
  return null;
}

/** A count of things of at least one byte each: more of them than bytes are not there. */
function countOf(section: WasmReader): number {
  const count = section.unsigned();
  if (count > section.end - section.at) throw new RangeError("The WebAssembly binary is cut short");
  return count;
}
