import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { requiredValue } from "./data.ts";

const Data = z.object({
  value: requiredValue.describe("Any value"),
});

export const constant = defineNode<z.infer<typeof Data>>({
  type: "constant",
  description: "A value written down in the workflow",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: {}, outputs: { out: "value" } }),
  effect: () => "pure",
  *execute({ data }) {
    yield { value: data.value as Value };
  },
});
