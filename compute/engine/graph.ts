import type { Issue, IssueCode, Limits, Steps, Value, Workflow, WorkflowEdge } from "../../protocol/index.ts";
import {
  DEFAULT_SOURCE_HANDLE,
  DEFAULT_TARGET_HANDLE,
  findSecret,
  invalidName,
  isDecoration,
  Policy,
  Workflow as WorkflowSchema,
} from "../../protocol/index.ts";
import type { Effect, Handles, InputSpec, NodeType, NodeTypes, Runtime } from "./node-type.ts";

/** A node whose type is known and whose data fit it. */
export interface GraphNode {
  readonly id: string;
  /** Its place in the posted `nodes`. */
  readonly position: number;
  readonly type: NodeType;
  readonly data: unknown;
  readonly policy: Policy;
  readonly handles: Handles;
  readonly effect: Effect;
  readonly nested: { readonly graph: Graph; readonly inputs: readonly string[] | "handles" } | null;
  readonly input: { readonly name: string; readonly default?: Value } | null;
  readonly output: { readonly name: string } | null;
}

export interface GraphEdge {
  readonly position: number;
  readonly source: GraphNode;
  readonly target: GraphNode;
  readonly sourceHandle: string;
  readonly targetHandle: string;
  readonly spec: InputSpec;
}

/** A workflow that can run: decoration dropped, defaults filled in, every reference resolved. */
export interface Graph {
  readonly id?: string;
  readonly nodes: readonly GraphNode[];
  /** In topological order, as far as there is one. */
  readonly order: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphRules {
  readonly types: NodeTypes;
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** The types this caller may use. */
  readonly allowed?: ReadonlySet<string>;
}

/** Beyond this many issues a report helps nobody. */
const MAX_ISSUES = 1_000;

/** Collects issues, so that a workflow is told everything that is wrong with it at once. */
export class Issues {
  readonly list: Issue[] = [];

  add(code: IssueCode, message: string, path: string, place: Partial<Issue> = {}): void {
    if (this.list.length < MAX_ISSUES) this.list.push({ code, message, path, ...place });
  }
}

/** Counts what all nested workflows hold together. */
interface Totals {
  nodes: number;
  edges: number;
}

/** Checks a workflow and resolves it. The result is to be used only if no issue was added. */
export function* buildGraph(workflow: Workflow, rules: GraphRules, issues: Issues): Steps<Graph> {
  return yield* build(workflow, "/workflow", 0, { nodes: 0, edges: 0 }, rules, issues);
}

function* build(
  workflow: Workflow,
  path: string,
  depth: number,
  totals: Totals,
  rules: GraphRules,
  issues: Issues,
): Steps<Graph> {
  const empty: Graph = { nodes: [], order: [], edges: [] };
  if (!fits(workflow, path, depth, totals, rules.limits, issues)) return empty;
  const touched = new Set<string>();
  for (const edge of workflow.edges) touched.add(edge.source).add(edge.target);

  const known = new Set<string>();
  const byId = new Map<string, GraphNode>();
  for (const [position, node] of workflow.nodes.entries()) {
    if (isDecoration(node, touched)) continue;
    const place = `${path}/nodes/${position}`;
    const wrong = invalidName(node.id);
    if (wrong) issues.add("INVALID_NODE_ID", `The id of node ${position} ${wrong}`, `${place}/id`);
    if (known.has(node.id)) {
      issues.add("DUPLICATE_NODE_ID", `Two nodes have the id "${node.id}"`, `${place}/id`, {
        nodeId: node.id,
      });
      continue;
    }
    known.add(node.id);
    const built = yield* buildNode(node, position, place, depth, totals, rules, issues);
    if (built) byId.set(node.id, built);
    yield;
  }

  const edges = yield* buildEdges(workflow.edges, known, byId, path, issues);
  checkInputs(byId, edges, path, issues);
  checkOutputNames(byId, path, issues);
  const order = yield* sort(byId, edges, path, issues);
  return {
    ...(workflow.id != null && { id: workflow.id }),
    nodes: [...byId.values()],
    order,
    edges,
  };
}

function fits(
  workflow: Workflow,
  path: string,
  depth: number,
  totals: Totals,
  limits: Limits,
  issues: Issues,
): boolean {
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

function* buildNode(
  node: Workflow["nodes"][number],
  position: number,
  path: string,
  depth: number,
  totals: Totals,
  rules: GraphRules,
  issues: Issues,
): Steps<GraphNode | null> {
  const nodeId = node.id;
  const type = node.type == null ? undefined : rules.types.get(node.type);
  if (!type || (rules.allowed && !rules.allowed.has(type.type))) {
    const message =
      node.type == null ? "has no type" : `has the type "${node.type}", which is not known here`;
    issues.add("UNKNOWN_NODE_TYPE", `Node "${nodeId}" ${message}`, `${path}/type`, { nodeId });
    return null;
  }
  if (type.hosts && !type.hosts.includes(rules.runtime)) {
    const message = `Node "${nodeId}": type "${type.type}" does not run on ${rules.runtime}`;
    issues.add("UNSUPPORTED_ON_HOST", message, `${path}/type`, { nodeId });
    return null;
  }
  const policy = parsePart(Policy, node.policy ?? {}, nodeId, `${path}/policy`, issues);
  if (!noSecrets(node.data, nodeId, `${path}/data`, issues)) return null;
  const data = parsePart(type.data, node.data ?? {}, nodeId, `${path}/data`, issues);
  if (data === undefined || policy === undefined) return null;

  const declared = type.nested?.(data);
  let nested: GraphNode["nested"] = null;
  if (declared) {
    const inner = parsePart(WorkflowSchema, declared.workflow, nodeId, `${path}/data/workflow`, issues);
    if (!inner) return null;
    const place = `${path}/data/workflow`;
    const graph = yield* build(inner, place, depth + 1, totals, rules, issues);
    nested = { graph, inputs: declared.inputs };
  }
  const handles = type.handles(data);
  if (!defaultFits(policy, handles)) {
    const kind = handles.outputs.out;
    const message = kind
      ? `the default must be a value of kind ${kind}`
      : 'there is no output "out" to be given a default';
    issues.add("INVALID_NODE_DATA", `Node "${nodeId}": ${message}`, `${path}/policy/default`, { nodeId });
    return null;
  }
  return {
    id: nodeId,
    position,
    type,
    data,
    policy,
    handles:
      policy.onError === "route" ? { ...handles, outputs: { ...handles.outputs, error: "value" } } : handles,
    effect: nested ? strongest(type.effect(data), nested.graph) : type.effect(data),
    nested,
    input: type.input?.(data) ?? null,
    output: type.output?.(data) ?? null,
  };
}

function defaultFits(policy: Policy, handles: Handles): boolean {
  if (policy.onError !== "default") return true;
  switch (handles.outputs.out) {
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

/** Secrets may stand only where a type marks the field; no type does yet, so they may stand nowhere. */
function noSecrets(data: unknown, nodeId: string, path: string, issues: Issues): boolean {
  const at = findSecret(data);
  if (at === null) return true;
  issues.add("INVALID_NODE_DATA", `Node "${nodeId}": a secret can't stand here`, path + at, { nodeId });
  return false;
}

interface Schema<T> {
  safeParse(
    data: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

function parsePart<T>(
  schema: Schema<T>,
  part: unknown,
  nodeId: string,
  path: string,
  issues: Issues,
): T | undefined {
  const parsed = schema.safeParse(part);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const message = `Node "${nodeId}": ${issue.path.length > 0 ? `${issue.path.join(".")}: ` : ""}${issue.message}`;
    issues.add("INVALID_NODE_DATA", message, path + pointer(issue.path), { nodeId });
  }
  return undefined;
}

/** A JSON Pointer (RFC 6901). */
function pointer(keys: readonly PropertyKey[]): string {
  return keys.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

const EFFECTS: readonly Effect[] = ["pure", "idempotent", "effectful"];

function strongest(own: Effect, inside: Graph): Effect {
  let rank = EFFECTS.indexOf(own);
  for (const node of inside.nodes) rank = Math.max(rank, EFFECTS.indexOf(node.effect));
  return EFFECTS[rank] ?? own;
}

const NOTHING_SPECIAL: InputSpec = {};

function specOf(node: GraphNode, handle: string): InputSpec | undefined {
  const { inputs } = node.handles;
  if (Object.hasOwn(inputs, handle)) return inputs[handle];
  if (node.nested?.inputs === "handles") {
    return node.nested.graph.nodes.some((inner) => inner.input?.name === handle)
      ? NOTHING_SPECIAL
      : undefined;
  }
  return inputs["*"];
}

function* buildEdges(
  posted: readonly WorkflowEdge[],
  known: ReadonlySet<string>,
  byId: ReadonlyMap<string, GraphNode>,
  path: string,
  issues: Issues,
): Steps<GraphEdge[]> {
  const edges: GraphEdge[] = [];
  const occupied = new Map<GraphNode, Set<string>>();
  for (const [position, edge] of posted.entries()) {
    yield;
    const place = `${path}/edges/${position}`;
    const edgeId = edge.id == null ? {} : { edgeId: edge.id };
    const name = edge.id == null ? `Edge ${position}` : `Edge "${edge.id}"`;
    for (const [end, code] of [
      ["source", "INVALID_EDGE_SOURCE"],
      ["target", "INVALID_EDGE_TARGET"],
    ] as const) {
      if (!known.has(edge[end])) {
        const message = `${name}: its ${end} "${edge[end]}" is not a node that runs`;
        issues.add(code, message, `${place}/${end}`, edgeId);
      }
    }
    const source = byId.get(edge.source);
    const target = byId.get(edge.target);
    const sourceHandle = edge.sourceHandle ?? DEFAULT_SOURCE_HANDLE;
    const targetHandle = edge.targetHandle ?? DEFAULT_TARGET_HANDLE;
    const kind =
      source && Object.hasOwn(source.handles.outputs, sourceHandle)
        ? source.handles.outputs[sourceHandle]
        : undefined;
    if (source && !kind) {
      const message = `${name}: node "${source.id}" has no output "${sourceHandle}"`;
      issues.add("UNKNOWN_HANDLE", message, `${place}/sourceHandle`, {
        ...edgeId,
        nodeId: source.id,
        handle: sourceHandle,
      });
    }
    if (!target) continue;
    const at = { ...edgeId, nodeId: target.id, handle: targetHandle };
    const wrong = invalidName(targetHandle);
    const spec = wrong ? undefined : specOf(target, targetHandle);
    if (!spec) {
      const code = target.nested?.inputs === "handles" && !wrong ? "UNKNOWN_INPUT" : "UNKNOWN_HANDLE";
      const why = wrong ? `the handle ${wrong}` : `node "${target.id}" has no input "${targetHandle}"`;
      issues.add(code, `${name}: ${why}`, `${place}/targetHandle`, at);
      continue;
    }
    if (kind && spec.accepts && !spec.accepts.includes(kind)) {
      const message = `${name}: input "${targetHandle}" of "${target.id}" takes ${spec.accepts.join(" or ")}, not ${kind}`;
      issues.add("INCOMPATIBLE_HANDLES", message, place, at);
    }
    if (!spec.many && !spec.first) {
      const taken = occupied.get(target) ?? new Set();
      occupied.set(target, taken);
      if (taken.has(targetHandle)) {
        const message = `${name}: input "${targetHandle}" of "${target.id}" takes one edge and has one`;
        issues.add("HANDLE_OCCUPIED", message, `${place}/targetHandle`, at);
      }
      taken.add(targetHandle);
    }
    if (source && kind) edges.push({ position, source, target, sourceHandle, targetHandle, spec });
  }
  return edges;
}

function checkInputs(
  byId: ReadonlyMap<string, GraphNode>,
  edges: readonly GraphEdge[],
  path: string,
  issues: Issues,
): void {
  const connected = new Map<GraphNode, Set<string>>();
  for (const edge of edges) {
    const handles = connected.get(edge.target) ?? new Set();
    connected.set(edge.target, handles.add(edge.targetHandle));
  }
  for (const node of byId.values()) {
    const handles = connected.get(node);
    const place = `${path}/nodes/${node.position}`;
    for (const [handle, spec] of Object.entries(node.handles.inputs)) {
      if (!spec.required || handles?.has(handle)) continue;
      const message = `Node "${node.id}": nothing is connected to its input "${handle}"`;
      issues.add("REQUIRED_INPUT_MISSING", message, place, { nodeId: node.id, handle });
    }
    if (!node.nested) continue;
    const given = node.nested.inputs === "handles" ? handles : new Set(node.nested.inputs);
    for (const inner of node.nested.graph.nodes) {
      if (!inner.input || inner.input.default !== undefined || given?.has(inner.input.name)) continue;
      const message = `Node "${node.id}": the input "${inner.input.name}" of its workflow has no value`;
      const at = `${place}/data/workflow/nodes/${inner.position}`;
      issues.add("INPUT_MISSING", message, at, { nodeId: node.id, handle: inner.input.name });
    }
  }
}

function checkOutputNames(byId: ReadonlyMap<string, GraphNode>, path: string, issues: Issues): void {
  const names = new Set<string>();
  for (const node of byId.values()) {
    if (!node.output) continue;
    const { name } = node.output;
    if (names.has(name)) {
      const at = `${path}/nodes/${node.position}/data/name`;
      issues.add("DUPLICATE_OUTPUT_NAME", `Two output nodes have the name "${name}"`, at, {
        nodeId: node.id,
      });
    }
    names.add(name);
  }
}

/** Kahn's algorithm; what is left over lies on a cycle or behind one. */
function* sort(
  byId: ReadonlyMap<string, GraphNode>,
  edges: readonly GraphEdge[],
  path: string,
  issues: Issues,
): Steps<GraphNode[]> {
  const waiting = new Map<GraphNode, number>();
  const out = new Map<GraphNode, GraphEdge[]>();
  for (const edge of edges) {
    waiting.set(edge.target, (waiting.get(edge.target) ?? 0) + 1);
    const list = out.get(edge.source);
    if (list) list.push(edge);
    else out.set(edge.source, [edge]);
  }
  const order: GraphNode[] = [];
  for (const node of byId.values()) if (!waiting.has(node)) order.push(node);
  for (let next = 0; next < order.length; next++) {
    yield;
    const node = order[next] as GraphNode;
    for (const { target } of out.get(node) ?? []) {
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) order.push(target);
    }
  }
  if (order.length < byId.size) reportCycle(new Set(order), edges, path, issues);
  return order;
}

/** Names one cycle: from any node that is left, walking against the edges must come back to where it was. */
function reportCycle(
  sorted: ReadonlySet<GraphNode>,
  edges: readonly GraphEdge[],
  path: string,
  issues: Issues,
): void {
  const into = new Map<GraphNode, GraphEdge>();
  for (const edge of edges)
    if (!sorted.has(edge.source) && !sorted.has(edge.target)) into.set(edge.target, edge);
  const [start] = into.keys();
  const steps: GraphEdge[] = [];
  const seen = new Map<GraphNode, number>();
  for (let at = start; at && !seen.has(at); ) {
    seen.set(at, steps.length);
    const edge = into.get(at) as GraphEdge;
    steps.push(edge);
    at = edge.source;
    const from = seen.get(at);
    if (from === undefined) continue;
    const cycle = steps.slice(from).reverse();
    const names = cycle.slice(0, 20).map((step) => step.source.id);
    const [first] = cycle as [GraphEdge];
    const message = `The nodes ${[...names, cycle.length > 20 ? "…" : names[0]].join(" → ")} form a cycle; use a loop node to repeat work`;
    issues.add("CYCLE_DETECTED", message, `${path}/edges/${first.position}`, { nodeId: first.source.id });
  }
}

/** The value under a name, where the object itself has it. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
