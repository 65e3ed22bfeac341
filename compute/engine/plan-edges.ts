import { type Kind, NODES_A_STEP, type Steps } from "../../protocol/index.ts";
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";
import type { PlanEdge, PlanInput, PlanOutput } from "./plan.ts";
import { retries } from "./policy.ts";

interface Input extends PlanInput {
  readonly edges: PlanEdge[];
}

interface Output extends PlanOutput {
  readonly edges: PlanEdge[];
  readonly liveEdges: PlanEdge[];
  kept: boolean;
}

/** The handles of all nodes, with their edges, by the number of the node. */
export interface PlannedEdges {
  /** In the order in which edges name them. */
  readonly inputs: readonly (readonly PlanInput[])[];
  /** In the order in which the type declares them. */
  readonly outputs: readonly (readonly PlanOutput[])[];
}

/** Hangs the edges onto the handles at their ends, in the order of the posted `edges`. */
export function* planEdges(
  graph: Graph,
  live: ReadonlySet<GraphEdge>,
  restarts: readonly boolean[],
): Steps<PlannedEdges> {
  const inputs: Input[][] = [];
  const outputs: Output[][] = [];
  for (const node of graph.nodes) {
    if (node.index % NODES_A_STEP === 0) yield;
    inputs.push([]);
    outputs.push(outputsOf(node));
  }
  const inputAt = finder<Input>();
  const outputAt = finder<Output>();
  let liveCount = 0;
  let planned = 0;
  for (const edge of graph.edges) {
    planned += 1;
    if (planned % NODES_A_STEP === 0) yield;
    const { source, target, targetHandle: handle, spec, position } = edge;
    const into = inputs[target.index] as Input[];
    const from = outputs[source.index] as Output[];
    const number = inputAt(into, handle);
    const input = number < 0 ? { handle, spec, edges: [] } : (into[number] as Input);
    if (number < 0) into.push(input);
    const output = outputAt(from, edge.sourceHandle);
    const isLive = live.has(edge);
    const planEdge: PlanEdge = {
      position,
      source: source.index,
      output,
      target: target.index,
      input,
      live: isLive ? liveCount++ : -1,
    };
    input.edges.push(planEdge);
    const { edges, liveEdges } = from[output] as Output;
    edges.push(planEdge);
    if (isLive) liveEdges.push(planEdge);
    if (!isLive || rereads(edge, live, restarts)) (from[output] as Output).kept = true;
  }
  return { inputs, outputs };
}

function outputsOf({ handles }: GraphNode): Output[] {
  const outputs: Output[] = [];
  for (const handle in handles.outputs) {
    const kind = handles.outputs[handle] as Kind;
    outputs.push({ handle, kind, edges: [], liveEdges: [], kept: false });
  }
  return outputs;
}

/** Lists longer than this are indexed: a subflow may have thousands of handles. */
const FEW = 8;

/** Finds the place of a handle in a list that only grows, or -1. */
function finder<T extends { readonly handle: string }>(): (list: readonly T[], handle: string) => number {
  const indices = new Map<readonly T[], Map<string, number>>();
  return (list, handle) => {
    if (list.length <= FEW) return list.findIndex((item) => item.handle === handle);
    const index = indices.get(list) ?? new Map<string, number>();
    indices.set(list, index);
    for (let place = index.size; place < list.length; place++) index.set((list[place] as T).handle, place);
    return index.get(handle) ?? -1;
  };
}

/** Whether the edge's target may have to start again while its source goes on. */
function rereads(edge: GraphEdge, live: ReadonlySet<GraphEdge>, restarts: readonly boolean[]): boolean {
  if (retries(edge.target.policy.retry)) return true;
  return edge.target.in.some(
    (other) => live.has(other) && other.source !== edge.source && restarts[other.source.index],
  );
}
