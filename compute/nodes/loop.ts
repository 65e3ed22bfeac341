import { z } from "zod";
import { DEFAULT_LIMITS, NodeflowError, type Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { nestedWorkflow, whole } from "./data.ts";
import { compile, expression, isTrue } from "./expression/expression.ts";
import { Tally } from "./tally.ts";

const Data = z.object({
  workflow: nestedWorkflow,
  while: expression.describe("JSONata, checked before each iteration; root: the value, $iteration: from 0"),
  maxIterations: whole(1, DEFAULT_LIMITS.maxIterations).describe("Beyond it the node fails"),
});

export const loop = defineNode<z.infer<typeof Data>>({
  type: "loop",
  description: "Runs a workflow on its own result for as long as a condition holds",
  data: Data,
  cost: "trivial",
  strongest: "effectful",
  handles: () => ({ inputs: { in: { required: true } }, outputs: { out: "value" } }),
  effect: () => "pure",
  nested: ({ workflow, maxIterations }) => ({
    workflow,
    inputs: ["value", "iteration"],
    iterations: maxIterations,
  }),
  async *execute(context) {
    const { data, inputs } = context;
    const holds = compile(data.while);
    let value = inputs["in"] as Value;
    // An iteration that ran anew may have given something else: what came after it in an earlier run no longer holds.
    let reusable = true;
    const tally = new Tally((completed) => context.progress(completed));
    for (let iteration = 0; ; iteration++) {
      if (!isTrue(await holds.evaluate(value, { iteration }, context))) break;
      if (iteration === data.maxIterations) {
        throw new NodeflowError(
          "ITERATION_LIMIT",
          `The condition still holds after ${data.maxIterations} iterations`,
        );
      }
      const nested = context.run({
        scope: String(iteration),
        inputs: { value, iteration },
        given: value,
        reusable,
      });
      const result = await nested.result;
      reusable = reusable && nested.reused;
      // An iteration whose output was skipped leaves the value as it was.
      if (!result.skipped) value = result.value;
      tally.count();
    }
    yield { value };
  },
});
