import type { Workflow } from "../../protocol/index.ts";
import type { Folding } from "./folding.ts";
import { edgesFrom, isLive, type Located, locate } from "./located.ts";

/** What a stream says of one path when it has ended. */
export interface PathState {
  status: "started" | "failing" | "handled" | "completed" | "failed" | "skipped" | "reused" | "withdrawn";
  /** Of the last start; 0 if it never started. */
  attempt: number;
  /** Attempt that a reset has announced. */
  announced?: number;
  /** Something that it stands in was withdrawn. */
  withdrawnAbove: boolean;
  /** It was skipped by its own failure. */
  failedFinally?: boolean;
  outputs: Map<string, Folding>;
  reason?: string;
  /** Number of the update that started it, and of the last one that ended or withdrew it. */
  startedAt: number;
  endedAt: number;
}

/** The paths of a run, as far as its stream has told of them. */
export class PathStates implements Iterable<[path: string, state: PathState]> {
  readonly #workflow: Workflow;
  readonly #states = new Map<string, PathState>();
  readonly #located = new Map<string, Located | undefined>();

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
  }

  get all(): ReadonlyMap<string, PathState> {
    return this.#states;
  }

  [Symbol.iterator](): MapIterator<[string, PathState]> {
    return this.#states.entries();
  }

  locate(path: string): Located | undefined {
    if (!this.#located.has(path)) this.#located.set(path, locate(this.#workflow, path));
    return this.#located.get(path);
  }

  /** The state of a path; one that has not been told of is as if it had been withdrawn. */
  of(path: string): PathState {
    let state = this.#states.get(path);
    if (!state) {
      const withdrawnAbove = this.#above(path);
      state = {
        status: "withdrawn",
        attempt: 0,
        withdrawnAbove,
        outputs: new Map(),
        startedAt: 0,
        endedAt: 0,
      };
      this.#states.set(path, state);
    }
    return state;
  }

  under(path: string): [path: string, state: PathState][] {
    return [...this.#states].filter(([other]) => other.startsWith(`${path}/`));
  }

  /** Every path that may have read from a node while it ran. */
  liveReaders(located: Located): string[] {
    const reached = new Set<string>();
    const visit = (from: Located) => {
      for (const edge of edgesFrom(from)) {
        const path = from.prefix + edge.target;
        if (reached.has(path) || !isLive(from.graph, edge)) continue;
        reached.add(path);
        const reader = this.locate(path);
        if (reader) visit(reader);
      }
    };
    visit(located);
    return [...reached];
  }

  /** Forgets what a path has done, but for how often it has started. */
  withdraw(state: PathState, at: number): void {
    state.status = "withdrawn";
    state.outputs = new Map();
    state.endedAt = at;
    delete state.reason;
    delete state.failedFinally;
    delete state.announced;
  }

  withdrawUnder(path: string, at: number): void {
    for (const [, state] of this.under(path)) {
      this.withdraw(state, at);
      state.withdrawnAbove = true;
    }
  }

  /** True for a path whose container has started more than once. */
  #above(path: string): boolean {
    const parent = this.locate(path)?.parent;
    const state = parent === undefined ? undefined : this.#states.get(parent);
    return state !== undefined && (state.attempt > 1 || state.withdrawnAbove);
  }
}
