import type jsonata from "jsonata";
import { dateGuards } from "./dates.ts";
import { assign, type Builtin, builtin, evaluationOf, type Focus } from "./evaluator.ts";
import { failure } from "./failure.ts";
import type { Guard } from "./guard.ts";
import { listFunctions, range } from "./lists.ts";
import { textFunctions } from "./texts.ts";

/** Work of a function for each part of its arguments, in steps. */
const STEPS_PER_PART = 1 / 32;

/** They look at one place of what they are given, however large it is. */
const CHEAP = new Set(["exists", "type", "count", "lookup", "boolean", "not"]);

/** What needs no guard but the charge for its arguments. */
const PLAIN = (
  "sum average substringBefore substringAfter lowercase uppercase trim match contains formatBase number floor ceil " +
  "round abs sqrt power boolean not map zip filter single reduce sift keys lookup append exists merge reverse each " +
  "error assert type count encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl"
).split(" ");

const GUARDS: Readonly<Record<string, Guard>> = { ...textFunctions, ...listFunctions, ...dateGuards };

/** Functions that can't be had here, and why. */
export const REFUSED: Readonly<Record<string, string>> = {
  now: "there is no clock: give the time as an input",
  millis: "there is no clock: give the time as an input",
  eval: "expressions can't be made at run time",
};

/** The name of the function that the operator `..` becomes. No expression can say it. */
export const RANGE = "\u0000range";

const REPLACEMENTS = new Map<string, Builtin>();
for (const name of [...PLAIN, ...Object.keys(GUARDS)]) {
  REPLACEMENTS.set(name, guarded(name, builtin(name), GUARDS[name]));
}
for (const [name, why] of Object.entries(REFUSED)) {
  REPLACEMENTS.set(name, {
    _jsonata_function: true,
    implementation: () => {
      throw failure(`$${name}: ${why}`);
    },
  });
}

REPLACEMENTS.set(RANGE, guarded("..", { _jsonata_function: true, implementation: () => undefined }, range));

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
        if (!Number.isFinite(arg)) throw failure(`$${name} is given ${arg}`);
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
