export { GUEST, PREPARE } from "./guest/guest.ts";
export { type Outcome, readOutcome } from "./outcome.ts";
export { compileProgram, type Program, SourceError } from "./program.ts";
export * from "./sandbox.ts";
export { SCRIPT_NAME } from "./script-name.ts";
export { type Packed, pack, unpack } from "./values.ts";
