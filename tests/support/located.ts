import type { Workflow, WorkflowEdge, WorkflowNode } from "../../protocol/index.ts";
import { type Shape, shapeOf, sourceHandle, targetHandle } from "./shape.ts";

/** Where in a workflow a path of updates points: at a node, or at a scope of one. */
export interface Located {
  readonly path: string;
  readonly node: WorkflowNode;
  readonly shape: Shape;
  /** The graph that the node stands in, and what its paths begin with. */
  readonly graph: Workflow;
  readonly prefix: string;
  /** One item or iteration of `node`, and not the node itself. */
  readonly scope: boolean;
  /** The path that has to be under way for this one to be. */
  readonly parent?: string;
}

/** Finds a path in a workflow; undefined where there is no such thing. */
export function locate(workflow: Workflow, path: string): Located | undefined {
  let graph = workflow;
  let prefix = "";
  const segments = path.split("/");
  for (let at = 0; ; ) {
    const node = graph.nodes.find((candidate) => candidate.id === segments[at]);
    if (!node) return undefined;
    const shape = shapeOf(node);
    const own = prefix + node.id;
    const parent = prefix === "" ? {} : { parent: prefix.slice(0, -1) };
    at += 1;
    if (at === segments.length) return { path, node, shape, graph, prefix, scope: false, ...parent };
    if (!shape.nested) return undefined;
    graph = shape.nested;
    prefix = `${own}/`;
    if (!shape.scoped) continue;
    prefix += `${segments[at]}/`;
    at += 1;
    if (at === segments.length) return { path, node, shape, graph, prefix, scope: true, parent: own };
  }
}

export function edgesInto(located: Located): WorkflowEdge[] {
  return located.graph.edges.filter((edge) => edge.target === located.node.id);
}

export function edgesFrom(located: Located): WorkflowEdge[] {
  return located.graph.edges.filter((edge) => edge.source === located.node.id);
}

/**
 * True if the edge may be read as its source emits. Some such edges are read as settled after all, where they would
 * lock the graph: a check must hold for both.
 */
export function isLive(graph: Workflow, edge: WorkflowEdge): boolean {
  const source = graph.nodes.find((node) => node.id === edge.source);
  const target = graph.nodes.find((node) => node.id === edge.target);
  if (!source || !target) return false;
  const kind = shapeOf(source).outputs[sourceHandle(edge)];
  const reader = shapeOf(target);
  if (reader.effectful || kind === undefined || kind === "value") return false;
  return reader.live[targetHandle(edge)]?.includes(kind) ?? false;
}

/** The nodes that a node may read while they run. */
export function liveSources({ graph, node }: Pick<Located, "graph" | "node">): WorkflowNode[] {
  const edges = graph.edges.filter((edge) => edge.target === node.id && isLive(graph, edge));
  return graph.nodes.filter((source) => edges.some((edge) => edge.source === source.id));
}

/** True for a node that may start again after a failure, its own or that of a source. */
export function restarts(graph: Workflow, node: WorkflowNode): boolean {
  const policy = (node.policy ?? {}) as { retry?: { maxAttempts: number }; onError?: string };
  if ((policy.retry?.maxAttempts ?? 1) > 1 || policy.onError === "default") return true;
  return liveSources({ graph, node }).some((source) => restarts(graph, source));
}
