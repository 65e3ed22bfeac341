import { NODES_A_STEP, type Steps } from "../../protocol/index.ts";
import type { Graph, GraphEdge } from "./graph.ts";

/**
 * How many steps the search for edges that could block may take. What isn't proven harmless by then is read as settled,
 * which is always safe.
 */
const MAX_SEARCH_STEPS = 5_000_000;

/**
 * Which edges are read as their source emits. Their input asks for it, their source emits piece by piece, their target
 * has no effect that couldn't be withdrawn, and waiting for room on them can't block what the target waits for.
 */
export function* liveEdges(graph: Graph): Steps<{ edges: Set<GraphEdge>; notes: string[] }> {
  const wanted = new Set<GraphEdge>();
  let seen = 0;
  for (const edge of graph.edges) {
    seen += 1;
    if (seen % NODES_A_STEP === 0) yield;
    if (isWanted(edge)) wanted.add(edge);
  }
  const edges = new Set(wanted);
  const notes: string[] = [];
  const budget = { steps: MAX_SEARCH_STEPS };
  for (const edge of wanted) {
    if (!(yield* couldBlock(edge, wanted, budget))) continue;
    edges.delete(edge);
    notes.push(
      `${edge.target.id}: its input "${edge.targetHandle}" is read as settled, since another input depends on what waiting for room on this one could hold back`,
    );
  }
  return { edges, notes };
}

/** Whether an edge would be live if that couldn't block. */
function isWanted({ source, sourceHandle, spec, target }: GraphEdge): boolean {
  if (!spec.live || spec.many || spec.first || target.effect === "effectful") return false;
  const kind = source.handles.outputs[sourceHandle];
  return kind !== undefined && kind !== "value" && spec.live.includes(kind);
}

/**
 * Whether another input of the edge's target depends on something that the full edge holds back. Held back is the
 * source; of whatever is held back, each consumer (it starves) and each live source (nobody makes room for it); and so
 * on, but not through the target itself, which is the one that waits.
 */
function* couldBlock(
  edge: GraphEdge,
  live: ReadonlySet<GraphEdge>,
  budget: { steps: number },
): Steps<boolean> {
  const others = edge.target.in.filter((other) => other !== edge);
  if (others.length === 0) return false;
  const awaited = new Set(others.map((other) => other.source));
  const held = new Set([edge.source]);
  let looked = 0;
  for (const node of held) {
    looked += 1;
    if (looked % NODES_A_STEP === 0) yield;
    if (awaited.has(node)) return true;
    for (const { target } of node.out) if (target !== edge.target) held.add(target);
    for (const into of node.in) if (live.has(into)) held.add(into.source);
    budget.steps -= 1 + node.out.length + node.in.length;
    if (budget.steps < 0) return true;
  }
  return false;
}
