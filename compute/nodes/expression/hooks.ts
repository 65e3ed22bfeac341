import type jsonata from "jsonata";
import { assign, ENTRY, EXIT, evaluationOf, FRAME, type Frame, type Part } from "./evaluator.ts";
import { failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { allowText } from "./weight.ts";

/** Frames that hold each other, by which variables are looked up. */
const MAX_FRAMES = 500;
const CHARS_PER_STEP = 64;
const CHARS_PER_STEP_JOINING = 1024;
const PARTS_PER_STEP = 16;
const COPIES_PER_STEP = 512;
const JOINS_PER_STEP = 128;
const CALL_STEPS = 5;

/** Has the evaluator ask before, and tell after, it evaluates a part of the expression. */
export function addHooks(expression: jsonata.Expression): void {
  assign(expression, ENTRY, enter);
  assign(expression, EXIT, leave);
  assign(expression, FRAME, open);
}

/** Throws once the evaluation has cost too much; lets others have their turn. */
function enter(part: Part, input: unknown, frame: Frame): Promise<void> | undefined {
  const evaluation = evaluationOf(frame);
  const { meter } = evaluation;
  meter.charge(1 + (part.extra ?? 0));
  switch (part.type) {
    case "wildcard":
      // Copies what it has so far for each list.
      if (typeof input === "object" && input !== null) {
        let lists = 0;
        for (const inner of Object.values(input)) if (Array.isArray(inner)) lists += 1;
        meter.charge((evaluation.scales.weigh(input) * (1 + lists)) / COPIES_PER_STEP);
      }
      break;
    case "descendant":
      meter.charge(evaluation.scales.weigh(input) / PARTS_PER_STEP);
      break;
    case "unary":
      // Copies what a group holds for each element that joins it.
      if (part.value === "{" && Array.isArray(input)) meter.charge(input.length ** 2 / COPIES_PER_STEP);
      break;
  }
  return meter.due ? meter.turn() : undefined;
}

/** Throws if a result is too large; charges for what will be done with it. */
function leave(part: Part, _input: unknown, frame: Frame, result: unknown): void {
  if (typeof result === "string") {
    allowText(result.length);
    if (part.compared) evaluationOf(frame).meter.charge(result.length / CHARS_PER_STEP_JOINING);
    if (part.type === "function" || part.type === "apply") {
      evaluationOf(frame).meter.charge(result.length / CHARS_PER_STEP);
    } else if (part.type === "binary") {
      evaluationOf(frame).meter.charge(result.length / CHARS_PER_STEP_JOINING);
    }
  } else if (typeof result === "object" && result !== null) {
    const evaluation = evaluationOf(frame);
    const weight = evaluation.scales.weigh(result);
    if (part.walk !== undefined) evaluation.meter.charge(weight * part.walk);
  } else if (typeof result === "function") {
    meterCalls(result as Closure, evaluationOf(frame).meter);
  }
  if (part.groups) evaluationOf(frame).meter.charge(joins(frame, part, result) / JOINS_PER_STEP);
  if (part.changes) evaluationOf(frame).forgetWeights();
}

interface Closure {
  (...args: unknown[]): unknown;
  metered?: boolean;
}

/**
 * A function that is passed on is wrapped each time: it can become a thousand calls deep without a part being evaluated.
 * The evaluator calls functions through `apply`, which is where they are counted.
 */
function meterCalls(closure: Closure, meter: Meter): void {
  if (closure.metered) return;
  closure.metered = true;
  const apply = (self: unknown, args: unknown[]) => {
    meter.charge(CALL_STEPS);
    return Reflect.apply(closure, self, args);
  };
  Object.defineProperty(closure, "apply", { value: apply });
}

/** How many elements a group had when one joined it: all of them are copied then. */
function joins(frame: Frame, part: Part, key: unknown): number {
  frame.groups ??= new Map();
  let sizes = frame.groups.get(part);
  if (sizes === undefined) {
    sizes = new Map();
    frame.groups.set(part, sizes);
  }
  const size = sizes.get(key) ?? 0;
  sizes.set(key, size + 1);
  return size;
}

/** Throws if a new frame stands on too many others; has it know the hooks, which are looked up for each part. */
function open(under: Frame, frame: Frame): void {
  frame.bind(ENTRY, enter);
  frame.bind(EXIT, leave);
  frame.bind(FRAME, open);
  frame.level = (under.level ?? 0) + 1;
  if (frame.level > MAX_FRAMES) throw failure("The expression nests too many functions");
}
