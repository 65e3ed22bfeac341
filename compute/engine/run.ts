import {
  type CancelReason,
  type ExecuteRequest,
  type Limits,
  measure,
  NodeflowError,
  type Steps,
  type Value,
} from "../../protocol/index.ts";
import { GRACE_MS } from "./attempt.ts";
import type { Clock, Timer } from "./clock.ts";
import { Connections } from "./connections.ts";
import type { EngineConfig, Execution, StartOptions } from "./engine.ts";
import { Outbox } from "./outbox.ts";
import type { Retention } from "./output.ts";
import type { AttemptPart, Foregone, NodePart, RunPart, ScopeEnd } from "./parts.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { nodeError } from "./policy.ts";
import { Questions } from "./questions.ts";
import { BatchReader, UpdateReader } from "./reading.ts";
import { type Ending, Report } from "./report.ts";
import type { Reuse } from "./reuse.ts";
import { Scheduler } from "./scheduler.ts";
import { Scope } from "./scope.ts";
import type { Secrets } from "./secrets.ts";
import { checkUpdateSize } from "./update-size.ts";

/** What nodes are told that are under way when the run ends. Shared: making an error is slow. */
const OVER = new NodeflowError("NODE_FAILED", "The run is over");

/** Everything that is decided before a run begins. */
export interface RunPlan {
  readonly config: EngineConfig;
  readonly limits: Limits;
  readonly plan: Plan;
  readonly request: ExecuteRequest;
  readonly executionId: string;
  readonly runId: string;
  readonly seed: string;
  readonly reuse: Reuse;
  readonly secrets: Secrets;
  readonly caller: string;
  readonly traceparent: string | undefined;
  /** Top-level nodes that are to be run or reused, by index; null for all. */
  readonly selected: ReadonlySet<number> | null;
  /** Top-level nodes whose outputs are sent; null for all. */
  readonly sent: ReadonlySet<string> | null;
}

/** One run: what its scopes share, its beginning and its end. */
export class Run implements Execution, RunPart {
  readonly executionId: string;
  readonly runId: string;
  readonly seed: string;
  readonly config: EngineConfig;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly scheduler: Scheduler;
  readonly report: Report;
  readonly questions: Questions;
  readonly connections: Connections;
  readonly secrets: Secrets;
  readonly caller: string;
  readonly traceparent: string | undefined;
  readonly reuse: Reuse;
  readonly retention: Retention;
  readonly tally = { weight: 0 };
  readonly failing = new Set<NodePart>();
  readonly lingering = new Set<AttemptPart>();
  readonly closed: Promise<void>;
  readonly #plan: RunPlan;
  readonly #top: Scope;
  readonly #signal: AbortSignal | undefined;
  /** Attempts whose iterators have not returned. */
  #open = 0;
  readonly #starts = new Map<string, number>();
  #started = 0;
  #deadline: Timer | null = null;
  #grace: Timer | null = null;
  #ending: Ending | null = null;
  #closed: () => void;
  #suspending = false;
  #read = false;
  #over = false;

  constructor(plan: RunPlan, options: StartOptions) {
    const { config, limits, request } = plan;
    this.#plan = plan;
    this.executionId = plan.executionId;
    this.runId = plan.runId;
    this.seed = plan.seed;
    this.config = config;
    this.limits = limits;
    this.clock = config.clock;
    this.reuse = plan.reuse;
    this.secrets = plan.secrets;
    this.caller = plan.caller;
    this.traceparent = plan.traceparent;
    this.connections = new Connections(limits.maxConnections);
    this.retention = { bytes: 0, limits };
    this.outbox = new Outbox(limits);
    this.report = new Report(this.clock, this.outbox, limits);
    const concurrency = Math.min(
      request.options?.concurrency ?? limits.maxConcurrency,
      limits.maxConcurrency,
    );
    this.scheduler = new Scheduler(
      this.clock,
      concurrency,
      this.outbox,
      () => this.#maySuspend(),
      (error) => this.broke(error),
    );
    this.questions = new Questions(this, request.answers ?? {});
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#closed = resolve;
    this.#top = new Scope(this, plan.plan, "", request.inputs ?? {}, null, true, {
      completed: (scope) => this.#end({ type: "execution-completed", outputs: scope.outputs() }),
      failed: (error) => this.#end({ type: "execution-failed", error: error.toJSON() }),
    });
    this.#signal = options.signal;
    this.#begin(options);
  }

  #begin(options: StartOptions): void {
    const { plan, request, selected, reuse } = this.#plan;
    this.report.executionStarted({
      executionId: this.executionId,
      runId: this.runId,
      seed: this.seed,
      runtime: this.config.runtime,
      nodes: plan.nodes.length,
      edges: plan.edges,
      reused: reuse.size,
      ...(request.workflow.id != null && { workflowId: request.workflow.id }),
      ...(options.traceId !== undefined && { traceId: options.traceId }),
    });
    const timeoutMs = Math.min(
      request.options?.timeoutMs ?? Number.POSITIVE_INFINITY,
      this.limits.maxExecutionMs,
    );
    this.#deadline = this.clock.setTimer(() => {
      const error = new NodeflowError("EXECUTION_TIMEOUT", `The run took longer than ${timeoutMs} ms`);
      this.#end({ type: "execution-failed", error: error.toJSON() });
    }, timeoutMs);
    if (this.#signal?.aborted) {
      this.cancel("client");
      return;
    }
    this.#signal?.addEventListener("abort", this.#onAbort);
    // The reader gets the first update at once, and not after whatever the first nodes compute: they begin a turn after it
    // was taken.
    this.scheduler.hold();
    const nothing = !selected && reuse.size === 0;
    this.outbox.whenRoom(() =>
      this.#afterTurn(() => this.#top.begin(nothing ? null : (node) => this.#foregone(node))),
    );
  }

  /** Goes on after a turn of the event loop. The scheduler is held until then. */
  #afterTurn(work: () => void): void {
    const goOn = () => {
      if (!this.#ending) work();
      this.scheduler.unhold();
    };
    this.scheduler
      .turn()
      .then(goOn)
      .catch((error: unknown) => this.broke(error));
  }

  #foregone(node: PlanNode): Foregone {
    const { selected, reuse } = this.#plan;
    if (selected && !selected.has(node.index)) return "not-selected";
    const outputs = reuse.top(node.id);
    if (outputs) this.report.nodeReused(node.id);
    return outputs;
  }

  readonly #onAbort = () => this.cancel("client");

  sends(id: string): boolean {
    return this.#plan.sent?.has(id) ?? true;
  }

  /** Counts a start of a node or scope. False, and the run ends, past the cap. */
  countStart(): boolean {
    this.#started += 1;
    if (this.#started <= this.limits.maxStarts) return this.#ending === null;
    const message = `The run started more than ${this.limits.maxStarts} nodes`;
    this.#end({ type: "execution-failed", error: new NodeflowError("RESOURCE_EXHAUSTED", message).toJSON() });
    return false;
  }

  /** The number of this start of a path inside a container that starts more than once. */
  startsOf(path: string): number {
    const starts = (this.#starts.get(path) ?? 0) + 1;
    this.#starts.set(path, starts);
    return starts;
  }

  attemptBegun(): void {
    this.#open += 1;
  }

  attemptClosed(): void {
    this.#open -= 1;
    if (this.#ending && this.#open === 0) this.#close();
  }

  openScope(
    plan: Plan,
    prefix: string,
    inputs: Readonly<Record<string, Value>>,
    container: AttemptPart,
    reuses: boolean,
    end: ScopeEnd,
  ): Scope {
    return new Scope(this, plan, prefix, inputs, container, reuses, end);
  }

  perform(steps: Steps<void>): void {
    while (!this.#ending) {
      if (this.scheduler.spent()) {
        this.scheduler.hold();
        this.#afterTurn(() => this.perform(steps));
        return;
      }
      if (!this.outbox.hasRoom) {
        this.scheduler.hold();
        this.outbox.whenRoom(() => this.#afterTurn(() => this.perform(steps)));
        return;
      }
      if (steps.next().done) return;
    }
  }

  broke(error: unknown): void {
    const failure = new NodeflowError("INTERNAL", "The engine failed", { cause: error });
    this.#end({ type: "execution-failed", error: failure.toJSON() });
    this.config.onInternalError?.(error);
  }

  cancel(reason: CancelReason): void {
    this.#end({ type: "execution-cancelled", reason });
  }

  /** Nothing computes. If that is still so after a turn, and somebody was asked, only answers can help. */
  #maySuspend(): void {
    if (this.#suspending || this.#ending || this.questions.size === 0) return;
    this.#suspending = true;
    this.#suspend().catch((error: unknown) => this.broke(error));
  }

  async #suspend(): Promise<void> {
    let seq: number;
    do {
      seq = this.report.seq;
      await this.clock.turn();
    } while (seq !== this.report.seq);
    this.#suspending = false;
    if (!this.scheduler.idle) return;
    // A failure wins, even one that waits for what an answer could still withdraw.
    if (this.failing.size > 0) {
      for (const node of this.failing) node.failNow();
      // What fails inside a container reaches it through a promise.
      await this.clock.turn();
      if (this.#ending) return;
    }
    const pending = this.questions.pending;
    if (pending.length > 0) this.#end({ type: "execution-suspended", pending });
  }

  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.report.close();
    this.scheduler.stop();
    this.#deadline?.cancel();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#top.abort(OVER);
    if (this.#open === 0) this.#close();
    else this.#grace = this.clock.setTimer(() => this.#giveUp(), GRACE_MS);
  }

  /** The end doesn't wait any longer for nodes that don't return. */
  #giveUp(): void {
    for (const attempt of this.lingering) attempt.cleanUp();
    this.#close();
  }

  #close(): void {
    if (!this.#ending || this.#over) return;
    this.#over = true;
    this.#grace?.cancel();
    this.report.terminal(this.#fitting(this.#ending));
    this.#closed();
  }

  /** The results of a run must fit one update, all together. */
  #fitting(ending: Ending): Ending {
    if (ending.type !== "execution-completed") return ending;
    try {
      measure(ending.outputs, this.limits.maxDepth + 1, Number.POSITIVE_INFINITY, "outputs", this.tally);
      checkUpdateSize(ending.outputs, this.tally.weight, "outputs", this.limits.maxUpdateBytes);
      return ending;
    } catch (error) {
      return { type: "execution-failed", error: nodeError(error, "", 1).toJSON() };
    }
  }

  batches(): BatchReader {
    this.#readOnce();
    return new BatchReader(this.outbox, () => this.cancel("disconnect"));
  }

  [Symbol.asyncIterator](): UpdateReader {
    return new UpdateReader(this.batches());
  }

  #readOnce(): void {
    if (this.#read) throw new TypeError("A run is read once");
    this.#read = true;
  }
}
