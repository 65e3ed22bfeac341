import { z } from "zod";
import { isObject, type Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { optionalValue } from "./data.ts";
import { renderValue, templateText, templateValue } from "./template-text.ts";

/** What an answer can be checked for. */
const KEYWORDS = new Set([
  "type",
  "enum",
  "const",
  "required",
  "properties",
  "items",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
]);

const Data = z.object({
  tool: templateText.min(1, "must not be empty").describe("The name of the client's tool"),
  args: templateValue.optional().describe("What it is asked with; the value on `in` without it"),
  schema: optionalValue
    .superRefine((schema, context) => {
      const problem = schema === undefined ? null : unsupported(schema as Value, "schema");
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
    const name = renderValue(data.tool, inputs);
    const question = { tool: typeof name === "string" ? name : String(name), args };
    yield {
      value: await context.ask(
        data.schema === undefined ? question : { ...question, schema: data.schema as Value },
      ),
    };
  },
});

/** The first keyword of a schema that no answer could be checked for, or null. */
function unsupported(schema: Value, at: string): string | null {
  if (typeof schema === "boolean") return null;
  if (!isObject(schema)) return `${at} must be a JSON Schema`;
  for (const key of Object.keys(schema)) {
    if (!KEYWORDS.has(key)) return `${at}.${key} is not supported`;
  }
  const { properties, items } = schema;
  if (items !== undefined) {
    const problem = unsupported(items, `${at}.items`);
    if (problem !== null) return problem;
  }
  if (properties === undefined) return null;
  if (!isObject(properties)) return `${at}.properties must be an object`;
  for (const [key, inner] of Object.entries(properties)) {
    const problem = unsupported(inner, `${at}.properties.${key}`);
    if (problem !== null) return problem;
  }
  return null;
}
