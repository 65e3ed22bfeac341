import { coreCreateProcessor, globalRivetNodeRegistry } from "@ironclad/rivet-core";

/** Its own `passthrough` nodes; one input and output port an edge. */
export function prepare({ ids, edges }) {
  const arrived = new Map();
  const nodes = ids.map((id) => ({ ...globalRivetNodeRegistry.createDynamic("passthrough"), id }));
  const first = { ...globalRivetNodeRegistry.createDynamic("text"), id: "text" };
  const connections = [["text", ids[0]], ...edges].map(([source, target]) => {
    const place = (arrived.get(target) ?? 0) + 1;
    arrived.set(target, place);
    return {
      outputNodeId: source,
      outputId: source === "text" ? "output" : "output1",
      inputNodeId: target,
      inputId: `input${place}`,
    };
  });
  const graph = { metadata: { id: "bench", name: "bench" }, nodes: [first, ...nodes], connections };
  const project = {
    metadata: { id: "project", title: "bench", description: "", mainGraphId: "bench" },
    graphs: { bench: graph },
    plugins: [],
  };
  return async () => {
    await coreCreateProcessor(project, { graph: "bench", openAiKey: "", openAiOrganization: "" }).run();
  };
}
