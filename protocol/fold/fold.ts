import type { Checkpoint } from "../checkpoint.ts";
import type { ErrorInfo } from "../error.ts";
import type { CancelReason, ExecutionUpdate, Metrics, UpdateOf } from "../update.ts";
import type { Value } from "../value.ts";
import { NodeFold, type NodeState } from "./node-state.ts";
import { PathTree, treeOf } from "./path-tree.ts";

export type ExecutionStatus = "running" | "completed" | "failed" | "cancelled" | "suspended";

/** The states of a run's paths. */
export interface NodeStates extends Iterable<[path: string, state: NodeState]> {
  get(path: string): NodeState | undefined;
  /** The segments that follow a path: scopes of a container, or nodes of a subflow. Without a path: top-level nodes. */
  under(path?: string): Iterable<string>;
}

/** What a run has come to, as far as its updates tell. */
export interface ExecutionState {
  readonly executionId?: string;
  readonly runId?: string;
  readonly seed?: string;
  /** `running` until a terminal update has come: a stream that ends without one leaves it so. */
  readonly status: ExecutionStatus;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly error?: ErrorInfo;
  readonly reason?: CancelReason;
  readonly metrics?: Metrics;
  /** Open questions, in the order of asking. */
  readonly requests: readonly UpdateOf<"input-requested">[];
  readonly nodes: NodeStates;
  /** The `seq` of the last update. */
  readonly seq: number;
}

type NodeUpdate = Extract<ExecutionUpdate, { readonly nodeId: string }>;

/** The state of a run while it is being folded. */
class RunFold implements ExecutionState {
  declare executionId?: string;
  declare runId?: string;
  declare seed?: string;
  status: ExecutionStatus = "running";
  outputs: Readonly<Record<string, Value>> = {};
  declare error?: ErrorInfo;
  declare reason?: CancelReason;
  declare metrics?: Metrics;
  seq = 0;
  readonly nodes: NodeStates;
  readonly #questions: ReadonlyMap<string, UpdateOf<"input-requested">>;

  constructor(tree: PathTree, questions: ReadonlyMap<string, UpdateOf<"input-requested">>) {
    this.#questions = questions;
    this.nodes = {
      get: (path) => tree.find(path)?.state ?? undefined,
      under: (path) => (path === undefined ? tree : tree.find(path))?.children?.keys() ?? [],
      [Symbol.iterator]: () => tree.entries(),
    };
  }

  get requests(): readonly UpdateOf<"input-requested">[] {
    return [...this.#questions.values()];
  }
}

/**
 * Folds updates into the state of a run, one by one; `state` can be read at any time and goes on changing. `from` is the
 * checkpoint that the run was given. Updates of types that it doesn't know change nothing.
 */
export class Folder {
  readonly #tree = new PathTree();
  readonly #questions = new Map<string, UpdateOf<"input-requested">>();
  readonly #run = new RunFold(this.#tree, this.#questions);
  readonly #from: Checkpoint | undefined;
  #fromTree: PathTree | null = null;

  constructor(from?: Checkpoint) {
    this.#from = from;
    if (from === undefined) return;
    this.#run.runId = from.runId;
    this.#run.seed = from.seed;
  }

  get state(): ExecutionState {
    return this.#run;
  }

  push(update: ExecutionUpdate): void {
    const run = this.#run;
    run.seq = update.seq;
    if ("nodeId" in update) {
      this.#node(update);
      return;
    }
    switch (update.type) {
      case "execution-started":
        run.executionId = update.executionId;
        run.runId = update.runId;
        run.seed = update.seed;
        run.status = "running";
        return;
      case "execution-completed":
        run.status = "completed";
        run.outputs = update.outputs;
        run.metrics = update.metrics;
        return;
      case "execution-failed":
        run.status = "failed";
        run.error = update.error;
        run.metrics = update.metrics;
        return;
      case "execution-cancelled":
        run.status = "cancelled";
        run.reason = update.reason;
        run.metrics = update.metrics;
        return;
      case "execution-suspended":
        run.status = "suspended";
        run.metrics = update.metrics;
    }
  }

  #node(update: NodeUpdate): void {
    const at = this.#tree.make(update.nodeId);
    if (at === null || ("attempt" in update && update.attempt < at.floor)) return;
    switch (update.type) {
      case "node-started":
        at.state = started(update);
        return;
      case "node-output":
        begun(at, update.attempt)?.add(update.handle, update.mode, update.value, update.index);
        return;
      case "node-progress":
        if (at.state !== null) at.state.progress = progressOf(update);
        return;
      case "node-completed":
        this.#completed(at, update);
        return;
      case "node-failed":
        this.#failed(at, update);
        return;
      case "node-reset":
        this.#close(update.nodeId);
        at.withdraw(update.attempt);
        return;
      case "node-skipped":
        this.#close(update.nodeId);
        at.state = new NodeFold("skipped", 0);
        at.state.reason = update.reason;
        return;
      case "node-reused":
        this.#reuse(at, update.nodeId);
        return;
      case "input-requested":
        this.#questions.set(update.nodeId, update);
        if (at.state !== null) at.state.request = update;
    }
  }

  #completed(at: PathTree, update: UpdateOf<"node-completed">): void {
    const state = begun(at, update.attempt);
    if (state === null) return;
    this.#close(update.nodeId);
    at.settle();
    delete state.request;
    state.status = "completed";
    state.durationMs = update.durationMs;
    if (update.withheld) state.withheld = true;
  }

  #failed(at: PathTree, update: UpdateOf<"node-failed">): void {
    const state = begun(at, update.attempt);
    if (state === null) return;
    this.#close(update.nodeId);
    delete state.request;
    state.status = "failed";
    state.error = update.error;
    if (update.handled !== undefined) state.handled = update.handled;
    // Before a retry a reset says what is withdrawn; after the last failure nobody else does.
    if (update.willRetry) return;
    state.forgetOutputs();
    at.clear();
  }

  #reuse(at: PathTree, path: string): void {
    const segments = path.split("/");
    if (this.#from !== undefined) this.#fromTree ??= treeOf(this.#from);
    // What the stream itself has told and withdrawn is newer than what the run was given.
    const kept = this.#tree.withdrawn(segments) ?? this.#fromTree?.completed(segments) ?? null;
    if (kept === null) {
      at.state = new NodeFold("completed", 0);
      at.state.reused = true;
      // Whoever folds without the checkpoint doesn't know what it gave.
      at.state.withheld = true;
    } else {
      at.restore(kept);
    }
  }

  /** Whatever is asked at a path, or under it, is no longer asked. There are few questions at a time. */
  #close(path: string): void {
    if (this.#questions.size === 0) return;
    for (const asked of this.#questions.keys()) {
      if (asked === path || asked.startsWith(`${path}/`)) this.#questions.delete(asked);
    }
  }
}

function started(update: UpdateOf<"node-started">): NodeFold {
  const state = new NodeFold("running", update.attempt);
  state.executor = update.executor;
  if (update.effectful) state.effectful = true;
  if (update.item !== undefined) state.item = update.item;
  return state;
}

/** The state of an attempt; null if the attempt is not the last one that began. */
function begun(at: PathTree, attempt: number): NodeFold | null {
  if (at.state === null || at.state.attempt < attempt) at.state = new NodeFold("running", attempt);
  return at.state.attempt === attempt ? at.state : null;
}

function progressOf(update: UpdateOf<"node-progress">): NonNullable<NodeState["progress"]> {
  const { completed, total, message } = update;
  return { completed, ...(total !== undefined && { total }), ...(message !== undefined && { message }) };
}

/**
 * The state that updates come to. `from` is the checkpoint that the run was given: what is reused stands there. Works on
 * decoded values, however many runs' worth of stream a client has put together.
 */
export function fold(updates: Iterable<ExecutionUpdate>, from?: Checkpoint): ExecutionState {
  const folder = new Folder(from);
  for (const update of updates) folder.push(update);
  return folder.state;
}
