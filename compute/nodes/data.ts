import { z } from "zod";
import { invalidName, Workflow } from "../../protocol/index.ts";

/** A name by which other nodes or callers find something: what handles and ids may be called. */
export const name = z.string("must be a string").superRefine((text, context) => {
  const problem = invalidName(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

/** Any value. JSON Schema has no word for bytes, so that this says nothing there. */
export const optionalValue = z.unknown().optional();

/** Any value, null too, but not nothing. */
export const requiredValue = z.unknown().refine((value) => value !== undefined, "is required");

/** The workflow inside a container. Only its outer shape is checked here: its graph is checked with the graph around it. */
export const nestedWorkflow = Workflow.describe("The workflow that is run inside");

/** A number that is neither infinite nor NaN. */
export const finite = z.number("must be a finite number");

/** A whole number of at least `min` and at most `max`. */
export const whole = (min: number, max: number) =>
  z
    .number(`must be a whole number from ${min} to ${max}`)
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
