import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode, type Emissions, type NodeContext } from "../engine/index.ts";
import { compile, type Expression, expression, UNSURE } from "./expression/expression.ts";
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
  costOf: ({ expression }, inputs = {}) => (compile(expression).isQuick(inputs) ? "light" : "heavy"),
  execute: (context) => (context.data.each ? eachItem(context) : once(context)),
});

function once(context: NodeContext<Data>): Emissions {
  const expression = compile(context.data.expression);
  const { in: root = null, ...variables } = context.inputs;
  const value = expression.evaluateNow(root, variables);
  return value === UNSURE ? later(expression, root, variables, context) : [{ value: value ?? null }];
}

async function* later(
  expression: Expression,
  root: Value,
  variables: Readonly<Record<string, Value>>,
  context: NodeContext<Data>,
) {
  yield { value: (await expression.evaluate(root, variables, context)) ?? null };
}

async function* eachItem(context: NodeContext<Data>) {
  const expression = compile(context.data.expression);
  const { in: _live, ...variables } = context.inputs;
  for await (const item of itemsOf(context.live["in"])) {
    let value = expression.evaluateNow(item, variables);
    if (value === UNSURE) value = await expression.evaluate(item, variables, context);
    if (value !== undefined) yield { value };
  }
}
