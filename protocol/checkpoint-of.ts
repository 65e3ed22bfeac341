import type { Checkpoint, CheckpointEntry } from "./checkpoint.ts";
import { NodeflowError } from "./error.ts";
import { fingerprints } from "./fingerprint.ts";
import type { ExecutionState } from "./fold/fold.ts";
import type { NodeState } from "./fold/node-state.ts";
import { finish, type Steps } from "./steps.ts";
import { isObject, type Value } from "./value.ts";
import {
  DEFAULT_SOURCE_HANDLE,
  DEFAULT_TARGET_HANDLE,
  type Workflow,
  type WorkflowEdge,
  type WorkflowNode,
} from "./workflow.ts";

/** The type whose nodes name the outputs of a workflow. */
const OUTPUT = "output";
/** Entries made between two pauses. */
const SLICE = 128;

/**
 * The checkpoint of a run: what any executor needs to go on from there. `workflow` is the one that was run. `inputs` are
 * those of the request; they matter only where an `input` node's value was not sent, since fingerprints are made of them.
 * Throws `INVALID_REQUEST` for a run that hasn't begun.
 */
export function checkpointOf(
  state: ExecutionState,
  workflow: Workflow,
  inputs?: Readonly<Record<string, Value>>,
): Checkpoint {
  return finish(checkpointSteps(state, workflow, inputs));
}

/** The same in steps, for large runs. The state must not be folded further meanwhile. */
export function* checkpointSteps(
  state: ExecutionState,
  workflow: Workflow,
  inputs?: Readonly<Record<string, Value>>,
): Steps<Checkpoint> {
  const { runId, seed } = state;
  if (runId === undefined || seed === undefined) {
    throw new NodeflowError("INVALID_REQUEST", "The run has not begun: there is nothing to go on from");
  }
  const known = (id: string): Value | undefined => state.nodes.get(id)?.outputs[DEFAULT_SOURCE_HANDLE];
  const prints = yield* fingerprints(workflow, { seed, inputs, known });
  const nodes: Record<string, CheckpointEntry> = Object.create(null);
  yield* new Writer(state, nodes).graph(workflow, "", prints);
  return { protocol: 1, runId, seed, nodes };
}

/** What a nested run gave; `unknown` where it was not sent. */
type Result = { readonly value: Value } | "skipped" | "unknown";

class Writer {
  readonly #state: ExecutionState;
  readonly #nodes: Record<string, CheckpointEntry>;
  #count = 0;

  constructor(state: ExecutionState, nodes: Record<string, CheckpointEntry>) {
    this.#state = state;
    this.#nodes = nodes;
  }

  /** The nodes of a workflow, whose paths begin with `prefix`. */
  *graph(workflow: Workflow, prefix: string, prints?: ReadonlyMap<string, string>): Steps<void> {
    for (const node of workflow.nodes) {
      if (++this.#count % SLICE === 0) yield;
      const path = prefix + node.id;
      const state = this.#state.nodes.get(path);
      // A node's id could be that of a scope only if a container had both, and none has.
      if (state === undefined || state.item !== undefined) continue;
      const print = prints?.get(node.id);
      const fingerprint = print === undefined ? {} : { fingerprint: print };
      if (state.status === "completed") {
        if (state.withheld) continue;
        const outputs = node.type === OUTPUT ? {} : state.outputs;
        this.#nodes[path] = { status: "completed", outputs, ...fingerprint };
      } else if (state.status === "running") {
        const nested = nestedIn(node);
        if (nested === null) continue;
        this.#nodes[path] = { status: "partial", ...fingerprint };
        yield* this.#container(nested, path);
      }
    }
  }

  /** What is under a container that has begun: scopes if they were given something, else the nodes of a subflow. */
  *#container(nested: Workflow, path: string): Steps<void> {
    for (const segment of this.#state.nodes.under(path)) {
      const scope = `${path}/${segment}`;
      const state = this.#state.nodes.get(scope);
      if (state?.item === undefined) continue;
      if (++this.#count % SLICE === 0) yield;
      yield* this.#scope(nested, scope, state, state.item);
    }
    yield* this.graph(nested, `${path}/`);
  }

  *#scope(nested: Workflow, path: string, state: NodeState, item: string): Steps<void> {
    if (state.status === "running") {
      this.#nodes[path] = { status: "partial", item };
      yield* this.graph(nested, `${path}/`);
    } else if (state.status === "completed" && !state.withheld) {
      const result = this.#resultOf(nested, path, state);
      if (result === "unknown") return;
      this.#nodes[path] = {
        status: "completed",
        item,
        ...(result === "skipped" ? {} : { result: result.value }),
      };
    }
  }

  #resultOf(nested: Workflow, path: string, state: NodeState): Result {
    // Taken from a checkpoint, the result is known and what made it is not.
    if (state.result !== undefined) return { value: state.result };
    if (state.reused && isEmpty(this.#state.nodes.under(path))) return "skipped";
    const outputs = nested.nodes.filter((node) => node.type === OUTPUT);
    const [single] = outputs;
    if (single === undefined) return { value: null };
    if (outputs.length === 1) return this.#outputOf(nested, single, path);
    const all: Record<string, Value> = {};
    for (const output of outputs) {
      const result = this.#outputOf(nested, output, path);
      if (result === "unknown") return "unknown";
      if (result !== "skipped") all[nameOf(output)] = result.value;
    }
    return { value: all };
  }

  /** The value of an output node: that of the one edge it has. */
  #outputOf(nested: Workflow, output: WorkflowNode, path: string): Result {
    const edge = nested.edges.find((candidate) => leadsTo(candidate, output));
    const source = edge && this.#state.nodes.get(`${path}/${edge.source}`);
    if (edge === undefined || source === undefined) return "unknown";
    const value = source.outputs[edge.sourceHandle ?? DEFAULT_SOURCE_HANDLE];
    if (value !== undefined) return { value };
    return source.withheld ? "unknown" : "skipped";
  }
}

function leadsTo(edge: WorkflowEdge, node: WorkflowNode): boolean {
  return edge.target === node.id && (edge.targetHandle ?? DEFAULT_TARGET_HANDLE) === DEFAULT_TARGET_HANDLE;
}

/** The workflow inside a container, if the node is one: containers have it in `data.workflow`. */
function nestedIn(node: WorkflowNode): Workflow | null {
  const workflow = isObject(node.data) ? (node.data["workflow"] as unknown) : undefined;
  if (!isObject(workflow) || !Array.isArray(workflow["nodes"])) return null;
  const edges = Array.isArray(workflow["edges"]) ? workflow["edges"] : [];
  return { nodes: workflow["nodes"], edges } as Workflow;
}

function nameOf(output: WorkflowNode): string {
  const name = isObject(output.data) ? output.data["name"] : undefined;
  return typeof name === "string" ? name : output.id;
}

function isEmpty(list: Iterable<unknown>): boolean {
  for (const _ of list) return false;
  return true;
}
