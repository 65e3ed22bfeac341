import jsonata from "jsonata";
import type { Evaluation } from "./evaluation.ts";

/**
 * What we use of the evaluator beyond its typed surface: the hooks around each evaluation of a part, the frames that hold
 * variables, and its representation of functions. All of it is public in the sense that others rely on it; the tests of
 * this room break if a new version moves it.
 */
export interface Frame {
  lookup(name: string | symbol): unknown;
  bind(name: string | symbol, value: unknown): void;
  /** The outermost frame of an evaluation, once there is one. */
  readonly base: {
    /** Ours: the evaluation that its frames belong to. */
    evaluation?: Evaluation;
  };
  /** Ours: how many frames it stands on. */
  level?: number;
  /** Ours: how many elements joined each group that is made here, by the part that gives the group's key. */
  groups?: Map<Part, Map<unknown, number>>;
}

/** A part of a parsed expression. Which of the keys are there depends on its type. */
export interface Part {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  /** Ours: steps that evaluating it costs besides one. */
  extra?: number;
  /** Ours: steps for each part of its result, where whoever asked for it walks through all of it. */
  walk?: number;
  /** Ours: its result is compared with another, to the end if it is a text. */
  compared?: boolean;
  /** Ours: its result is the group that something joins, which is copied then. */
  groups?: boolean;
  /** Ours: after it, something that was weighed is changed. */
  changes?: boolean;
  readonly [key: string]: unknown;
}

/** How the evaluator represents a built-in function. */
export interface Builtin {
  readonly _jsonata_function: true;
  readonly implementation: (...args: never[]) => unknown;
  readonly signature?: unknown;
  /** How many arguments functions like $map should give it. */
  readonly arity?: number;
}

/** `this` of a built-in function. */
export interface Focus {
  readonly environment: Frame;
  readonly input: unknown;
  createSequence(...items: unknown[]): unknown[];
}

export const ENTRY = Symbol.for("jsonata.__evaluate_entry");
export const EXIT = Symbol.for("jsonata.__evaluate_exit");
export const FRAME = Symbol.for("jsonata.__createFrame_push");

/** The variable that holds the evaluation. No expression can name it, and no handle can be called so. */
export const EVALUATION = "\u0000evaluation";

/** The evaluation that a frame belongs to. */
export function evaluationOf(frame: Frame): Evaluation {
  frame.base.evaluation ??= frame.lookup(EVALUATION) as Evaluation;
  return frame.base.evaluation;
}

/** The built-in function of a name, as the evaluator comes with it. */
export function builtin(name: string): Builtin {
  return bare.lookup(name) as Builtin;
}

const bare = bareFrame();

/** The evaluator's own frame is nowhere to be had but in a hook, which it calls before its first pause. */
function bareFrame(): Frame {
  let frame: Frame | undefined;
  const probe = jsonata("null");
  assign(probe, ENTRY, (_part: Part, _input: unknown, environment: Frame) => {
    frame ??= environment;
  });
  // It can't fail, and nobody is interested in null.
  void probe.evaluate(null);
  if (frame === undefined) throw new Error("This version of jsonata has no evaluation hooks");
  return frame;
}

/** Sets a variable, a hook or a function of an expression. */
export function assign(expression: jsonata.Expression, name: string | symbol, value: unknown): void {
  expression.assign(name as string, value);
}
