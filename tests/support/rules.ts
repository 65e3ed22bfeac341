import {
  type Checkpoint,
  type ExecutionUpdate,
  isTerminal,
  type Mode,
  type UpdateOf,
  type Value,
  type Workflow,
} from "../../protocol/index.ts";
import { Folding } from "./folding.ts";
import { edgesInto, isLive, type Located, liveSources, restarts } from "./located.ts";
import { type PathState, PathStates } from "./path-states.ts";
import { dataOf, sourceHandle, targetHandle } from "./shape.ts";
import { isProvisional } from "./weigh.ts";

export interface Recording {
  readonly workflow: Workflow;
  readonly updates: readonly ExecutionUpdate[];
  /** What the run was given. */
  readonly checkpoint?: Checkpoint;
  /** False if the run didn't send every output. */
  readonly allOutputs?: boolean;
}

export interface Verdict {
  /** Every rule that the stream breaks, each naming the update. */
  readonly violations: readonly string[];
  readonly paths: ReadonlyMap<string, PathState>;
  /** A failure ended the run, or a nested one, before live sources had ended that never start again. */
  readonly early: boolean;
}

/**
 * Checks a stream of updates against the rules of running, knowing nothing but its workflow. The rules are numbered as
 * the tests name them:
 *
 *  1. `seq` is 1, 2, 3 …; the stream begins with `execution-started`; one terminal update, and it is the last.
 *  2. Per path: started, then outputs, then completed or failed. Nothing after that but a reset.
 *  3. A parent starts before and completes after its children.
 *  4. At most one completion per path that no reset withdraws.
 *  5. Nothing starts before its settled inputs have completed, and its live ones have begun or ended.
 *  6. Nothing completes before its live sources have.
 *  7. Resets: after a failure that is retried, for the node and all that had read from it, sources first, before
 *     anything of the new attempt.
 *  8. Attempts count up.
 *  9. Nothing provisional is left in what has completed.
 * 10. Metrics match the stream.
 * 11. What is skipped or reused never starts; what is reused was known.
 * 12. Modes fit the kinds of handles.
 * 13. A run completes only when all its nodes have.
 */
export function checkRules(recording: Recording): Verdict {
  const checker = new Checker(recording);
  for (const update of recording.updates) checker.see(update);
  checker.end();
  return { violations: checker.violations, paths: checker.paths, early: checker.early };
}

const CLOSED = new Set<string>(["completed", "failed", "skipped", "reused", "withdrawn"]);
const SETTLED = new Set<string>(["completed", "skipped", "reused"]);

class Checker {
  readonly violations: string[] = [];
  early = false;
  readonly #recording: Recording;
  readonly #paths: PathStates;
  readonly #seen = { completed: 0, failed: 0, skipped: 0, reused: 0, retries: 0, emissions: 0, bytes: 0 };
  readonly #questions = new Set<string>();
  #last: ExecutionUpdate | undefined;
  #count = 0;
  #at = "";

  constructor(recording: Recording) {
    this.#recording = recording;
    this.#paths = new PathStates(recording.workflow);
  }

  get paths(): ReadonlyMap<string, PathState> {
    return this.#paths.all;
  }

  see(update: ExecutionUpdate): void {
    this.#count += 1;
    this.#at = `#${update.seq} ${update.type}${"nodeId" in update ? ` ${update.nodeId}` : ""}`;
    this.#require(update.seq === this.#count, 1, `seq is not ${this.#count}`);
    this.#require(
      (update.type === "execution-started") === (this.#count === 1),
      1,
      "execution-started comes first, once",
    );
    this.#require(!this.#last || !isTerminal(this.#last), 1, "it follows the terminal update");
    this.#last = update;
    if ("nodeId" in update) this.#node(update);
    else if (isTerminal(update)) this.#terminal(update);
  }

  end(): void {
    this.#at = "end of stream";
    this.#require(this.#last !== undefined && isTerminal(this.#last), 1, "there is no terminal update");
  }

  #require(holds: boolean, rule: number, message: string): void {
    if (!holds) this.violations.push(`rule ${rule}: ${this.#at}: ${message}`);
  }

  #node(update: Extract<ExecutionUpdate, { nodeId: string }>): void {
    const located = this.#paths.locate(update.nodeId);
    if (!located) {
      this.#require(false, 2, "there is no such path in the workflow");
      return;
    }
    const state = this.#paths.of(update.nodeId);
    if (located.parent !== undefined && update.type !== "node-reused") {
      const parent = this.#paths.of(located.parent);
      this.#require(parent.status === "started", 3, `its parent ${located.parent} is ${parent.status}`);
    }
    switch (update.type) {
      case "node-started":
        this.#started(update, located, state);
        break;
      case "node-output":
        this.#output(update, located, state);
        break;
      case "node-completed":
        this.#completed(update, located, state);
        break;
      case "node-failed":
        this.#failed(update, located, state);
        break;
      case "node-reset":
        this.#reset(update, located, state);
        break;
      case "node-skipped":
        this.#skipped(update, state);
        break;
      case "node-reused":
        this.#reused(located, state);
        break;
      case "input-requested":
        this.#questions.add(update.nodeId);
        this.#require(state.status === "started", 2, `it asks and is ${state.status}`);
        break;
      default:
        this.#require(state.status === "started", 2, `it is ${state.status}`);
    }
  }

  #skipped(update: UpdateOf<"node-skipped">, state: PathState): void {
    this.#require(state.status === "withdrawn", 11, `it is ${state.status}`);
    this.#seen.skipped += 1;
    state.status = "skipped";
    state.reason = update.reason;
    state.endedAt = this.#count;
  }

  #started(update: UpdateOf<"node-started">, located: Located, state: PathState): void {
    this.#require(state.status === "withdrawn", 2, `it is ${state.status} already`);
    if (state.announced !== undefined) {
      this.#require(
        update.attempt === state.announced,
        8,
        `attempt ${update.attempt}, announced ${state.announced}`,
      );
    } else if (state.withdrawnAbove) {
      // Whoever resets a container needn't remember how often each path in it has started: counting up is enough.
      this.#require(update.attempt > state.attempt, 8, `attempt ${update.attempt} follows ${state.attempt}`);
    } else {
      const expected = state.attempt + 1;
      this.#require(update.attempt === expected, 8, `attempt ${update.attempt} and not ${expected}`);
    }
    this.#require(located.scope === (update.item !== undefined), 2, "scopes have an `item`, and only they");
    if (!located.scope) {
      const flagged = located.shape.effectful && !located.shape.nested && located.node.type !== "tool";
      this.#require((update.effectful === true) === flagged, 2, `effectful is ${update.effectful}`);
      this.#ready(located);
      for (const reader of this.#paths.liveReaders(located)) {
        const status = this.#paths.of(reader).status;
        this.#require(
          status !== "started" && status !== "completed",
          7,
          `${reader} still has what it emitted before`,
        );
      }
    }
    state.status = "started";
    state.attempt = update.attempt;
    delete state.announced;
    state.outputs = new Map();
    state.startedAt = this.#count;
  }

  #ready(located: Located): void {
    const edges = edgesInto(located);
    if (located.node.type === "merge" && dataOf(located.node)["mode"] === "first") {
      const winner = edges.find((edge) => !this.#skips(located, edge));
      const source = winner && this.#paths.of(located.prefix + winner.source);
      const settled = source !== undefined && SETTLED.has(source.status);
      this.#require(settled || this.#recording.allOutputs === false, 5, "its first edge has not settled");
      return;
    }
    for (const edge of edges) {
      const source = this.#paths.of(located.prefix + edge.source);
      if (SETTLED.has(source.status)) continue;
      const begun =
        source.status === "started" &&
        (source.outputs.has(sourceHandle(edge)) || this.#recording.allOutputs === false);
      const holds = isLive(located.graph, edge) && begun;
      this.#require(holds, 5, `${edge.source} on ${targetHandle(edge)} is ${source.status}`);
    }
  }

  #skips(located: Located, edge: { source: string; sourceHandle?: string | null | undefined }): boolean {
    const source = this.#paths.of(located.prefix + edge.source);
    if (source.status === "skipped") return true;
    return source.status === "completed" && !source.outputs.has(edge.sourceHandle ?? "out");
  }

  #output(update: UpdateOf<"node-output">, located: Located, state: PathState): void {
    this.#require(!located.scope, 2, "a scope has no outputs");
    this.#require(state.status === "started" || state.status === "handled", 2, `it is ${state.status}`);
    this.#require(update.attempt === state.attempt, 8, `attempt ${update.attempt} and not ${state.attempt}`);
    if (state.status === "handled") {
      this.#require(
        update.mode === "set" && state.outputs.size === 0,
        2,
        "a handled failure has one output, set",
      );
    } else {
      this.#modeFits(located, state, update);
      // What a node itself has emitted: neither what a handled failure leaves, nor the announcement that all was empty.
      if (!isAnnouncement(update, located)) {
        this.#seen.emissions += 1;
        this.#seen.bytes += sizeOf(update.value);
      }
    }
    let folding = state.outputs.get(update.handle);
    if (!folding) {
      folding = new Folding();
      state.outputs.set(update.handle, folding);
    }
    folding.add(update);
  }

  #modeFits(located: Located, state: PathState, update: UpdateOf<"node-output">): void {
    const { handle, mode, value } = update;
    const kind = located.shape.outputs[handle];
    const usual: Record<string, Mode> = { value: "set", text: "append", bytes: "append", items: "item" };
    const empty = mode === "set" && isEmpty(value) && !state.outputs.has(handle);
    this.#require(kind !== undefined, 12, `there is no handle ${handle}`);
    this.#require(kind === undefined || usual[kind] === mode || empty, 12, `${mode} on a handle of ${kind}`);
    const unordered = located.node.type === "map" && dataOf(located.node)["ordered"] === false;
    this.#require(
      (update.index !== undefined) === (unordered && mode === "item"),
      12,
      `index is ${update.index}`,
    );
  }

  #completed(update: UpdateOf<"node-completed">, located: Located, state: PathState): void {
    this.#require(state.status !== "completed", 4, "it has completed already");
    this.#require(state.status === "started" || state.status === "handled", 2, `it is ${state.status}`);
    this.#require(update.attempt === state.attempt, 8, `attempt ${update.attempt} and not ${state.attempt}`);
    if (state.status === "started") {
      const open = this.#paths.under(update.nodeId).filter(([, child]) => !CLOSED.has(child.status));
      this.#require(open.length === 0, 3, `${open[0]?.[0]} under it is ${open[0]?.[1].status}`);
      for (const edge of located.scope ? [] : edgesInto(located)) {
        const source = this.#paths.of(located.prefix + edge.source).status;
        if (isLive(located.graph, edge))
          this.#require(SETTLED.has(source), 6, `its source ${edge.source} is ${source}`);
      }
      for (const [handle, kind] of Object.entries(located.scope ? {} : located.shape.outputs)) {
        const silent = kind !== "value" && this.#recording.allOutputs !== false && !state.outputs.has(handle);
        this.#require(!silent, 12, `nothing was sent for ${handle}`);
      }
    }
    if (located.parent === undefined) this.#final(update.nodeId, state);
    if (!located.scope) this.#seen.completed += 1;
    state.status = "completed";
    state.endedAt = this.#count;
  }

  /** What completes at the top stays. Further in, a whole scope may still be withdrawn with what it was given. */
  #final(path: string, state: PathState): void {
    for (const [handle, folding] of state.outputs) {
      this.#require(!isProvisional(folding.value), 9, `something withdrawn is on ${handle} of ${path}`);
    }
  }

  #failed(update: UpdateOf<"node-failed">, located: Located, state: PathState): void {
    this.#require(state.status === "started", 2, `it is ${state.status}`);
    this.#require(update.attempt === state.attempt, 8, `attempt ${update.attempt} and not ${state.attempt}`);
    this.#require(!(update.willRetry && update.handled), 2, "both retried and handled");
    this.#require(!update.willRetry || update.error.retryable, 7, "it is retried and not retryable");
    if (!update.willRetry) {
      // Otherwise the reset that follows withdraws them.
      state.outputs = new Map();
      this.#paths.withdrawUnder(update.nodeId, this.#count);
      this.early ||= !update.handled && this.#isEarly(located);
    }
    if (update.willRetry) this.#seen.retries += 1;
    else if (update.handled !== "default" && update.handled !== "route") this.#seen.failed += 1;
    state.status = update.willRetry ? "failing" : update.handled ? "handled" : "failed";
    if (update.handled === "skip") {
      state.status = "skipped";
      state.failedFinally = true;
      state.reason = "upstream-failed";
    }
    state.endedAt = this.#count;
  }

  #isEarly(located: Located): boolean {
    const open = liveSources(located).filter(
      ({ id }) => !SETTLED.has(this.#paths.of(located.prefix + id).status),
    );
    return open.length > 0 && open.every((source) => !restarts(located.graph, source));
  }

  #reset(update: UpdateOf<"node-reset">, located: Located, state: PathState): void {
    this.#require(!located.scope, 7, "a scope is not reset");
    this.#require(
      update.attempt === state.attempt + 1,
      8,
      `attempt ${update.attempt} follows ${state.attempt}`,
    );
    this.#require(state.status !== "completed", 7, "it has completed");
    // What has failed finally, on what it read live, waits for its sources too before that counts.
    const final = state.status === "handled" || state.status === "failed" || state.failedFinally;
    const waits = final && state.outputs.size === 0;
    const may = waits || state.status === "failing" || state.status === "started";
    this.#require(may, 7, `it is ${state.status}`);
    if (state.status !== "failing") {
      // Sources first: what made this reset necessary has been withdrawn since this path started.
      const cause = edgesInto(located).some((edge) => {
        if (!isLive(located.graph, edge)) return false;
        return this.#paths.of(located.prefix + edge.source).endedAt > state.startedAt;
      });
      this.#require(cause, 7, "nothing that it reads live was withdrawn");
    }
    this.#paths.withdraw(state, this.#count);
    state.announced = update.attempt;
    this.#paths.withdrawUnder(update.nodeId, this.#count);
  }

  #reused(located: Located, state: PathState): void {
    const known = this.#recording.checkpoint?.nodes[located.path] !== undefined || state.endedAt > 0;
    this.#require(known, 11, "nothing is known of it");
    this.#require(state.status === "withdrawn", 11, `it is ${state.status}`);
    if (!located.scope) this.#seen.reused += 1;
    state.status = "reused";
    state.endedAt = this.#count;
  }

  /** True for a final failure at the top that nothing can withdraw any more. */
  #stands(path: string, state: PathState): boolean {
    const located = this.#paths.locate(path);
    if (!located || located.parent !== undefined) return false;
    return state.status === "failed" || state.failedFinally === true;
  }

  #terminal(update: Extract<ExecutionUpdate, { metrics: unknown }>): void {
    const { metrics } = update;
    const { completed, skipped, reused } = this.#seen;
    const expected = { completed, skipped, reused };
    for (const [name, count] of Object.entries(expected)) {
      const told = metrics.nodes[name as keyof typeof expected];
      this.#require(told === count, 10, `metrics.nodes.${name} is ${told} and not ${count}`);
    }
    // Only failures that stand are counted: those that are withdrawn, or wait for their live sources, are not.
    const { failed } = metrics.nodes;
    this.#require(
      failed <= this.#seen.failed,
      10,
      `metrics.nodes.failed is ${failed} of ${this.#seen.failed}`,
    );
    this.#require(
      metrics.retries === this.#seen.retries,
      10,
      `retries are ${metrics.retries}, not ${this.#seen.retries}`,
    );
    for (const name of ["emissions", "bytes"] as const) {
      const counted = metrics[name] === this.#seen[name] || this.#recording.allOutputs === false;
      this.#require(counted, 10, `metrics.${name} is ${metrics[name]} and not ${this.#seen[name]}`);
    }
    this.#require(metrics.calls === 0, 10, `metrics.calls is ${metrics.calls}, and no node calls anybody`);
    if (update.type === "execution-completed") {
      const standing = [...this.#paths].filter(([path, state]) => this.#stands(path, state)).length;
      this.#require(failed >= standing, 10, `metrics.nodes.failed is ${failed} and not ${standing} at least`);
      for (const [path, state] of this.#paths) this.#final(path, state);
      for (const node of this.#recording.workflow.nodes) {
        const status = this.#paths.all.get(node.id)?.status;
        this.#require(status !== undefined && SETTLED.has(status), 13, `${node.id} is ${status}`);
      }
    }
    if (update.type === "execution-suspended") {
      this.#require(update.pending.length > 0, 13, "suspended without a question");
      for (const path of update.pending)
        this.#require(this.#questions.has(path), 13, `${path} was never asked`);
    }
  }
}

function isAnnouncement({ mode, handle }: UpdateOf<"node-output">, located: Located): boolean {
  return mode === "set" && located.shape.outputs[handle] !== "value";
}

function isEmpty(value: Value): boolean {
  if (typeof value === "string" || Array.isArray(value)) return value.length === 0;
  return value instanceof Uint8Array && value.length === 0;
}

/** Length of text and bytes, 8 for every other scalar, nothing for structure. */
function sizeOf(value: Value): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce<number>((size, part) => size + sizeOf(part), 0);
}
