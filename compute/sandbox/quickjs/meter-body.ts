import { type WasmReader, WasmWriter } from "./wasm-bytes.ts";

/** What the instructions put in between refer to, by number. */
export interface MeterNames {
  /** A global. */
  readonly fuel: number;
  /** Functions: what asks for more, and those in place of `memory.fill` and `memory.copy`. */
  readonly refuel: number;
  readonly fill: number;
  readonly copy: number;
}

const LOOP = 0x03;
const CALL = 0x10;
const REF_FUNC = 0xd2;
const MISC = 0xfc;
const MEMORY_COPY = 10;
const MEMORY_FILL = 11;

/** `i32.const 1` */
const ONE = [0x41, 1];

/** One function with its locals: the same, paying as it goes. */
export function meterBody(
  body: WasmReader,
  names: MeterNames,
  shifted: (index: number) => number,
): WasmWriter {
  const { bytes } = body;
  const out = new WasmWriter();
  let copied = body.at;
  const copyTo = (end: number) => {
    out.slice(bytes.subarray(copied, end));
    copied = body.at;
  };
  for (let left = body.unsigned(); left > 0; left -= 1) {
    body.unsigned();
    body.byte();
  }
  copyTo(body.at);
  pay(out, names, ...ONE);
  while (body.at < body.end) {
    const from = body.at;
    const opcode = body.byte();
    if (opcode === LOOP) {
      body.skipNumber();
      copyTo(body.at);
      pay(out, names, ...ONE);
    } else if (opcode === CALL || opcode === REF_FUNC) {
      const index = body.unsigned();
      copyTo(from);
      out.raw(opcode).unsigned(shifted(index));
    } else if (opcode === MISC) {
      const instruction = body.unsigned();
      skipMisc(body, instruction);
      if (instruction === MEMORY_COPY || instruction === MEMORY_FILL) {
        copyTo(from);
        out.raw(CALL).unsigned(instruction === MEMORY_FILL ? names.fill : names.copy);
      }
    } else skipImmediates(body, opcode);
  }
  copyTo(body.end);
  return out;
}

/** `if ((fuel -= price) < 0) refuel()` */
export function pay(out: WasmWriter, { fuel, refuel }: MeterNames, ...price: readonly number[]): void {
  out
    .raw(0x23)
    .unsigned(fuel)
    .raw(...price, 0x6b, 0x24)
    .unsigned(fuel)
    .raw(0x23)
    .unsigned(fuel);
  out.raw(0x41, 0, 0x48, 0x04, 0x40, CALL).unsigned(refuel).raw(0x0b);
}

/** The instructions' numbers and what follows them: WebAssembly core specification 2.0, 5.4. */
function skipImmediates(body: WasmReader, opcode: number): void {
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode >= 0x28 && opcode <= 0x3e) {
    body.skipNumber();
    body.skipNumber();
    return;
  }
  switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x1a: // drop
    case 0x1b: // select
    case 0xd1: // ref.is_null
      break;
    case 0x02: // block
    case 0x04: // if
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x20: // local.get
    case 0x21: // local.set
    case 0x22: // local.tee
    case 0x23: // global.get
    case 0x24: // global.set
    case 0x25: // table.get
    case 0x26: // table.set
    case 0x3f: // memory.size
    case 0x40: // memory.grow
    case 0x41: // i32.const
    case 0x42: // i64.const
    case 0xd0: // ref.null
      body.skipNumber();
      break;
    case 0x0e: // br_table
      body.skipVector();
      body.skipNumber();
      break;
    case 0x11: // call_indirect
      body.skipNumber();
      body.skipNumber();
      break;
    case 0x1c: // select with types
      body.skipVector();
      break;
    case 0x43: // f32.const
      body.skip(4);
      break;
    case 0x44: // f64.const
      body.skip(8);
      break;
    default:
      throw new TypeError(`No metering of instruction 0x${opcode.toString(16)}`);
  }
}

/** How many numbers follow each of the instructions that begin with 0xfc. */
const MISC_NUMBERS = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function skipMisc(body: WasmReader, instruction: number): void {
  const numbers = MISC_NUMBERS[instruction];
  if (numbers === undefined) throw new TypeError(`No metering of instruction 0xfc ${instruction}`);
  for (let left = numbers; left > 0; left -= 1) body.skipNumber();
}
