import { z } from "zod";
import { type Limits, Policy, type Steps, Workflow, type WorkflowNode } from "../../protocol/index.ts";
import { closest } from "./closest.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { checkDestination, checkSecrets } from "./graph-secrets.ts";
import { type Issues, pointer } from "./issues.ts";
import type { Effect, Handles, NodeType, NodeTypes, Runtime } from "./node-type.ts";
import type { Secrets } from "./secrets.ts";

export interface GraphRules {
  readonly types: NodeTypes;
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** Those of this caller. */
  readonly secrets: Secrets;
  /** The types this caller may use; all if absent. */
  readonly allowed?: ReadonlySet<string>;
}

/** Where a workflow stands, and what all of them hold together. */
export interface Nesting {
  /** JSON Pointer of the workflow in the request. */
  readonly path: string;
  readonly depth: number;
  readonly totals: { nodes: number; edges: number };
}

/** The policy of nodes that have none of their own. */
const NO_POLICY = Policy.parse({});

/** Checks one node by itself: its type, its data and its policy. A container has no workflow in it yet. */
export function buildNode(
  node: WorkflowNode,
  position: number,
  path: string,
  rules: GraphRules,
  issues: Issues,
): GraphNode {
  const part = { nodeId: node.id, issues };
  const type = findType(node, path, rules, issues);
  if (!type || !checkSecrets(node, type, rules.secrets, path, issues)) return faulty(node, position);
  const policy =
    node.policy == null ? NO_POLICY : parse(Policy, node.policy, { ...part, path: `${path}/policy` });
  const data = parse(type.data, node.data ?? {}, { ...part, path: `${path}/data` });
  if (data === undefined || policy === undefined) return faulty(node, position);

  checkDestination(node, type, data, rules.secrets, path, issues);

  const handles = type.handles(data);
  if (!defaultFits(policy, handles)) {
    const kind = handles.outputs["out"];
    const message = kind ? `the default must be ${kind}` : 'there is no output "out" to be given a default';
    const at = `${path}/policy/default`;
    issues.add("INVALID_NODE_DATA", `Node "${node.id}": ${message}`, at, { nodeId: node.id });
  }
  return {
    id: node.id,
    position,
    index: -1,
    type,
    data,
    policy,
    handles: policy.onError === "route" ? withErrorOutput(handles) : handles,
    effect: type.effect(data),
    nested: null,
    input: type.input?.(data) ?? null,
    output: type.output?.(data) ?? null,
    faulty: false,
    in: [],
    out: [],
  };
}

/** Builds a graph of a workflow at a place in the request. */
type BuildGraph = (workflow: Workflow, nesting: Nesting) => Steps<Graph>;

/** Puts the graph of its workflow into a container. */
export function* buildNested(
  node: GraphNode,
  nesting: Nesting,
  path: string,
  { maxIterations }: Limits,
  issues: Issues,
  buildGraph: BuildGraph,
): Steps<GraphNode> {
  const declared = node.type.nested?.(node.data);
  if (!declared) return node;
  const place = `${path}/data/workflow`;
  const workflow = parse(Workflow, declared.workflow, { nodeId: node.id, issues, path: place });
  if (!workflow) return faulty(node, node.position);
  const { inputs, iterations = 0 } = declared;
  if (iterations > maxIterations) {
    const message = `Node "${node.id}": ${iterations} iterations are more than the ${maxIterations} allowed here`;
    issues.add("INVALID_NODE_DATA", message, `${path}/data`, { nodeId: node.id });
  }
  const graph = yield* buildGraph(workflow, { ...nesting, path: place, depth: nesting.depth + 1 });
  const names = new Set<string>();
  for (const { input } of graph.nodes) if (input) names.add(input.name);
  return { ...node, nested: { graph, inputs, names }, effect: strongest(node.effect, graph) };
}

const NOTHING: NodeType = {
  type: "",
  description: "",
  data: z.unknown(),
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: {}, outputs: {} }),
  effect: () => "pure",
  execute: () => [],
};

/** In place of a node that can't be built. It is never run: there is an issue. */
function faulty({ id }: { readonly id: string }, position: number): GraphNode {
  return {
    id,
    position,
    index: -1,
    type: NOTHING,
    data: {},
    policy: NO_POLICY,
    handles: { inputs: {}, outputs: {} },
    effect: "pure",
    nested: null,
    input: null,
    output: null,
    faulty: true,
    in: [],
    out: [],
  };
}

function findType(node: WorkflowNode, path: string, rules: GraphRules, issues: Issues): NodeType | null {
  const type = node.type == null ? undefined : rules.types.get(node.type);
  if (!type || rules.allowed?.has(type.type) === false) {
    const what = node.type == null ? "has no type" : unknownType(node.type, rules);
    issues.add("UNKNOWN_NODE_TYPE", `Node "${node.id}" ${what}`, `${path}/type`, { nodeId: node.id });
    return null;
  }
  if (type.hosts && !type.hosts.includes(rules.runtime)) {
    const message = `Node "${node.id}": type "${type.type}" does not run on ${rules.runtime}`;
    issues.add("UNSUPPORTED_ON_HOST", message, `${path}/type`, { nodeId: node.id });
    return null;
  }
  return type;
}

function unknownType(type: string, { types, allowed }: GraphRules): string {
  const meant = closest(type, allowed ?? types.keys());
  return `has the type "${type}", which is not known here${meant ? `; did you mean "${meant}"?` : ""}`;
}

interface Schema<T> {
  safeParse(
    part: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

function parse<T>(
  schema: Schema<T>,
  part: unknown,
  { nodeId, path, issues }: { readonly nodeId: string; readonly path: string; readonly issues: Issues },
): T | undefined {
  const parsed = schema.safeParse(part);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const where = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
    const message = `Node "${nodeId}": ${where}${issue.message}`;
    issues.add("INVALID_NODE_DATA", message, path + pointer(issue.path), { nodeId });
  }
  return undefined;
}

function defaultFits(policy: Policy, handles: Handles): boolean {
  if (policy.onError !== "default") return true;
  switch (handles.outputs["out"]) {
    case undefined:
      return false;
    case "value":
      return true;
    case "items":
      return Array.isArray(policy.default);
    case "text":
      return typeof policy.default === "string";
    default:
      return policy.default instanceof Uint8Array;
  }
}

function withErrorOutput(handles: Handles): Handles {
  return { ...handles, outputs: { ...handles.outputs, error: "value" } };
}

const EFFECTS: readonly Effect[] = ["pure", "idempotent", "effectful"];

function strongest(own: Effect, inside: Graph): Effect {
  let rank = EFFECTS.indexOf(own);
  for (const node of inside.nodes) rank = Math.max(rank, EFFECTS.indexOf(node.effect));
  return EFFECTS[rank] ?? own;
}
