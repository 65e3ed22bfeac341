import { z } from "zod";
import { defineNode } from "../engine/index.ts";
import { finite } from "./data.ts";

const Data = z.object({
  from: finite.default(0).describe("The first number"),
  to: finite.describe("The limit, included"),
  step: finite
    .refine((step) => step !== 0, "must not be 0")
    .default(1)
    .describe("The distance between two numbers; negative counts down"),
});

/** The share of a step by which the last number may miss `to`, so that 0, 0.1, 0.2, 0.3 has its 0.3. */
const TOLERANCE = 1e-9;

export const range = defineNode<z.infer<typeof Data>>({
  type: "range",
  description: "The numbers from + i*step, up to and including to",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: {}, outputs: { out: "items" } }),
  effect: () => "pure",
  *execute({ data: { from, to, step } }) {
    // Multiplying, not adding up: rounding errors don't grow. Halves, because `to - from` could overflow.
    const last = Math.floor(2 * (to / 2 / step - from / 2 / step) + TOLERANCE);
    for (let i = 0; i <= last; i++) {
      const value = from + i * step;
      yield { value: (step > 0 ? value > to : value < to) ? to : value };
    }
  },
});
