import type { Kind, SkipReason, Value, Workflow, WorkflowEdge, WorkflowNode } from "../../protocol/index.ts";
import { FAILURE_MESSAGE } from "./nodes.ts";
import { elements, expression, Failure, range, runTestNode, template, transform } from "./reference-nodes.ts";
import { dataOf, shapeOf, sourceHandle, targetHandle, topological } from "./shape.ts";

/**
 * A second, plain evaluator of workflows: no streams, no time, no attempts, one node after another. What the engine
 * makes of a workflow must be what comes out here.
 */
export interface Outcome {
  /** `waiting` for an answer, or for a node that waits; `unreached` behind a failure. */
  readonly status: "completed" | "skipped" | "failed" | "waiting" | "unreached";
  /** Folded, by handle; a handle that was not taken is absent. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly reason?: SkipReason;
  /** The failure that ended the last attempt, also where `onError` handled it. */
  readonly code?: string;
}

export interface Reference {
  readonly status: "completed" | "failed" | "suspended";
  /** By path. */
  readonly nodes: ReadonlyMap<string, Outcome>;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Codes that a failed run may end with: whichever failure comes first. */
  readonly codes: ReadonlySet<string>;
  /** Paths of the open questions. */
  readonly pending: readonly string[];
}

export interface ReferenceRequest {
  readonly workflow: Workflow;
  readonly inputs?: Readonly<Record<string, Value>>;
  readonly until?: readonly string[];
  readonly answers?: Readonly<Record<string, Value>>;
}

type Inputs = Readonly<Record<string, Value>>;
type Policy = {
  readonly retry?: { readonly maxAttempts: number };
  readonly onError?: string;
  readonly default?: Value;
};

class Waiting extends Error {}

export async function evaluate(request: ReferenceRequest): Promise<Reference> {
  const run = new Evaluation(request.answers ?? {});
  const selected = request.until && ancestors(request.workflow, request.until);
  const { failures, pending, outputs } = await run.graph(
    request.workflow,
    request.inputs ?? {},
    "",
    selected,
  );
  const status = failures.size > 0 ? "failed" : pending ? "suspended" : "completed";
  return { status, nodes: run.nodes, outputs, codes: failures, pending: run.pending };
}

function ancestors(workflow: Workflow, until: readonly string[]): ReadonlySet<string> {
  const selected = new Set(until);
  for (const node of topological(workflow).reverse()) {
    if (!selected.has(node.id)) continue;
    for (const edge of workflow.edges) if (edge.target === node.id) selected.add(edge.source);
  }
  return selected;
}

interface GraphResult {
  readonly failures: ReadonlySet<string>;
  readonly pending: boolean;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Output nodes, skipped ones included. */
  readonly declared: number;
}

class Evaluation {
  readonly nodes = new Map<string, Outcome>();
  readonly pending: string[] = [];
  readonly #answers: Readonly<Record<string, Value>>;

  constructor(answers: Readonly<Record<string, Value>>) {
    this.#answers = answers;
  }

  async graph(
    workflow: Workflow,
    inputs: Inputs,
    prefix: string,
    selected?: ReadonlySet<string>,
  ): Promise<GraphResult> {
    const failures = new Set<string>();
    const outputs: Record<string, Value> = {};
    let pending = false;
    let declared = 0;
    for (const node of topological(workflow)) {
      const path = prefix + node.id;
      const edges = workflow.edges.filter((edge) => edge.target === node.id);
      const outcome =
        selected && !selected.has(node.id)
          ? skipped("not-selected")
          : await this.#node(workflow, node, edges, path, prefix, inputs);
      this.nodes.set(path, outcome);
      if (outcome.status === "failed") for (const code of (outcome.code ?? "").split(",")) failures.add(code);
      if (outcome.status === "waiting") pending = true;
      if (node.type !== "output") continue;
      declared += 1;
      const edge = edges[0];
      const value = edge && this.nodes.get(prefix + edge.source)?.outputs[sourceHandle(edge)];
      if (outcome.status === "completed" && value !== undefined)
        outputs[String(dataOf(node)["name"])] = value;
    }
    return { failures, pending, outputs, declared };
  }

  async #node(
    workflow: Workflow,
    node: WorkflowNode,
    edges: readonly WorkflowEdge[],
    path: string,
    prefix: string,
    given: Inputs,
  ): Promise<Outcome> {
    const shape = shapeOf(node);
    const sourceOf = (edge: WorkflowEdge) => this.nodes.get(prefix + edge.source) as Outcome;
    const skips = (edge: WorkflowEdge): SkipReason | undefined => {
      const source = sourceOf(edge);
      if (source.status === "skipped") {
        return source.reason === "upstream-failed" ? "upstream-failed" : "upstream-skipped";
      }
      if (source.status === "completed" && !(sourceHandle(edge) in source.outputs)) return "branch-not-taken";
      return undefined;
    };
    if (node.type === "merge" && dataOf(node)["mode"] === "first") return this.#first(edges, sourceOf, skips);

    const blocked = (status: Outcome["status"]) => edges.some((edge) => sourceOf(edge).status === status);
    if (blocked("unreached") || blocked("failed")) return { status: "unreached", outputs: {} };
    if (blocked("waiting")) return { status: "waiting", outputs: {} };

    for (const edge of edges) {
      const handle = targetHandle(edge);
      const reason = skips(edge);
      const siblings = edges.filter((other) => targetHandle(other) === handle);
      if (reason && (!shape.many.has(handle) || siblings.every((other) => skips(other))))
        return skipped(reason);
    }
    const inputs: Record<string, Value> = {};
    const kinds: Record<string, Kind> = {};
    for (const edge of edges) {
      const handle = targetHandle(edge);
      const source = workflow.nodes.find((other) => other.id === edge.source) as WorkflowNode;
      const value = sourceOf(edge).outputs[sourceHandle(edge)];
      kinds[handle] = shapeOf(source).outputs[sourceHandle(edge)] as Kind;
      if (value === undefined) continue;
      if (shape.many.has(handle)) inputs[handle] = [...((inputs[handle] as Value[]) ?? []), value];
      else inputs[handle] = value;
    }
    const policy = (node.policy ?? {}) as Policy;
    try {
      return {
        status: "completed",
        outputs: await this.#run(node, inputs, kinds, path, given, edges.length),
      };
    } catch (error) {
      if (error instanceof Waiting) return { status: "waiting", outputs: {} };
      if (!(error instanceof Failure)) throw error;
      // A failure makes everything under its path forgotten.
      for (const other of this.nodes.keys()) if (other.startsWith(`${path}/`)) this.nodes.delete(other);
      return handled(policy, [...error.codes]);
    }
  }

  /** The first edge in order that isn't skipped, once those before it are skipped. */
  #first(
    edges: readonly WorkflowEdge[],
    sourceOf: (edge: WorkflowEdge) => Outcome,
    skips: (edge: WorkflowEdge) => SkipReason | undefined,
  ): Outcome {
    for (const edge of edges) {
      if (skips(edge)) continue;
      const source = sourceOf(edge);
      if (source.status === "waiting") return { status: "waiting", outputs: {} };
      if (source.status !== "completed") return { status: "unreached", outputs: {} };
      return { status: "completed", outputs: { out: source.outputs[sourceHandle(edge)] as Value } };
    }
    const [first] = edges;
    return skipped((first && skips(first)) ?? "upstream-skipped");
  }

  async #run(
    node: WorkflowNode,
    inputs: Readonly<Record<string, Value>>,
    kinds: Readonly<Record<string, Kind>>,
    path: string,
    given: Inputs,
    edges: number,
  ): Promise<Record<string, Value>> {
    const data = dataOf(node);
    const input = inputs["in"] ?? null;
    switch (node.type) {
      case "input":
        return { out: inputNamed(String(data["name"]), given, data["default"] as Value) };
      case "output":
        return {};
      case "constant":
        return { out: data["value"] as Value };
      case "transform":
        return { out: await transform(data, inputs, kinds["in"]) };
      case "template":
        return { out: template(String(data["text"]), inputs) };
      case "range":
        return { out: range(data as { from?: number; to: number; step?: number }) };
      case "delay": {
        const list = inputs["in"] as readonly Value[] | undefined;
        return { out: (edges > 1 ? list : list?.[0]) ?? null };
      }
      case "switch": {
        const cases = data["cases"] as readonly { handle: string; when: string }[];
        for (const one of cases)
          if ((await expression(one.when, input, {})) === true) return { [one.handle]: input };
        return typeof data["otherwise"] === "string" ? { [data["otherwise"]]: input } : {};
      }
      case "merge":
      case "test-list":
        return { out: inputs["in"] ?? [] };
      case "map":
        return { out: await this.#map(data, elements(input, kinds["in"]), path) };
      case "loop":
        return { out: await this.#loop(data, input, path) };
      case "subflow": {
        const result = await this.graph(data["workflow"] as Workflow, inputs, `${path}/`);
        const value = nestedResult(result);
        return { ...(value !== undefined && { out: value }), ...result.outputs };
      }
      case "tool": {
        const answer = this.#answers[path];
        if (answer !== undefined) return { out: answer };
        this.pending.push(path);
        throw new Waiting();
      }
      default:
        return runTestNode(node, inputs, kinds);
    }
  }

  async #map(data: Readonly<Record<string, unknown>>, items: readonly Value[], path: string): Promise<Value> {
    const results: Value[] = [];
    const failures = new Set<string>();
    let waiting = false;
    for (const [index, item] of items.entries()) {
      const result = await this.graph(data["workflow"] as Workflow, { item, index }, `${path}/${index}/`);
      for (const code of result.failures) failures.add(code);
      waiting ||= result.pending;
      if (result.failures.size > 0 || result.pending) continue;
      const value = nestedResult(result);
      if (value !== undefined) results.push(value);
    }
    if (failures.size > 0) throw new Failure(...failures);
    if (waiting) throw new Waiting();
    return results;
  }

  async #loop(data: Readonly<Record<string, unknown>>, start: Value, path: string): Promise<Value> {
    let value = start;
    for (let iteration = 0; ; iteration += 1) {
      if ((await expression(String(data["while"]), value, { iteration })) !== true) return value;
      if (iteration >= Number(data["maxIterations"])) throw new Failure("ITERATION_LIMIT");
      const scope = `${path}/${iteration}/`;
      value =
        nestedResult(await this.graph(data["workflow"] as Workflow, { value, iteration }, scope)) ?? null;
    }
  }
}

function inputNamed(name: string, given: Inputs, fallback: Value): Value {
  return Object.hasOwn(given, name) ? (given[name] as Value) : fallback;
}

function skipped(reason: SkipReason): Outcome {
  return { status: "skipped", outputs: {}, reason };
}

function handled(policy: Policy, codes: readonly string[]): Outcome {
  const code = codes.join();
  if (policy.onError === "default")
    return { status: "completed", outputs: { out: policy.default as Value }, code };
  if (policy.onError === "route") {
    return { status: "completed", outputs: { error: { code, message: FAILURE_MESSAGE } }, code };
  }
  if (policy.onError === "skip") return { status: "skipped", outputs: {}, reason: "upstream-failed", code };
  return { status: "failed", outputs: {}, code };
}

/** The nested value, or undefined where it was skipped. */
function nestedResult(result: GraphResult): Value | undefined {
  if (result.failures.size > 0) throw new Failure(...result.failures);
  if (result.pending) throw new Waiting();
  if (result.declared === 0) return null;
  return result.declared === 1 ? Object.values(result.outputs)[0] : result.outputs;
}
