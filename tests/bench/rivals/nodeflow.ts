import { benchEngine, type Graph, noopWorkflow, prepareRuns } from "../graphs.ts";

/** As the others are: the graph is there, each run starts it anew; ours also checks and plans it each time. */
export function prepare(graph: Graph): () => Promise<void> {
  const engine = benchEngine();
  const request = { workflow: noopWorkflow(graph) };
  return async () => (await prepareRuns(engine, request, 1))();
}
