import type { Kind, Workflow, WorkflowEdge, WorkflowNode } from "../../protocol/index.ts";

/**
 * What a node looks like from outside, read from the contract's table of node types and not from the engine: so that
 * checks made with it are independent of what they check.
 */
export interface Shape {
  readonly outputs: Readonly<Record<string, Kind>>;
  /** Kinds of source that an input reads as they come. */
  readonly live: Readonly<Record<string, readonly Kind[]>>;
  readonly many: ReadonlySet<string>;
  readonly effectful: boolean;
  readonly nested?: Workflow;
  /** Its nested runs have scopes: one an item, one an iteration. */
  readonly scoped: boolean;
}

type Data = Readonly<Record<string, unknown>>;

export function dataOf(node: WorkflowNode): Data {
  return (node.data ?? {}) as Data;
}

const every: readonly Kind[] = ["items", "text", "bytes"];
const none: ReadonlySet<string> = new Set();
const inOnly: ReadonlySet<string> = new Set(["in"]);

export function shapeOf(node: WorkflowNode): Shape {
  const shape = ownShape(node);
  const onError = (node.policy as { onError?: string } | undefined)?.onError;
  if (onError !== "route") return shape;
  return { ...shape, outputs: { ...shape.outputs, error: "value" } };
}

function ownShape(node: WorkflowNode): Shape {
  const data = dataOf(node);
  const plain = { live: {}, many: none, effectful: data["effect"] === "effectful", scoped: false };
  const value: Shape = { ...plain, outputs: { out: "value" } };
  switch (node.type) {
    case "input":
    case "constant":
      return value;
    case "output":
      return { ...plain, outputs: {} };
    case "transform":
      return data["each"] === true ? { ...plain, outputs: { out: "items" }, live: { in: ["items"] } } : value;
    case "template":
      return { ...plain, outputs: { out: "text" } };
    case "range":
      return { ...plain, outputs: { out: "items" } };
    case "delay":
    case "merge":
    case "test-list":
      return { ...value, many: inOnly };
    case "switch": {
      const cases = data["cases"] as readonly { readonly handle: string }[];
      const names = cases.map((one) => one.handle);
      if (typeof data["otherwise"] === "string") names.push(data["otherwise"]);
      return { ...plain, outputs: Object.fromEntries(names.map((name) => [name, "value"])) };
    }
    case "tool":
      return { ...value, effectful: true };
    case "map":
      return {
        ...container(data),
        outputs: { out: "items" },
        live: { in: ["items"] },
        scoped: true,
      };
    case "loop":
      return { ...container(data), outputs: { out: "value" }, scoped: true };
    case "subflow": {
      const names = outputNames(data["workflow"] as Workflow);
      const outputs = Object.fromEntries(["out", ...names].map((name) => [name, "value" as const]));
      return { ...container(data), outputs };
    }
    case "test-source":
      return { ...plain, outputs: { out: data["kind"] as Kind }, many: inOnly };
    case "test-relay":
      return { ...plain, outputs: { out: data["kind"] as Kind }, live: { in: every } };
    case "test-gather":
      return { ...value, live: { in: every } };
    case "test-join":
      return value;
    case "test-gate":
      return { ...plain, outputs: { yes: "value", no: "value" } };
    default:
      throw new RangeError(`no shape for nodes of type ${node.type}`);
  }
}

function container(data: Data): Shape {
  const nested = data["workflow"] as Workflow;
  const effectful = nested.nodes.some((node) => shapeOf(node).effectful);
  return { outputs: {}, live: {}, many: none, effectful, nested, scoped: false };
}

export function outputNames(workflow: Workflow): string[] {
  return workflow.nodes.filter((node) => node.type === "output").map((node) => String(dataOf(node)["name"]));
}

export const sourceHandle = (edge: WorkflowEdge): string => edge.sourceHandle ?? "out";
export const targetHandle = (edge: WorkflowEdge): string => edge.targetHandle ?? "in";

/** The nodes of a graph without cycles, each after those it reads. */
export function topological(workflow: Workflow): WorkflowNode[] {
  const order: WorkflowNode[] = [];
  const visited = new Set<string>();
  const byId = new Map(workflow.nodes.map((node) => [node.id, node]));
  const visit = (node: WorkflowNode) => {
    if (visited.has(node.id)) return;
    visited.add(node.id);
    for (const edge of workflow.edges) {
      const source = edge.target === node.id ? byId.get(edge.source) : undefined;
      if (source) visit(source);
    }
    order.push(node);
  };
  workflow.nodes.forEach(visit);
  return order;
}
