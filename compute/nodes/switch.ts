import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { name } from "./data.ts";
import { compile, condition, isTrue } from "./expression/expression.ts";

const Case = z.object({
  handle: name.describe("Where the value goes if the condition holds"),
  when: condition.describe("JSONata; its root is the value"),
});

const Data = z.object({
  cases: z.array(Case, "must be a list of cases").max(1_000, "must be at most 1000 cases"),
  otherwise: name.optional().describe("Where the value goes if no condition holds; nowhere without it"),
});

export const switchNode = defineNode<z.infer<typeof Data>>({
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
  async *execute(context) {
    const value = context.inputs["in"] as Value;
    for (const { handle, when } of context.data.cases) {
      if (!isTrue(await compile(when).evaluate(value, {}, context))) continue;
      yield { handle, value };
      return;
    }
    if (context.data.otherwise !== undefined) yield { handle: context.data.otherwise, value };
  },
});
