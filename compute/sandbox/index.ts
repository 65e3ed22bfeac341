export { GUEST, PREPARE } from "./guest/guest.ts";
export { type Outcome, readOutcome } from "./outcome.ts";
export { compileProgram, type Program, SourceError } from "./program.ts";
export * from "./sandbox.ts";
export { SCRIPT_NAME } from "./script-name.ts";
export { type Packed, pack, unpack } from "./values.ts";
export { boundWasm, PAGE_BYTES, WasmError } from "./wasm/bound.ts";
export { WASM_PROGRAM } from "./wasm/program.ts";
export { bigParameters } from "./wasm/signature.ts";
