import { type MeterNames, meterBody, pay } from "./meter-body.ts";
import { WasmReader, WasmWriter } from "./wasm-bytes.ts";

/**
 * What a metered module imports besides. `spent()` is called when there is no fuel left, and throws, or fills up, or gives 1: then
 * `wait()` is called, which may put the caller aside.
 */
export const METER = { module: "meter", spent: "spent", wait: "wait" } as const;
/** What it exports besides: the global of what is left. */
export const FUEL = "fuel";

const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, start: 8, element: 9, code: 10 };
const I32 = 0x7f;
const FUNCTION = 0x60;

/**
 * Rewrites a WebAssembly module so that every call and every turn of a loop takes one unit of fuel, and every 64 bytes that a
 * single instruction moves. Without fuel it calls its host, which gives more or throws: so nothing that the module does goes
 * on for ever, native loops and regular expressions of an interpreter included, on hosts where nothing can be killed and the
 * clock stands still.
 *
 * For modules as Emscripten writes them: one memory, no globals imported, no exceptions, no SIMD. Others are refused.
 */
export function meter(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const reader = new WasmReader(module, 8);
  const sections: { readonly id: number; readonly content: WasmReader }[] = [];
  while (reader.at < reader.end) {
    const id = reader.byte();
    sections.push({ id, content: reader.part(reader.unsigned()) });
  }
  const section = (id: number) => {
    const found = sections.find((one) => one.id === id);
    if (!found) throw new TypeError(`The module has no section ${id}`);
    const { bytes, at, end } = found.content;
    return new WasmReader(bytes, at, end);
  };
  const types = section(SECTION.type).unsigned();
  const imported = importedFunctions(section(SECTION.import));
  const functions = section(SECTION.function).unsigned();
  const fuel = section(SECTION.global).unsigned();
  // The functions imported besides come after the other imports, which moves the numbers of all that follow.
  const shifted = (index: number) => (index < imported ? index : index + 2);
  const added = 2 + imported + functions;
  const names = { fuel, refuel: added, fill: added + 1, copy: added + 2 };

  const out = new WasmWriter().slice(module.subarray(0, 8));
  for (const { id, content } of sections) {
    const written = new WasmWriter();
    switch (id) {
      case SECTION.type:
        more(content, written, 3).raw(FUNCTION, 0, 0, FUNCTION, 0, 1, I32, FUNCTION, 3, I32, I32, I32, 0);
        break;
      case SECTION.import:
        lowerMemory(content, written, 2);
        written
          .text(METER.module)
          .text(METER.spent)
          .raw(FUNCTION_IMPORT)
          .unsigned(types + 1);
        written.text(METER.module).text(METER.wait).raw(FUNCTION_IMPORT).unsigned(types);
        break;
      case SECTION.function:
        more(content, written, 3)
          .unsigned(types)
          .unsigned(types + 2)
          .unsigned(types + 2);
        break;
      case SECTION.global:
        // i32, mutable, at first as full as it can be: a module that is being instantiated can't ask for fuel yet.
        more(content, written, 1).raw(I32, 1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x0b);
        break;
      case SECTION.export:
        shiftExports(content, written, shifted);
        break;
      case SECTION.start:
        written.unsigned(shifted(content.unsigned()));
        break;
      case SECTION.element:
        shiftElements(content, written, shifted);
        break;
      case SECTION.code:
        written.unsigned(content.unsigned() + 3);
        while (content.at < content.end) {
          written.sized(meterBody(content.part(content.unsigned()), names, shifted));
        }
        written
          .sized(refueling(imported))
          .sized(moving(names, 0x0b, 0))
          .sized(moving(names, 0x0a, 0, 0));
        break;
      default:
        written.slice(rest(content));
    }
    if (id === SECTION.export) written.text(FUEL).raw(3).unsigned(fuel);
    out.raw(id).sized(written);
  }
  return out.done();
}

function rest(content: WasmReader): Uint8Array {
  return content.bytes.subarray(content.at, content.end);
}

/** The same list, about to get so many more. */
function more(content: WasmReader, written: WasmWriter, count: number): WasmWriter {
  return written.unsigned(content.unsigned() + count).slice(rest(content));
}

function importedFunctions(imports: WasmReader): number {
  let functions = 0;
  for (let left = imports.unsigned(); left > 0; left -= 1) {
    skipNames(imports);
    if (imports.byte() === FUNCTION_IMPORT) {
      functions += 1;
      imports.unsigned();
    } else skipLimits(imports);
  }
  return functions;
}

/** The same imports, about to get more; whoever makes the memory says how much of it there is at first. */
function lowerMemory(content: WasmReader, written: WasmWriter, added: number): void {
  const count = content.unsigned();
  written.unsigned(count + added);
  for (let left = count; left > 0; left -= 1) {
    const from = content.at;
    skipNames(content);
    const kind = content.byte();
    if (kind === FUNCTION_IMPORT) {
      content.unsigned();
      written.slice(content.bytes.subarray(from, content.at));
    } else {
      written.slice(content.bytes.subarray(from, content.at));
      const [maximum] = skipLimits(content);
      written.raw(1).unsigned(1).unsigned(maximum);
    }
  }
}

const FUNCTION_IMPORT = 0;

function skipNames(imports: WasmReader): void {
  imports.skip(imports.unsigned());
  imports.skip(imports.unsigned());
}

function skipLimits(imports: WasmReader): readonly [maximum: number] {
  if (imports.byte() !== 1) throw new TypeError("A module to be metered imports a memory with a maximum");
  imports.unsigned();
  return [imports.unsigned()];
}

function shiftExports(content: WasmReader, written: WasmWriter, shifted: (index: number) => number): void {
  const count = content.unsigned();
  written.unsigned(count + 1);
  for (let left = count; left > 0; left -= 1) {
    const from = content.at;
    content.skip(content.unsigned());
    const kind = content.byte();
    written.slice(content.bytes.subarray(from, content.at));
    const index = content.unsigned();
    written.unsigned(kind === 0 ? shifted(index) : index);
  }
}

function shiftElements(content: WasmReader, written: WasmWriter, shifted: (index: number) => number): void {
  const count = content.unsigned();
  written.unsigned(count);
  for (let left = count; left > 0; left -= 1) {
    const from = content.at;
    // Active, in table 0, at a constant: what compilers of C write.
    if (content.unsigned() !== 0 || content.byte() !== 0x41) {
      throw new TypeError("A module to be metered has plain tables of functions only");
    }
    content.skipNumber();
    content.byte();
    written.slice(content.bytes.subarray(from, content.at));
    const functions = content.unsigned();
    written.unsigned(functions);
    for (let one = functions; one > 0; one -= 1) written.unsigned(shifted(content.unsigned()));
  }
}

/** `if (spent()) wait()` */
function refueling(spent: number): WasmWriter {
  const body = new WasmWriter()
    .raw(0, 0x10)
    .unsigned(spent)
    .raw(0x04, 0x40, 0x10)
    .unsigned(spent + 1);
  return body.raw(0x0b, 0x0b);
}

/** `(a, b, length)`: pays for the length, then fills or copies. */
function moving(names: MeterNames, ...instruction: readonly number[]): WasmWriter {
  const body = new WasmWriter().raw(0);
  // length >>> 6
  pay(body, names, 0x20, 2, 0x41, 6, 0x76);
  return body.raw(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, ...instruction, 0x0b);
}
