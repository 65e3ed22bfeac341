import { z } from "zod";
import { defineNode } from "../engine/index.ts";
import { name } from "./data.ts";

const Data = z.object({
  name: name.describe("The name of the result; unique in its workflow"),
});

export const output = defineNode<z.infer<typeof Data>>({
  type: "output",
  description: "A named result of the run",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: { in: { required: true } }, outputs: {} }),
  effect: () => "pure",
  output: (data) => ({ name: data.name }),
  // The engine reads the result from what is connected.
  execute: () => [],
});
