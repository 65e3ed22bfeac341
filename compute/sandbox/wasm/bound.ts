import { WasmReader, WasmWriter } from "../quickjs/wasm-bytes.ts";

/** What is wrong with a module. The text goes on after the module's name. */
export class WasmError extends Error {
  override readonly name = "WasmError";
}

/** Bytes of a page of memory. */
export const PAGE_BYTES = 65_536;
/** Elements of a table: each is a few words of the engine's. */
const MAX_TABLE = 100_000;

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { imports: 2, tables: 4, memories: 5 } as const;
/** Flags of limits (core specification, 5.3.7, with threads and memory64). */
const HAS_MAXIMUM = 1;
const SHARED = 2;
const LARGE = 4;
const DEFAULT_VALUE = 0x40;

/**
 * The same module with its memory and tables capped: engines grow neither beyond what a module declares, and what grows by
 * itself can't be stopped by a browser. Whatever else is in it is left for the engine to check. Throws a `WasmError`.
 */
export function boundWasm(bytes: Uint8Array, maxPages: number): Uint8Array<ArrayBuffer> {
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw new WasmError("is not WebAssembly (version 1)");
  const reader = new WasmReader(bytes, MAGIC.length);
  const writer = new WasmWriter().raw(...MAGIC);
  try {
    while (reader.at < reader.end) {
      const id = reader.byte();
      const length = reader.unsigned();
      if (reader.at + length > reader.end) throw new RangeError("A section is cut short");
      const section = reader.part(length);
      if (id === SECTION.imports) refuseImports(section);
      writer.raw(id);
      if (id === SECTION.memories) writer.sized(memories(section, maxPages));
      else if (id === SECTION.tables) writer.sized(tables(section));
      else writer.unsigned(length).slice(bytes.subarray(section.at, section.end));
    }
  } catch (cause) {
    if (cause instanceof RangeError) throw new WasmError("is cut short, or isn't WebAssembly", { cause });
    throw cause;
  }
  return writer.done();
}

function refuseImports(section: WasmReader): void {
  if (section.unsigned() === 0) return;
  const name = () => new TextDecoder().decode(bytesOf(section.part(section.unsigned())));
  throw new WasmError(`imports "${name()}" "${name()}"; there is nothing to import here`);
}

function bytesOf({ bytes, at, end }: WasmReader): Uint8Array {
  return bytes.subarray(at, Math.min(end, bytes.length));
}

function memories(section: WasmReader, maxPages: number): WasmWriter {
  const count = section.unsigned();
  const writer = new WasmWriter().unsigned(count);
  // Each may grow on its own, so that they share.
  const most = Math.floor(maxPages / Math.max(1, count));
  for (let left = count; left > 0; left -= 1) limits(section, writer, most, "of memory, in pages of 64 KiB,");
  return writer;
}

function tables(section: WasmReader): WasmWriter {
  const count = section.unsigned();
  const writer = new WasmWriter().unsigned(count);
  const most = Math.floor(MAX_TABLE / Math.max(1, count));
  for (let left = count; left > 0; left -= 1) {
    const type = section.byte();
    if (type === DEFAULT_VALUE)
      throw new WasmError("has a table with initial values, which is not supported");
    writer.raw(type);
    // Types beyond function and host references are an index more.
    if (type === 0x63 || type === 0x64) writer.unsigned(section.unsigned());
    limits(section, writer, most, "elements of a table");
  }
  return writer;
}

function limits(section: WasmReader, writer: WasmWriter, most: number, what: string): void {
  const flags = section.byte();
  if (flags & SHARED) throw new WasmError("has a shared memory, which is not supported");
  if (flags & LARGE) throw new WasmError("has 64-bit limits, which are not supported");
  const minimum = section.unsigned();
  const maximum = flags & HAS_MAXIMUM ? section.unsigned() : most;
  if (minimum > most) throw new WasmError(`needs ${minimum} ${what} and may have ${most}`);
  writer.raw(HAS_MAXIMUM).unsigned(minimum).unsigned(Math.min(maximum, most));
}
