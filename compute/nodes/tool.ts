import { z } from "zod";
import { checkSchema, type Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { optionalValue } from "./data.ts";
import { parseTemplate, renderText, renderValue, templateText, templateValue } from "./template-text.ts";

const Data = z.object({
  tool: templateText.min(1, "must not be empty").describe("The name of the client's tool"),
  args: templateValue.optional().describe("What it is asked with; the value on `in` without it"),
  schema: optionalValue
    .superRefine((schema, context) => {
      const problem = schema === undefined ? null : checkSchema(schema as Value);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    })
    .describe("The JSON Schema that an answer must fit"),
});

export const tool = defineNode<z.infer<typeof Data>>({
  type: "tool",
  asks: true,
  description: "Asks the client, and gives its answer",
  data: Data,
  cost: "trivial",
  strongest: "effectful",
  handles: () => ({ inputs: { "*": {} }, outputs: { out: "value" } }),
  effect: () => "effectful",
  async *execute(context) {
    const { data, inputs } = context;
    const args = data.args === undefined ? (inputs["in"] ?? {}) : renderValue(data.args as Value, inputs);
    const question = { tool: renderText(parseTemplate(data.tool), inputs), args };
    yield {
      value: await context.ask(
        data.schema === undefined ? question : { ...question, schema: data.schema as Value },
      ),
    };
  },
});
