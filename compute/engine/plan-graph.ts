import { NODES_A_STEP, type Policy, type Steps } from "../../protocol/index.ts";
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";
import { liveEdges } from "./live-edges.ts";
import type { Plan, PlanEdge, PlanInput, PlanNode } from "./plan.ts";
import { planEdges } from "./plan-edges.ts";
import { retries } from "./policy.ts";

/** Lays a graph out for running. `runsElsewhere`: nodes may have to start again, since where they run can be lost. */
export function* planGraph(graph: Graph, runsElsewhere = false): Steps<Plan> {
  const live = yield* liveEdges(graph);
  const again = ({ retry }: Policy) => runsElsewhere || retries(retry);
  const restarts = yield* spreading(
    graph,
    live.edges,
    (policy) => again(policy) || policy.onError === "default",
  );
  const withdraws = yield* spreading(
    graph,
    live.edges,
    (policy) => again(policy) || policy.onError !== "fail",
  );
  const handles = yield* planEdges(graph, live.edges, restarts);
  const nodes: PlanNode[] = [];
  const outputs: PlanNode[] = [];
  const starts: number[] = [];
  const { notes } = live;
  for (const node of graph.nodes) {
    const { index, nested } = node;
    if (index % NODES_A_STEP === 0) yield;
    const inside = nested && {
      plan: yield* planGraph(nested.graph, runsElsewhere),
      inputs: nested.inputs,
    };
    const own = { inputs: handles.inputs[index] ?? [], outputs: handles.outputs[index] ?? [] };
    const planned = planNode(node, inside, own, restarts[index] ?? false, withdraws[index] ?? false);
    nodes.push(planned);
    if (planned.output) outputs.push(planned);
    if (planned.unknown === 0) starts.push(index);
    if (inside) for (const note of inside.plan.notes) notes.push(`${node.id}/${note}`);
  }
  return { nodes, edges: graph.edges.length, liveEdges: live.edges.size, outputs, starts, notes };
}

function planNode(
  node: GraphNode,
  nested: PlanNode["nested"],
  { inputs, outputs }: Pick<PlanNode, "inputs" | "outputs">,
  restarts: boolean,
  withdraws: boolean,
): PlanNode {
  return {
    index: node.index,
    id: node.id,
    type: node.type,
    data: node.data,
    policy: node.policy,
    effect: node.effect,
    cost: node.type.costOf?.(node.data) ?? node.type.cost,
    nested,
    input: node.input,
    output: node.output,
    inputs,
    outputs,
    outputNumbers:
      outputs.length > FEW ? new Map(outputs.map(({ handle }, number) => [handle, number])) : null,
    liveInputs: liveInputs(inputs),
    restarts,
    withdraws,
    unknown: unknownOf(inputs),
  };
}

/** Up to so many outputs are found as quickly one by one as by name. */
const FEW = 8;
const NONE: readonly PlanEdge[] = [];

function liveInputs(inputs: readonly PlanInput[]): readonly PlanEdge[] {
  let live = NONE;
  for (const { edges } of inputs) {
    for (const edge of edges) if (edge.live >= 0) live = live === NONE ? [edge] : [...live, edge];
  }
  return live;
}

function unknownOf(inputs: readonly PlanInput[]): number {
  let unknown = 0;
  for (const { spec, edges } of inputs) unknown += spec.first ? 1 : edges.length;
  return unknown;
}

/** By node, whether something is true by its own policy, or because it is true of a live source. */
function* spreading(
  graph: Graph,
  live: ReadonlySet<GraphEdge>,
  byItself: (policy: Policy) => boolean,
): Steps<readonly boolean[]> {
  const found: boolean[] = [];
  for (const node of graph.nodes) {
    if (node.index % NODES_A_STEP === 0) yield;
    const reached = live.size > 0 && node.in.some((edge) => live.has(edge) && found[edge.source.index]);
    found.push(reached || byItself(node.policy));
  }
  return found;
}
