import { hash } from "./hash.ts";
import type { Steps } from "./steps.ts";
import { isObject, type Value } from "./value.ts";
import {
  DEFAULT_SOURCE_HANDLE,
  DEFAULT_TARGET_HANDLE,
  isDecoration,
  type Workflow,
  type WorkflowEdge,
  type WorkflowNode,
} from "./workflow.ts";

export interface FingerprintOptions {
  /** The run's seed. */
  readonly seed: string;
  /** The run's inputs by name; what is absent has the default of its `input` node, else null. */
  readonly inputs?: Readonly<Record<string, Value>> | undefined;
  /** Where the value of an `input` node is known better: it wins over `inputs`. */
  readonly known?: (nodeId: string) => Value | undefined;
}

/** The type whose nodes name the inputs of a workflow. */
const INPUT = "input";
/** Nodes hashed between two pauses. */
const SLICE = 64;

interface Graph {
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  readonly incoming: ReadonlyMap<string, readonly WorkflowEdge[]>;
  readonly outgoing: ReadonlyMap<string, readonly WorkflowEdge[]>;
}

/**
 * A fingerprint per top-level node: everything its outputs depend on. Two nodes with the same one give the same outputs,
 * so what an edit doesn't touch needs no second run. Nodes on cycles, and what depends on them, have none.
 */
export function* fingerprints(workflow: Workflow, options: FingerprintOptions): Steps<Map<string, string>> {
  const graph = graphOf(workflow);
  const found = new Map<string, string>();
  const missing = new Map<string, number>();
  const ready: WorkflowNode[] = [];
  for (const [id, node] of graph.nodes) {
    const sources = graph.incoming.get(id)?.length ?? 0;
    missing.set(id, sources);
    if (sources === 0) ready.push(node);
  }
  let count = 0;
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    if (++count % SLICE === 0) yield;
    found.set(node.id, fingerprint(node, graph.incoming.get(node.id) ?? [], found, options));
    for (const edge of graph.outgoing.get(node.id) ?? []) {
      const left = missing.get(edge.target)! - 1;
      missing.set(edge.target, left);
      if (left === 0) ready.push(graph.nodes.get(edge.target)!);
    }
  }
  return found;
}

function graphOf(workflow: Workflow): Graph {
  const touched = new Set<string>();
  for (const edge of workflow.edges) touched.add(edge.source).add(edge.target);
  const nodes = new Map<string, WorkflowNode>();
  for (const node of workflow.nodes) {
    if (!nodes.has(node.id) && !isDecoration(node, touched)) nodes.set(node.id, node);
  }
  const incoming = new Map<string, WorkflowEdge[]>();
  const outgoing = new Map<string, WorkflowEdge[]>();
  for (const edge of workflow.edges) {
    if (!nodes.has(edge.source) || !nodes.has(edge.target)) continue;
    append(incoming, edge.target, edge);
    append(outgoing, edge.source, edge);
  }
  return { nodes, incoming, outgoing };
}

function append(lists: Map<string, WorkflowEdge[]>, key: string, edge: WorkflowEdge): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [edge]);
  else list.push(edge);
}

function fingerprint(
  node: WorkflowNode,
  incoming: readonly WorkflowEdge[],
  found: ReadonlyMap<string, string>,
  options: FingerprintOptions,
): string {
  const policy = isObject(node.policy) ? node.policy : {};
  const onError = policy["onError"] ?? "fail";
  const edges = incoming.map((edge) => [
    edge.targetHandle ?? DEFAULT_TARGET_HANDLE,
    edge.sourceHandle ?? DEFAULT_SOURCE_HANDLE,
    found.get(edge.source)!,
  ]);
  // Stable, so that the edges of one handle keep their order: it is the order of the list that the handle gets.
  edges.sort(([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0));
  const parts = [node.type ?? null, node.data ?? {}, onError, policy["default"] ?? null, options.seed, edges];
  return hash(node.type === INPUT ? [...parts, hash([inputOf(node, options)])] : parts);
}

function inputOf(node: WorkflowNode, options: FingerprintOptions): Value {
  const known = options.known?.(node.id);
  if (known !== undefined) return known;
  const data = isObject(node.data) ? node.data : {};
  const name = data["name"];
  if (typeof name === "string" && options.inputs !== undefined && Object.hasOwn(options.inputs, name)) {
    return options.inputs[name]!;
  }
  return data["default"] ?? null;
}
