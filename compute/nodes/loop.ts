import { z } from "zod";
import { DEFAULT_LIMITS, NodeflowError, type Value } from "../../protocol/index.ts";
import { defineNode, type NodeContext, type NodeType } from "../engine/index.ts";
import { nestedWorkflow, whole } from "./data.ts";
import { compile, type Expression, expression, isTrue } from "./expression/expression.ts";
import { Tally } from "./tally.ts";
import { transform } from "./transform.ts";

const Data = z.object({
  workflow: nestedWorkflow,
  while: expression.describe("JSONata, checked before each iteration; root: the value, $iteration: from 0"),
  maxIterations: whole(1, DEFAULT_LIMITS.maxIterations).describe("Beyond it the node fails"),
});

type Data = z.infer<typeof Data>;

export const loop = defineNode<Data>({
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
      if (!isTrue(await condition(holds, value, iteration, context))) break;
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

/** What may take long is computed where it holds up nobody. */
function condition(
  holds: Expression,
  value: Value,
  iteration: number,
  context: NodeContext<Data>,
): Promise<Value | undefined> {
  const inputs = { in: value, iteration };
  if (!context.compute || holds.isQuick(inputs)) return holds.evaluate(value, { iteration }, context);
  return context.compute(transform as NodeType, { expression: context.data.while }, inputs);
}
