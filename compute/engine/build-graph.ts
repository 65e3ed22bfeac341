import {
  invalidName,
  isDecoration,
  type Limits,
  NODES_A_STEP,
  type Steps,
  type Workflow,
} from "../../protocol/index.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { checkConnections, connect } from "./graph-edges.ts";
import { buildNested, buildNode, type GraphRules, type Nesting } from "./graph-node.ts";
import { sort } from "./graph-order.ts";
import type { Issues } from "./issues.ts";

const TOP = (): Nesting => ({ path: "/workflow", depth: 0, totals: { nodes: 0, edges: 0 } });

/** Checks a workflow and resolves it. The result is to be used only if no issue was added. */
export function* buildGraph(
  workflow: Workflow,
  rules: GraphRules,
  issues: Issues,
  nesting: Nesting = TOP(),
): Steps<Graph> {
  if (!fits(workflow, rules.limits, issues, nesting)) return { nodes: [], edges: [] };
  const inside = (nested: Workflow, place: Nesting) => buildGraph(nested, rules, issues, place);
  const touched = touchedNodes(workflow);
  const nodes = new Map<string, GraphNode>();
  let position = -1;
  for (const node of workflow.nodes) {
    position += 1;
    if (position % NODES_A_STEP === 0) yield;
    if (isDecoration(node, touched)) continue;
    const path = `${nesting.path}/nodes/${position}`;
    const wrong = invalidName(node.id);
    if (wrong) issues.add("INVALID_NODE_ID", `The id of node ${position} ${wrong}`, `${path}/id`);
    if (nodes.has(node.id)) {
      const message = `Two nodes have the id "${node.id}"`;
      issues.add("DUPLICATE_NODE_ID", message, `${path}/id`, { nodeId: node.id });
      continue;
    }
    const built = buildNode(node, position, path, rules, issues);
    nodes.set(
      node.id,
      built.type.nested ? yield* buildNested(built, nesting, path, rules.limits, issues, inside) : built,
    );
  }
  const edges = yield* connect(workflow.edges, nodes, nesting.path, issues);
  yield* checkConnections(nodes.values(), nesting.path, issues);
  return { nodes: yield* sort([...nodes.values()], nesting.path, issues), edges };
}

/** The nodes at the ends of edges, if that matters: it decides whether a node without type is decoration. */
function touchedNodes(workflow: Workflow): ReadonlySet<string> {
  const touched = new Set<string>();
  if (workflow.nodes.every((node) => node.type != null)) return touched;
  for (const edge of workflow.edges) touched.add(edge.source).add(edge.target);
  return touched;
}

function fits(workflow: Workflow, limits: Limits, issues: Issues, { path, depth, totals }: Nesting): boolean {
  totals.nodes += workflow.nodes.length;
  totals.edges += workflow.edges.length;
  const tooLarge = (what: string) => {
    issues.add("GRAPH_TOO_LARGE", what, path);
    return false;
  };
  if (depth > limits.maxNesting) return tooLarge(`Workflows are nested deeper than ${limits.maxNesting}`);
  if (totals.nodes > limits.maxNodes) return tooLarge(`There are more than ${limits.maxNodes} nodes`);
  if (totals.edges > limits.maxEdges) return tooLarge(`There are more than ${limits.maxEdges} edges`);
  return true;
}
