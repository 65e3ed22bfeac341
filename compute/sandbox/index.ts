export { GUEST } from "./guest/guest.ts";
export { type Outcome, readOutcome } from "./outcome.ts";
export { compileProgram, type Program, SCRIPT_NAME, SourceError } from "./program.ts";
export * from "./sandbox.ts";
export { type Packed, pack, unpack } from "./values.ts";
