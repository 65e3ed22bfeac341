import { NODES_A_STEP, type Steps } from "../../protocol/index.ts";
import type { GraphEdge, GraphNode } from "./graph.ts";
import type { Issues } from "./issues.ts";

/** Names of at most so many nodes of a cycle are told. */
const MAX_NAMES = 20;

/** Puts sources before their targets and numbers the nodes (Kahn 1962). What is left over is on a cycle or behind one. */
export function* sort(nodes: readonly GraphNode[], path: string, issues: Issues): Steps<GraphNode[]> {
  const order: GraphNode[] = [];
  /** Sources that have no number yet, by position. */
  const waiting: number[] = [];
  for (const node of nodes) {
    waiting[node.position] = node.in.length;
    if (node.in.length === 0) order.push(node);
  }
  for (let next = 0; next < order.length; next++) {
    if (next % NODES_A_STEP === 0) yield;
    const node = order[next] as GraphNode;
    node.index = next;
    for (const { target } of node.out) {
      const left = (waiting[target.position] ?? 0) - 1;
      waiting[target.position] = left;
      if (left === 0) order.push(target);
    }
  }
  const stuck = nodes.find((node) => node.index < 0);
  if (stuck) reportCycle(stuck, path, issues);
  return order;
}

/** Names one cycle: from a node that is left over, walking against the edges must come back to where it was. */
function reportCycle(stuck: GraphNode, path: string, issues: Issues): void {
  const walked: GraphEdge[] = [];
  const seen = new Map<GraphNode, number>();
  let at = stuck;
  while (!seen.has(at)) {
    seen.set(at, walked.length);
    const edge = at.in.find(({ source }) => source.index < 0) as GraphEdge;
    walked.push(edge);
    at = edge.source;
  }
  const cycle = walked.slice(seen.get(at)).reverse();
  const names = cycle.slice(0, MAX_NAMES).map((edge) => edge.source.id);
  const end = cycle.length > MAX_NAMES ? "…" : (names[0] as string);
  const message = `The nodes ${[...names, end].join(" → ")} form a cycle; a loop node can repeat work`;
  issues.add("CYCLE_DETECTED", message, `${path}/edges/${cycle[0]?.position}`, { nodeId: at.id });
}
