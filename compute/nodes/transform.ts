import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode, type NodeContext } from "../engine/index.ts";
import { compile, expression } from "./expression/expression.ts";
import { itemsOf } from "./items.ts";

const Data = z.object({
  expression: expression.describe("JSONata; its root is the value on `in`, other handles are variables"),
  each: z.boolean("must be true or false").optional().describe("Evaluate once for each item of `in`"),
});
type Data = z.infer<typeof Data>;

export const transform = defineNode<Data>({
  type: "transform",
  description: "What a JSONata expression makes of its inputs",
  data: Data,
  cost: "light",
  strongest: "pure",
  handles: ({ each }) =>
    each
      ? { inputs: { in: { required: true, live: ["items"] }, "*": {} }, outputs: { out: "items" } }
      : { inputs: { "*": {} }, outputs: { out: "value" } },
  effect: () => "pure",
  execute: (context) => (context.data.each ? eachItem(context) : once(context)),
});

async function* once(context: NodeContext<Data>) {
  const { in: root = null, ...variables } = context.inputs;
  const value = await compile(context.data.expression).evaluate(root, variables, context);
  yield { value: value ?? null };
}

async function* eachItem(context: NodeContext<Data>) {
  const expression = compile(context.data.expression);
  const { in: _live, ...variables } = context.inputs;
  for await (const item of itemsOf(context.live["in"])) {
    const value: Value | undefined = await expression.evaluate(item, variables, context);
    if (value !== undefined) yield { value };
  }
}
