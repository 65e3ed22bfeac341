import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { name, optionalValue } from "./data.ts";

const Data = z.object({
  name: name.describe("The name under which the run gives the value"),
  default: optionalValue.describe("The value if the run gives none"),
});

export const input = defineNode<z.infer<typeof Data>>({
  type: "input",
  description: "A named input of the run",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: {}, outputs: { out: "value" } }),
  effect: () => "pure",
  input: (data) =>
    data.default === undefined ? { name: data.name } : { name: data.name, default: data.default as Value },
  // The engine gives the run's value, or the default, as if it came over an edge.
  *execute({ inputs }) {
    yield { value: inputs["in"] ?? null };
  },
});
