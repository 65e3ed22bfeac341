import { createFlow, FlowRuntime } from "flowcraft";

/** Each node is a function that hands its input on. */
export function prepare({ ids, edges }) {
  const flow = createFlow("bench");
  for (const id of ids)
    flow.node(id, async ({ input }) => ({ output: input ?? 0 }), { config: { joinStrategy: "all" } });
  for (const [source, target] of edges) flow.edge(source, target);
  const runtime = new FlowRuntime();
  return async () => {
    const { status } = await flow.run(runtime, {});
    if (status !== "completed") throw new Error(status);
  };
}
