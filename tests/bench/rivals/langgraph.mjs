import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

/** Each node adds nothing to the state. */
export function prepare({ ids, edges }) {
  const State = Annotation.Root({ value: Annotation({ reducer: (_, next) => next, default: () => 0 }) });
  const graph = new StateGraph(State);
  for (const id of ids) graph.addNode(id, () => ({ value: 0 }));
  graph.addEdge(START, ids[0]);
  const sources = new Map();
  for (const [source, target] of edges) sources.set(target, [...(sources.get(target) ?? []), source]);
  // A list of sources means: wait for all of them.
  for (const [target, all] of sources) graph.addEdge(all.length === 1 ? all[0] : all, target);
  graph.addEdge(ids.at(-1), END);
  const app = graph.compile();
  return async () => {
    await app.invoke({ value: 0 }, { recursionLimit: ids.length + 10 });
  };
}
