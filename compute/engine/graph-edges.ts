import {
  DEFAULT_SOURCE_HANDLE,
  DEFAULT_TARGET_HANDLE,
  invalidName,
  type Kind,
  NODES_A_STEP,
  type Steps,
  type WorkflowEdge,
} from "../../protocol/index.ts";
import { type GraphEdge, type GraphNode, own } from "./graph.ts";
import { type Issues, instead } from "./issues.ts";
import type { InputSpec } from "./node-type.ts";

/** Resolves the edges of a workflow and hangs them onto their nodes. */
export function* connect(
  posted: readonly WorkflowEdge[],
  nodes: ReadonlyMap<string, GraphNode>,
  path: string,
  issues: Issues,
): Steps<GraphEdge[]> {
  const edges: GraphEdge[] = [];
  const occupied = new Set<string>();
  let position = -1;
  for (const edge of posted) {
    position += 1;
    if (position % NODES_A_STEP === 0) yield;
    const end = new EdgeEnds(edge, position, path, issues);
    end.checkIds(nodes);
    const source = nodes.get(edge.source);
    const target = nodes.get(edge.target);
    const kind = source && end.sourceKind(source);
    const spec = target && end.targetSpec(target);
    if (!target || !spec) continue;
    if (kind && !source.faulty && spec.accepts && !spec.accepts.includes(kind))
      end.incompatible(target, kind, spec.accepts);
    if (!spec.many && !spec.first) {
      const key = `${target.position}/${end.targetHandle}`;
      if (occupied.has(key)) end.occupied(target);
      occupied.add(key);
    }
    if (!source || !kind) continue;
    const { sourceHandle, targetHandle } = end;
    const built: GraphEdge = { position, source, target, sourceHandle, targetHandle, spec };
    edges.push(built);
    source.out.push(built);
    target.in.push(built);
  }
  return edges;
}

/** The two ends of one edge, and what can be wrong with them. */
class EdgeEnds {
  readonly sourceHandle: string;
  readonly targetHandle: string;
  readonly #edge: WorkflowEdge;
  readonly #position: number;
  readonly #workflowPath: string;
  readonly #issues: Issues;

  constructor(edge: WorkflowEdge, position: number, workflowPath: string, issues: Issues) {
    this.sourceHandle = edge.sourceHandle ?? DEFAULT_SOURCE_HANDLE;
    this.targetHandle = edge.targetHandle ?? DEFAULT_TARGET_HANDLE;
    this.#edge = edge;
    this.#position = position;
    this.#workflowPath = workflowPath;
    this.#issues = issues;
  }

  checkIds(ids: { has(id: string): boolean }): void {
    const { source, target } = this.#edge;
    if (!ids.has(source))
      this.#add("INVALID_EDGE_SOURCE", `its source "${source}" is not a node that runs`, "source");
    if (!ids.has(target))
      this.#add("INVALID_EDGE_TARGET", `its target "${target}" is not a node that runs`, "target");
  }

  sourceKind(source: GraphNode): Kind | undefined {
    if (source.faulty) return "value";
    const kind = own(source.handles.outputs, this.sourceHandle);
    if (!kind) {
      const message = `node "${source.id}" has no output "${this.sourceHandle}"; ${instead(Object.keys(source.handles.outputs))}`;
      this.#add("UNKNOWN_HANDLE", message, "sourceHandle", { nodeId: source.id, handle: this.sourceHandle });
    }
    return kind;
  }

  targetSpec(target: GraphNode): InputSpec | undefined {
    const handle = this.targetHandle;
    const wrong = invalidName(handle);
    const spec = wrong ? undefined : target.faulty ? ANYTHING : specOf(target, handle);
    if (!spec) {
      const code = !wrong && target.nested?.inputs === "handles" ? "UNKNOWN_INPUT" : "UNKNOWN_HANDLE";
      const message = wrong
        ? `its target handle ${wrong}`
        : `node "${target.id}" has no input "${handle}"; ${instead(inputsOf(target))}`;
      this.#add(code, message, "targetHandle", { nodeId: target.id, handle });
    }
    return spec;
  }

  incompatible(target: GraphNode, kind: Kind, accepts: readonly Kind[]): void {
    const message = `input "${this.targetHandle}" of "${target.id}" takes ${accepts.join(" or ")}, not ${kind}`;
    this.#add("INCOMPATIBLE_HANDLES", message, "targetHandle", {
      nodeId: target.id,
      handle: this.targetHandle,
    });
  }

  occupied(target: GraphNode): void {
    const message = `input "${this.targetHandle}" of "${target.id}" takes one edge, and has one`;
    this.#add("HANDLE_OCCUPIED", message, "targetHandle", { nodeId: target.id, handle: this.targetHandle });
  }

  #add(
    code: Parameters<Issues["add"]>[0],
    what: string,
    key: string,
    place: { readonly nodeId?: string; readonly handle?: string } = {},
  ): void {
    const { id } = this.#edge;
    const name = id == null ? `Edge ${this.#position}` : `Edge "${id}"`;
    const path = `${this.#workflowPath}/edges/${this.#position}/${key}`;
    this.#issues.add(code, `${name}: ${what}`, path, {
      ...(id != null && { edgeId: id }),
      ...place,
    });
  }
}

const NOTHING_SPECIAL: InputSpec = {};
const ANYTHING: InputSpec = { many: true };

function specOf(node: GraphNode, handle: string): InputSpec | undefined {
  const named = own(node.handles.inputs, handle);
  if (named) return named;
  if (node.nested?.inputs !== "handles") return node.handles.inputs["*"];
  return node.nested.names.has(handle) ? NOTHING_SPECIAL : undefined;
}

/** The names that `specOf` knows, of a node that doesn't take any name. */
function inputsOf({ handles, nested }: GraphNode): Iterable<string> {
  return nested?.inputs === "handles" ? nested.names : Object.keys(handles.inputs);
}

/** What is missing once all edges are known, and which outputs are named twice. */
export function* checkConnections(nodes: Iterable<GraphNode>, path: string, issues: Issues): Steps<void> {
  const names = new Set<string>();
  let checked = 0;
  for (const node of nodes) {
    checked += 1;
    if (checked % NODES_A_STEP === 0) yield;
    const place = `${path}/nodes/${node.position}`;
    for (const handle in node.handles.inputs) {
      const { required, insteadOf } = node.handles.inputs[handle] ?? NOTHING_SPECIAL;
      if (!required && insteadOf === undefined) continue;
      if (node.in.some((edge) => edge.targetHandle === handle)) continue;
      if (insteadOf === undefined) {
        const message = `Node "${node.id}": nothing is connected to its input "${handle}"`;
        issues.add("REQUIRED_INPUT_MISSING", message, place, { nodeId: node.id, handle });
      } else {
        const message = `Node "${node.id}": ${insteadOf} is missing, and nothing is connected to its input "${handle}"`;
        issues.add("INVALID_NODE_DATA", message, `${place}/data/${insteadOf}`, { nodeId: node.id });
      }
    }
    if (node.nested) checkNestedInputs(node, node.nested, place, issues);
    if (!node.output) continue;
    const { name } = node.output;
    if (names.has(name)) {
      const message = `Two output nodes have the name "${name}"`;
      issues.add("DUPLICATE_OUTPUT_NAME", message, `${place}/data/name`, { nodeId: node.id });
    }
    names.add(name);
  }
}

function checkNestedInputs(
  node: GraphNode,
  nested: NonNullable<GraphNode["nested"]>,
  place: string,
  issues: Issues,
): void {
  const given = new Set(
    nested.inputs === "handles" ? node.in.map((edge) => edge.targetHandle) : nested.inputs,
  );
  for (const inner of nested.graph.nodes) {
    if (!inner.input || inner.input.default !== undefined || given.has(inner.input.name)) continue;
    const { name } = inner.input;
    const message = `Node "${node.id}": the input "${name}" of its workflow has no value`;
    const at = `${place}/data/workflow/nodes/${inner.position}`;
    issues.add("INPUT_MISSING", message, at, { nodeId: node.id, handle: name });
  }
}
