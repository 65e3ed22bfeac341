import type { Kind, Policy, Steps } from "../../protocol/index.ts";
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";
import type { Cost, Effect, InputSpec, NodeType } from "./node-type.ts";

/**
 * A graph, laid out for running: nodes in topological order and by number, edges resolved to them, and everything that
 * is the same for each run decided. Shared by all scopes and never changed.
 */
export interface Plan {
  readonly nodes: readonly PlanNode[];
  readonly edges: number;
  readonly liveEdges: number;
  readonly outputs: readonly PlanNode[];
  /** Nodes that wait for nothing. */
  readonly starts: readonly number[];
  /** Edges that could be live but are read as settled, because reading them live could block the run for ever. */
  readonly notes: readonly string[];
}

export interface PlanNode {
  /** Its place in the plan: sources come before their targets. */
  readonly index: number;
  readonly id: string;
  readonly type: NodeType;
  readonly data: unknown;
  readonly policy: Policy;
  readonly effect: Effect;
  readonly cost: Cost;
  readonly nested: { readonly plan: Plan; readonly inputs: readonly string[] | "handles" } | null;
  readonly input: GraphNode["input"];
  readonly output: GraphNode["output"];
  readonly inputs: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  readonly liveInputs: readonly PlanEdge[];
  /** Whether it can start again after it has started. */
  readonly restarts: boolean;
  /** Whether what it has emitted can turn out never to have been. */
  readonly withdraws: boolean;
  /** What must be known before it can be decided whether the node runs: edges, a `first` input counting once. */
  readonly unknown: number;
}

export interface PlanInput {
  readonly handle: string;
  readonly spec: InputSpec;
  /** In order of the workflow's `edges`. */
  readonly edges: readonly PlanEdge[];
}

export interface PlanOutput {
  readonly handle: string;
  readonly kind: Kind;
  readonly edges: readonly PlanEdge[];
  readonly liveEdges: readonly PlanEdge[];
  /** Whether its fold must be kept: someone reads it settled, or may have to read it again from the beginning. */
  readonly kept: boolean;
}

export interface PlanEdge {
  /** Its place in the posted `edges`. */
  readonly position: number;
  readonly source: number;
  readonly output: number;
  readonly target: number;
  readonly input: PlanInput;
  /** Number among the live edges, or -1 for a settled edge. */
  readonly live: number;
}

/**
 * How many steps the search for edges that could block may take. What isn't proven harmless by then is read as settled,
 * which is always safe.
 */
const MAX_SEARCH_STEPS = 5_000_000;

export function* planGraph(graph: Graph, runsElsewhere = false): Steps<Plan> {
  const live = yield* liveEdges(graph);
  const restarts = yield* spreading(
    graph,
    live.edges,
    ({ retry, onError }) => runsElsewhere || retries(retry) || onError === "default",
  );
  const withdraws = yield* spreading(
    graph,
    live.edges,
    ({ retry, onError }) => runsElsewhere || retries(retry) || onError !== "fail",
  );
  const { planned, inputs } = yield* planEdges(graph, live.edges);
  const nodes: PlanNode[] = [];
  const outputs: PlanNode[] = [];
  const starts: number[] = [];
  const { notes } = live;
  for (const node of graph.nodes) {
    const into = inputs.get(node) ?? [];
    const nested = node.nested && {
      plan: yield* planGraph(node.nested.graph, runsElsewhere),
      inputs: node.nested.inputs,
    };
    const planNode: PlanNode = {
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
      inputs: into,
      outputs: planOutputs(node, planned, live.edges, restarts),
      liveInputs: liveInputs(into),
      restarts: restarts.has(node),
      withdraws: withdraws.has(node),
      unknown: into.reduce((sum, input) => sum + (input.spec.first ? 1 : input.edges.length), 0),
    };
    nodes.push(planNode);
    if (planNode.output) outputs.push(planNode);
    if (planNode.unknown === 0) starts.push(planNode.index);
    for (const note of nested?.plan.notes ?? []) notes.push(`${node.id}/${note}`);
    yield;
  }
  return { nodes, edges: graph.edges.length, liveEdges: live.edges.size, outputs, starts, notes };
}

const NONE: readonly PlanEdge[] = [];

function liveInputs(inputs: readonly PlanInput[]): readonly PlanEdge[] {
  const live = inputs.flatMap((input) => input.edges.filter((edge) => edge.live >= 0));
  return live.length > 0 ? live : NONE;
}

/** Edges by number, and the inputs of each node in the order in which its edges name them. */
function* planEdges(
  graph: Graph,
  live: ReadonlySet<GraphEdge>,
): Steps<{ planned: Map<GraphEdge, PlanEdge>; inputs: Map<GraphNode, PlanInput[]> }> {
  const planned = new Map<GraphEdge, PlanEdge>();
  const inputs = new Map<GraphNode, PlanInput[]>();
  const numberOf = outputNumbers();
  let liveCount = 0;
  for (const node of graph.nodes) {
    if (node.in.length === 0) continue;
    const byHandle = new Map<string, { handle: string; spec: InputSpec; edges: PlanEdge[] }>();
    for (const edge of node.in) {
      const { targetHandle: handle, spec } = edge;
      const input = byHandle.get(handle) ?? { handle, spec, edges: [] };
      byHandle.set(handle, input);
      const into: PlanEdge = {
        position: edge.position,
        source: edge.source.index,
        output: numberOf(edge.source.handles.outputs, edge.sourceHandle),
        target: node.index,
        input,
        live: live.has(edge) ? liveCount++ : -1,
      };
      planned.set(edge, into);
      input.edges.push(into);
      yield;
    }
    inputs.set(node, [...byHandle.values()]);
  }
  return { planned, inputs };
}

/** Finds the number of an output. A subflow may have thousands, so they are counted once. */
function outputNumbers(): (outputs: object, handle: string) => number {
  const counted = new Map<object, Map<string, number>>();
  return (outputs, handle) => {
    let numbers = counted.get(outputs);
    if (!numbers) {
      numbers = new Map(Object.keys(outputs).map((name, number) => [name, number]));
      counted.set(outputs, numbers);
    }
    return numbers.get(handle) ?? -1;
  };
}

function planOutputs(
  node: GraphNode,
  planned: ReadonlyMap<GraphEdge, PlanEdge>,
  live: ReadonlySet<GraphEdge>,
  restarts: ReadonlySet<GraphNode>,
): PlanOutput[] {
  const byHandle = Map.groupBy(node.out, (edge) => edge.sourceHandle);
  return Object.entries(node.handles.outputs).map(([handle, kind]) => {
    const from = byHandle.get(handle) ?? [];
    const edges = from.map((edge) => planned.get(edge) as PlanEdge);
    return {
      handle,
      kind,
      edges,
      liveEdges: edges.filter((edge) => edge.live >= 0),
      kept: from.some((edge) => !live.has(edge) || rereads(edge, live, restarts)),
    };
  });
}

/**
 * Which edges are read as their source emits. Their input asks for it, their source emits piece by piece, their target
 * has no effect that couldn't be withdrawn, and waiting for room on them can't block what the target waits for.
 */
function* liveEdges(graph: Graph): Steps<{ edges: Set<GraphEdge>; notes: string[] }> {
  const wanted = new Set<GraphEdge>();
  for (const edge of graph.edges) {
    const kind = edge.source.handles.outputs[edge.sourceHandle];
    const piecewise = kind !== undefined && kind !== "value" && edge.spec.live?.includes(kind);
    const single = !edge.spec.many && !edge.spec.first;
    if (piecewise && single && edge.target.effect !== "effectful") wanted.add(edge);
    yield;
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
  for (const node of held) {
    if (awaited.has(node)) return true;
    for (const { target } of node.out) if (target !== edge.target) held.add(target);
    for (const into of node.in) if (live.has(into)) held.add(into.source);
    budget.steps -= 1 + node.out.length + node.in.length;
    if (budget.steps < 0) return true;
    yield;
  }
  return false;
}

const retries = (retry: Policy["retry"]) => retry !== undefined && retry.maxAttempts > 1;

/** Nodes of which something is true by their own policy, or because it is true of a live source. */
function* spreading(
  graph: Graph,
  live: ReadonlySet<GraphEdge>,
  byItself: (policy: Policy) => boolean,
): Steps<ReadonlySet<GraphNode>> {
  const nodes = new Set<GraphNode>();
  for (const node of graph.nodes) {
    yield;
    if (byItself(node.policy) || node.in.some((edge) => live.has(edge) && nodes.has(edge.source)))
      nodes.add(node);
  }
  return nodes;
}

/** Whether the edge's target may have to start again while its source goes on. */
function rereads(edge: GraphEdge, live: ReadonlySet<GraphEdge>, restarts: ReadonlySet<GraphNode>): boolean {
  if (retries(edge.target.policy.retry)) return true;
  return edge.target.in.some(
    (other) => live.has(other) && other.source !== edge.source && restarts.has(other.source),
  );
}
