import type jsonata from "jsonata";
import { z } from "zod";
import { NodeflowError, type Value } from "../../../protocol/index.ts";
import { TextCache } from "../text-cache.ts";
import { guardBuiltins } from "./builtins.ts";
import { direct, type Outcome, UNSURE } from "./direct.ts";
import { Evaluation } from "./evaluation.ts";
import { EVALUATION } from "./evaluator.ts";
import { addHooks } from "./hooks.ts";
import { copyIn, copyOut } from "./isolate.ts";
import { Interrupted, type Setting } from "./meter.ts";
import { boundRegExp } from "./regex.ts";
import { isWithin, roomOf } from "./room.ts";
import { type Parsed, parse } from "./syntax.ts";

/** Evaluations of parts that may wait for each other: this deep may functions call themselves. */
const MAX_OPEN = 20_000;
const MAX_MESSAGE = 500;

/** A JSONata expression that can be evaluated without harm, whoever wrote it. */
export interface Expression {
  /** Whether its evaluation on these inputs (`in` is the root) is proven not to hold up others for more than a few ms. */
  isQuick(inputs: Readonly<Record<string, Value>>): boolean;
  /**
   * The result, if it can be told without the evaluator, else `UNSURE`. It never throws.
   */
  evaluateNow(root: Value, variables: Readonly<Record<string, Value>>): Outcome;
  /**
   * Resolves with undefined where the expression finds nothing. Rejects with `EXPRESSION_ERROR`, or with the reason of
   * the abort. The same seed gives the same result.
   */
  evaluate(
    root: Value,
    variables: Readonly<Record<string, Value>>,
    setting: Setting,
  ): Promise<Value | undefined>;
}

/** A tree takes about two hundred bytes for each character. */
const CACHED_CHARS = 262_144;

const compiled = new TextCache<Expression>(CACHED_CHARS);

/** Reads an expression, or remembers having read it. Throws a SyntaxError that says what is wrong. */
export function compile(source: string): Expression {
  let known = compiled.get(source);
  if (known === undefined) {
    known = guardedExpression(source);
    compiled.set(source, known);
  }
  return known;
}

function guardedExpression(source: string): Expression {
  const options: jsonata.JsonataOptions = { stack: MAX_OPEN };
  const parsed: Parsed = parse(source, options);
  const { expression, tree, usesRegex } = parsed;
  const evaluateNow = direct(tree);
  let guarded = false;
  let room: number | undefined;
  return {
    isQuick(inputs) {
      room ??= roomOf(source, tree);
      if (room === 0) return false;
      if (isWithin(inputs, room)) return true;
      const { in: root = null, ...variables } = inputs;
      return evaluateNow(root, variables) !== UNSURE;
    },
    evaluateNow,
    async evaluate(root, variables, setting) {
      const outcome = evaluateNow(root, variables);
      if (outcome !== UNSURE) return outcome;
      if (!guarded) {
        guardBuiltins(expression);
        addHooks(expression);
        guarded = true;
      }
      const evaluation = new Evaluation(setting);
      const { meter } = evaluation;
      try {
        const bindings: Record<string, unknown> = Object.create(null);
        for (const [name, value] of Object.entries(variables)) bindings[name] = copyIn(value, meter);
        bindings[EVALUATION] = evaluation;
        const input = copyIn(root, meter);
        // Read when the evaluation begins, which is before anyone else can set it.
        if (usesRegex) options.RegexEngine = boundRegExp(meter);
        return copyOut(await expression.evaluate(input, bindings));
      } catch (error) {
        throw explained(error);
      }
    },
  };
}

/** What the evaluator throws is a plain object, or whatever a built-in function stumbled over. */
function explained(error: unknown): unknown {
  if (error instanceof Interrupted) return error.reason;
  if (error instanceof NodeflowError) return new NodeflowError(error.code, error.message, { cause: error });
  if (error instanceof RangeError) {
    return new NodeflowError("EXPRESSION_ERROR", "The expression needs more room than there is", {
      cause: error,
    });
  }
  if (error instanceof Error) {
    return new NodeflowError("EXPRESSION_ERROR", "The expression can't be evaluated", { cause: error });
  }
  const { message, position } = (error ?? {}) as { message?: unknown; position?: unknown };
  const text = typeof message === "string" && message !== "" ? message : "The expression can't be evaluated";
  const place = typeof position === "number" ? ` (at character ${position})` : "";
  const cut = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
  return new NodeflowError("EXPRESSION_ERROR", cut + place, { cause: error });
}

export { UNSURE } from "./direct.ts";

/** Whether a result counts as true, by the rules of JSONata's `$boolean`. */
export function isTrue(value: Value | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "object") return Boolean(value);
  // Bytes are closed: for an expression they are an object without keys.
  if (value instanceof Uint8Array) return false;
  if (Array.isArray(value)) return (value as readonly Value[]).some(isTrue);
  return Object.keys(value).length > 0;
}

/** Why a text is no expression that can be used, or null. */
export function expressionProblem(source: string): string | null {
  try {
    compile(source);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "is no JSONata";
  }
}

/** A string of `data` that is an expression. */
export const expression = z.string("must be a string").superRefine((source, context) => {
  const problem = expressionProblem(source);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});
