import {
  type Checkpoint,
  type CheckpointEntry,
  type ExecuteRequest,
  fingerprints,
  hash,
  type Steps,
  type Value,
} from "../../protocol/index.ts";
import type { Graph } from "./graph.ts";
import { own } from "./graph.ts";
import type { NestedResult } from "./node-type.ts";
import type { Plan, PlanNode } from "./plan.ts";
import type { Selection } from "./select.ts";

type Entries = Readonly<Record<string, CheckpointEntry>>;

/**
 * What an earlier run has left for this one. Entries are somebody's claims: they are read by path, and what doesn't fit
 * the workflow is as if it weren't there.
 */
export class Reuse {
  readonly #entries: Entries;
  /** Top-level nodes whose outputs are taken. */
  readonly #completed: ReadonlyMap<string, Readonly<Record<string, Value>>>;
  /** Top-level containers under which entries may be used. */
  readonly #partial: ReadonlySet<string>;

  constructor(
    entries: Entries = {},
    completed: ReadonlyMap<string, Readonly<Record<string, Value>>> = new Map(),
    partial: ReadonlySet<string> = new Set(),
  ) {
    this.#entries = entries;
    this.#completed = completed;
    this.#partial = partial;
  }

  get size(): number {
    return this.#completed.size;
  }

  /** The outputs of a completed top-level node. */
  top(id: string): Readonly<Record<string, Value>> | null {
    return this.#completed.get(id) ?? null;
  }

  /** Whether a container, or a scope that was given `item`, had begun. */
  isPartial(path: string, item?: string): boolean {
    if (!path.includes("/")) return this.#partial.has(path);
    const entry = own(this.#entries, path);
    return entry?.status === "partial" && (item === undefined || entry.item === item);
  }

  /** What a completed scope gave, if it was given the same. */
  completedScope(path: string, item: string): NestedResult | null {
    const entry = own(this.#entries, path);
    if (entry?.status !== "completed" || !("item" in entry) || entry.item !== item) return null;
    return entry.result === undefined ? { skipped: true } : { skipped: false, value: entry.result };
  }

  /** The outputs of a completed node inside a container. */
  completedNode(path: string, node: PlanNode): Readonly<Record<string, Value>> | null {
    const entry = own(this.#entries, path);
    if (entry?.status !== "completed" || !("outputs" in entry) || !entry.outputs) return null;
    return outputsFit(node, entry.outputs) ? entry.outputs : null;
  }
}

/** Decides, before a run begins, what of its checkpoint it takes. */
export function* planReuse(
  request: ExecuteRequest,
  graph: Graph,
  plan: Plan,
  seed: string,
  { selected, again }: Pick<Selection, "selected" | "again">,
): Steps<Reuse> {
  const { checkpoint } = request;
  if (!checkpoint) return new Reuse();
  const current = yield* fingerprintsIfNeeded(request, graph, checkpoint, seed);
  const completed = new Map<string, Readonly<Record<string, Value>>>();
  const partial = new Set<string>();
  // An output has its source's value, so it can only be taken together with it.
  const hasSources = (node: PlanNode) =>
    node.inputs.every((input) =>
      input.edges.every(({ source }) => completed.has(plan.nodes[source]?.id ?? "")),
    );
  for (const node of plan.nodes) {
    yield;
    if (node.output && !hasSources(node)) continue;
    const entry = own(checkpoint.nodes, node.id);
    if (!entry || again.has(node.index) || selected?.has(node.index) === false) continue;
    if (
      "fingerprint" in entry &&
      entry.fingerprint !== undefined &&
      entry.fingerprint !== current.get(node.id)
    ) {
      continue;
    }
    if (entry.status === "partial") {
      if (node.nested) partial.add(node.id);
    } else if (
      "outputs" in entry &&
      entry.outputs &&
      outputsFit(node, entry.outputs) &&
      sameInput(node, entry.outputs, request)
    ) {
      completed.set(node.id, entry.outputs);
    }
  }
  return new Reuse(checkpoint.nodes, completed, partial);
}

function* fingerprintsIfNeeded(
  request: ExecuteRequest,
  graph: Graph,
  checkpoint: Checkpoint,
  seed: string,
): Steps<ReadonlyMap<string, string>> {
  const some = Object.values(checkpoint.nodes).some(
    (entry) => "fingerprint" in entry && entry.fingerprint !== undefined,
  );
  if (!some) return new Map();
  const inputNames = new Map(graph.nodes.map((node) => [node.id, node.input?.name]));
  return yield* fingerprints(request.workflow, {
    seed,
    inputs: request.inputs,
    // An input that isn't given again has the value it had.
    known: (id) => {
      const name = inputNames.get(id);
      if (name === undefined || own(request.inputs, name) !== undefined) return undefined;
      const entry = own(checkpoint.nodes, id);
      return entry && "outputs" in entry ? own(entry.outputs ?? {}, "out") : undefined;
    },
  });
}

/** An input that is given now is reused only if it is what it was. */
function sameInput(
  node: PlanNode,
  outputs: Readonly<Record<string, Value>>,
  request: ExecuteRequest,
): boolean {
  const given = node.input ? own(request.inputs, node.input.name) : undefined;
  return given === undefined || hash([given]) === hash([own(outputs, "out") ?? null]);
}

/** A completed node has a value of the right shape on each handle that always has one. */
function outputsFit(node: PlanNode, outputs: Readonly<Record<string, Value>>): boolean {
  if (handledFits(node, outputs)) return true;
  return node.outputs.every(({ handle, kind }) => {
    const value = own(outputs, handle);
    if (value === undefined) return kind === "value";
    if (kind === "items") return Array.isArray(value);
    if (kind === "text") return typeof value === "string";
    return kind === "value" || value instanceof Uint8Array;
  });
}

/** Or it is what its policy makes of a failure: one value on one handle. */
function handledFits({ policy, outputs: all }: PlanNode, outputs: Readonly<Record<string, Value>>): boolean {
  const [only, ...others] = all.filter(({ handle }) => Object.hasOwn(outputs, handle));
  if (!only || others.length > 0) return false;
  if (policy.onError === "route") return only.handle === "error";
  if (policy.onError !== "default" || only.handle !== "out") return false;
  return hash([own(outputs, "out") ?? null]) === hash([policy.default ?? null]);
}
