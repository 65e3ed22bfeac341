export type { Tool, ToolCall, Tools } from "./answers.ts";
export * from "./client.ts";
export type { Clock } from "./clock.ts";
export type { Fetch } from "./http.ts";
export { RunInterrupted } from "./interrupted.ts";
export type { Patience } from "./patience.ts";
export type { Piece } from "./pieces.ts";
export { type Interrupted, Run, type RunDeps, type RunOptions } from "./run.ts";
export { type Arrival, Interruption, type Transport } from "./transport.ts";
