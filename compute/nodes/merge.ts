import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";

const Data = z.object({
  mode: z
    .enum(["first", "all"], 'must be "first" or "all"')
    .describe("first: the first branch that was taken; all: the list of those taken"),
});

export const merge = defineNode<z.infer<typeof Data>>({
  type: "merge",
  description: "Joins branches",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: ({ mode }) => ({
    inputs: { in: mode === "first" ? { required: true, first: true } : { required: true, many: true } },
    outputs: { out: "value" },
  }),
  effect: () => "pure",
  *execute({ inputs }) {
    yield { value: inputs["in"] as Value };
  },
});
