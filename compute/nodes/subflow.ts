import { z } from "zod";
import { isObject, type Workflow } from "../../protocol/index.ts";
import { defineNode } from "../engine/index.ts";
import { nestedWorkflow } from "./data.ts";
import { output } from "./output.ts";

const Data = z.object({ workflow: nestedWorkflow });

export const subflow = defineNode<z.infer<typeof Data>>({
  type: "subflow",
  description: "Runs a workflow as one node: inputs by handle name, each output on a handle of its name",
  data: Data,
  cost: "trivial",
  strongest: "effectful",
  handles: ({ workflow }) => ({
    inputs: { "*": {} },
    outputs: Object.fromEntries([...outputNames(workflow), "out"].map((name) => [name, "value" as const])),
  }),
  effect: () => "pure",
  nested: ({ workflow }) => ({ workflow, inputs: "handles" }),
  async *execute(context) {
    const nested = context.run({ inputs: context.inputs });
    const result = await nested.result;
    if (!result.skipped) yield { value: result.value };
    for (const [name, value] of Object.entries(nested.outputs)) {
      // `out` is the nested result, whatever an output may be called.
      if (name !== "out") yield { handle: name, value };
    }
  },
});

function* outputNames(workflow: Workflow): Generator<string> {
  for (const node of workflow.nodes) {
    if (node.type !== output.type || !isObject(node.data)) continue;
    const { name } = node.data;
    if (typeof name === "string") yield name;
  }
}
