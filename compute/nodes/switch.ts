import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode, type Emission, type NodeContext } from "../engine/index.ts";
import { name } from "./data.ts";
import { compile, expression, isTrue, UNSURE } from "./expression/expression.ts";

const Case = z.object({
  handle: name.describe("Where the value goes if the condition holds"),
  when: expression.describe("JSONata; its root is the value"),
});

const Data = z.object({
  cases: z
    .array(Case, "must be a list of cases")
    .max(1_000, "must be at most 1000 cases")
    .describe("Tried in order"),
  otherwise: name.optional().describe("Where the value goes if no condition holds; nowhere without it"),
});

type Data = z.infer<typeof Data>;

export const switchNode = defineNode<Data>({
  type: "switch",
  description: "Passes its input on to the handle of the first condition that holds",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: ({ cases, otherwise }) => ({
    inputs: { in: { required: true } },
    outputs: Object.fromEntries(
      [...cases.map(({ handle }) => handle), ...(otherwise === undefined ? [] : [otherwise])].map(
        (handle) => [handle, "value" as const],
      ),
    ),
  }),
  effect: () => "pure",
  costOf: ({ cases }, inputs = {}) =>
    cases.every(({ when }) => compile(when).isQuick(inputs)) ? "trivial" : "heavy",
  execute(context) {
    const value = context.inputs["in"] as Value;
    for (const [index, { handle, when }] of context.data.cases.entries()) {
      const holds = compile(when).evaluateNow(value, {});
      if (holds === UNSURE) return later(context, value, index);
      if (isTrue(holds)) return [{ handle, value }];
    }
    return otherwise(context.data, value);
  },
});

/** Goes on with the conditions from one that takes the evaluator. */
async function* later(context: NodeContext<Data>, value: Value, from: number) {
  for (const { handle, when } of context.data.cases.slice(from)) {
    if (!isTrue(await compile(when).evaluate(value, {}, context))) continue;
    yield { handle, value };
    return;
  }
  yield* otherwise(context.data, value);
}

function otherwise({ otherwise: handle }: Data, value: Value): readonly Emission[] {
  return handle === undefined ? [] : [{ handle, value }];
}
