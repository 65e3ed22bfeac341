import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { finite } from "./data.ts";

/** Timers of every host can wait this long, and no longer. */
const LONGEST_MS = 2_147_483_647;

const Data = z.object({
  ms: finite
    .min(0, "must not be negative")
    .max(LONGEST_MS, `must be at most ${LONGEST_MS}`)
    .describe("How long to wait, in milliseconds"),
});

export const delay = defineNode<z.infer<typeof Data>>({
  type: "delay",
  description: "Gives its input later; several inputs as a list, none as null",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: { in: { many: true } }, outputs: { out: "value" } }),
  effect: () => "pure",
  async *execute(context) {
    await context.sleep(context.data.ms);
    yield { value: joined(context.inputs["in"]) };
  },
});

/** What a handle of many edges gives to somebody who connected one: the value, not a list of it. */
function joined(values: Value | undefined): Value {
  if (!Array.isArray(values) || values.length === 0) return null;
  return values.length === 1 ? values[0] : values;
}
