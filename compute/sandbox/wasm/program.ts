import type { Program } from "../program.ts";

/**
 * Calls an export of a module: `{module, call, args, bigs}` as inputs, where `bigs` tells which of the flattened arguments are
 * 64-bit integers. Bytes are copied in and passed as pointer and length; a returned pointer and length become bytes.
 */
const CALL = `(async function (exports, WebAssembly) { "use strict";
exports.default = ({ module, call, args, bigs }) => {
  const { exports: found } = new WebAssembly.Instance(new WebAssembly.Module(module), {});
  const main = found[call];
  if (typeof main !== "function") {
    const names = Object.keys(found).filter((name) => typeof found[name] === "function").join(", ");
    throw new TypeError("The module exports no function " + call + (names === "" ? "" : "; it has " + names));
  }
  const memory = () => {
    if (!(found.memory instanceof WebAssembly.Memory)) throw new TypeError("The module must export its memory, as memory");
    return new Uint8Array(found.memory.buffer);
  };
  const place = (bytes) => {
    if (typeof found.alloc !== "function") throw new TypeError("The module must export alloc(n), by which bytes are copied in");
    const pointer = found.alloc(bytes.length) >>> 0;
    const all = memory();
    if (pointer + bytes.length > all.length) throw new RangeError("alloc gave a place outside of the memory");
    all.set(bytes, pointer);
    return [pointer, bytes.length];
  };
  const given = args.flatMap((arg) => (typeof arg === "number" ? [arg] : place(arg)));
  const results = [main(...given.map((arg, at) => (bigs[at] ? BigInt(arg) : arg)))].flat();
  if (results.length > 2) throw new TypeError("A function gives nothing, a number, or a pointer and a length");
  const [first, length] = results.map(plain);
  if (length === undefined) return first;
  const pointer = first >>> 0;
  const all = memory();
  if (pointer + (length >>> 0) > all.length) throw new RangeError("The bytes that it gives lie outside of its memory");
  return all.slice(pointer, pointer + (length >>> 0));
};
const plain = (result) => {
  if (typeof result !== "bigint") return result;
  const number = Number(result);
  if (!Number.isSafeInteger(number)) throw new RangeError(result + " is too large for a number");
  return number;
};
})`;

export const WASM_PROGRAM: Program = { script: CALL, wasm: true };
