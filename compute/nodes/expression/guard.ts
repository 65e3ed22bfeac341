import type { Evaluation } from "./evaluation.ts";
import type { Builtin, Focus } from "./evaluator.ts";

/**
 * A function that stands before a built-in one, or in its place. It throws where the built-in function would do more
 * work, or make something larger, than its arguments were charged for.
 */
export type Guard = (call: Call) => unknown;

export interface Call {
  readonly args: readonly unknown[];
  readonly focus: Focus;
  readonly evaluation: Evaluation;
  /** Calls the built-in function. */
  original(...args: readonly unknown[]): unknown;
  /** The built-in function itself, where it needs another `this`. */
  readonly implementation: Builtin["implementation"];
}
