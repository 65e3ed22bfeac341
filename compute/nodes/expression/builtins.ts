import type jsonata from "jsonata";
import { NodeflowError } from "../../../protocol/index.ts";
import { dateGuards } from "./dates.ts";
import type { Evaluation } from "./evaluation.ts";
import { assign, type Builtin, builtin, evaluationOf, type Focus } from "./evaluator.ts";
import { listFunctions } from "./lists.ts";
import { textFunctions } from "./texts.ts";

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

/** Work of a function for each part of its arguments, in steps. */
const STEPS_PER_PART = 1 / 32;

/** They look at one place of what they are given, however large it is. */
const CHEAP = new Set(["exists", "type", "count", "lookup", "boolean", "not"]);

const PLAIN = [
  ...["sum", "average", "string", "substring", "substringBefore", "substringAfter", "lowercase", "uppercase"],
  ...["length", "trim", "match", "contains", "formatBase", "number", "floor", "ceil", "round", "abs", "sqrt"],
  ...[
    "power",
    "boolean",
    "not",
    "map",
    "zip",
    "filter",
    "single",
    "reduce",
    "sift",
    "keys",
    "lookup",
    "append",
  ],
  ...["exists", "merge", "reverse", "each", "error", "assert", "type", "count", "encodeUrlComponent"],
  ...["encodeUrl", "decodeUrlComponent", "decodeUrl"],
];

const GUARDS: Readonly<Record<string, Guard>> = { ...textFunctions, ...listFunctions, ...dateGuards };

/** Functions that can't be had here, and why. */
export const REFUSED: Readonly<Record<string, string>> = {
  now: "there is no clock: give the time as an input",
  millis: "there is no clock: give the time as an input",
  eval: "expressions can't be made at run time",
};

const REPLACEMENTS = new Map<string, Builtin>();
for (const name of [...PLAIN, ...Object.keys(GUARDS)]) {
  REPLACEMENTS.set(name, guarded(name, builtin(name), GUARDS[name]));
}
for (const [name, why] of Object.entries(REFUSED)) {
  REPLACEMENTS.set(name, {
    _jsonata_function: true,
    implementation: () => {
      throw new NodeflowError("EXPRESSION_ERROR", `$${name}: ${why}`);
    },
  });
}

/** Puts guarded functions in the place of the evaluator's own. */
export function guardBuiltins(expression: jsonata.Expression): void {
  for (const [name, replacement] of REPLACEMENTS) assign(expression, name, replacement);
}

function guarded(name: string, known: Builtin, guard: Guard | undefined): Builtin {
  const { implementation } = known;
  const cheap = CHEAP.has(name);
  function call(this: Focus, ...args: unknown[]): unknown {
    const evaluation = evaluationOf(this.environment);
    const { meter } = evaluation;
    meter.charge(1);
    for (const arg of args) {
      if (typeof arg === "number") {
        // Loops up to an infinite or undefined number don't end.
        if (!Number.isFinite(arg)) throw new NodeflowError("EXPRESSION_ERROR", `$${name} is given ${arg}`);
      } else if (!cheap || Array.isArray(arg)) {
        meter.charge(evaluation.scales.weigh(arg) * STEPS_PER_PART);
      }
    }
    const original = (...given: readonly unknown[]) => implementation.apply(this, given as never[]);
    const begin = () =>
      guard ? guard({ args, focus: this, evaluation, original, implementation }) : original(...args);
    return meter.due ? meter.turn().then(begin) : begin();
  }
  // The evaluator reads the names of parameters from the source, to apply a function partially.
  call.toString = () => implementation.toString();
  return {
    _jsonata_function: true,
    implementation: call as Builtin["implementation"],
    arity: implementation.length,
    ...(known.signature !== undefined && { signature: known.signature }),
  };
}
