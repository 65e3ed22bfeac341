import { idempotencyKeyOf, measure, NodeflowError, seedOf, type Value } from "../../protocol/index.ts";
import { emit } from "./emit.ts";
import { LiveReader, type Reading, SettledReader } from "./live-reader.ts";
import { runNested } from "./nested.ts";
import type { NodeRun } from "./node-run.ts";
import type {
  Emission,
  Emissions,
  LiveInput,
  Nested,
  NestedRun,
  NodeContext,
  Question,
  Runtime,
} from "./node-type.ts";
import type { Output } from "./output.ts";
import { Deadline } from "./policy.ts";
import type { Run } from "./run.ts";
import type { Placement } from "./runner.ts";
import type { Scope } from "./scope.ts";

/**
 * One attempt of a node: pulls its emissions one by one, and between two of them waits for room. It is also what the
 * node sees as its context. What only some nodes ask for (inputs, signal, seed …) is made when asked for.
 */
export class Attempt implements NodeContext, Reading {
  readonly node: NodeRun;
  readonly #run: Run;
  readonly attempt: number;
  /** Ended, failed or withdrawn: whatever the node still does is ignored. */
  over = false;
  /** When it was placed, in milliseconds since the epoch. */
  startedAt = 0;
  /** Nested runs under way. */
  readonly children: Set<Scope> = new Set();
  /** A high surrogate at the end of a text emission waits here, by handle, for the other half. */
  halves: Map<string, string> | null = null;
  readonly #deadline: Deadline | null;
  /** Whether it has one of the run's slots: containers never do. */
  #slot: boolean;
  #waits = 0;
  #iterator: Iterator<Emission> | AsyncIterator<Emission> | null = null;
  #returned: unknown;
  #wake: (() => void) | null = null;
  #controller: AbortController | null = null;
  #reason: unknown;
  #callbacks: Set<(reason: unknown) => void> | null = null;
  #inputs: Readonly<Record<string, Value>> | null = null;
  #live: Readonly<Record<string, LiveInput>> | null = null;

  constructor(node: NodeRun, attempt: number) {
    this.node = node;
    this.#run = node.scope.run;
    this.attempt = attempt;
    this.#slot = node.plan.nested === null;
    const { timeoutMs, idleTimeoutMs } = node.plan.policy;
    this.#deadline =
      timeoutMs === undefined && idleTimeoutMs === undefined
        ? null
        : new Deadline(this.#run.clock, timeoutMs, idleTimeoutMs, (error) => this.#fail(error));
  }

  /** Finds a place and starts. */
  begin(): void {
    this.#run.iterators += 1;
    this.#deadline?.resume();
    const { plan } = this.node;
    let placement: Placement | Promise<Placement>;
    try {
      const wrong = plan.type.validate?.(this.inputs, plan.data);
      if (wrong) throw new NodeflowError("INVALID_INPUT", wrong);
      placement = this.#run.runner.start({
        node: plan.type,
        placeable: plan.nested === null,
        placement: plan.policy.placement,
        context: this,
      });
    } catch (error) {
      // An attempt that finds no place was started all the same: it failed there.
      this.#placed({ executor: { kind: "local" }, emissions: [] }, error);
      return;
    }
    if (placement instanceof Promise) {
      placement.then(
        (place) => this.#placed(place),
        (error: unknown) => this.#placed({ executor: { kind: "local" }, emissions: [] }, error),
      );
    } else {
      this.#placed(placement);
    }
  }

  #placed(placement: Placement, error?: unknown): void {
    if (this.over) {
      this.#close();
      return;
    }
    const { node } = this;
    const run = this.#run;
    this.startedAt = run.report.now();
    const { effect, nested, type } = node.plan;
    const effectful = effect === "effectful" && nested === null && type.asks !== true;
    run.report.started(node.path, this.attempt, placement.executor, effectful);
    if (error !== undefined) {
      this.#fail(error);
      this.#close();
    } else {
      void this.#drive(placement.emissions);
    }
  }

  async #drive(emissions: Emissions): Promise<void> {
    try {
      const iterator = iterate(emissions);
      this.#iterator = iterator;
      for (;;) {
        const pulled = iterator.next();
        const step = pulled instanceof Promise ? await pulled : pulled;
        if (this.over) break;
        if (step.done) {
          this.#iterator = null;
          this.#end();
          break;
        }
        this.#deadline?.emitted();
        const pause = this.#pause(emit(this, step.value));
        if (pause) {
          await pause;
          if (this.over) break;
        }
      }
    } catch (error) {
      this.#iterator = null;
      this.#fail(error);
    }
    this.#close();
  }

  /** What to wait for before the next emission, if anything. */
  #pause(output: Output): Promise<void> | null {
    if (!output.full && this.#run.outbox.hasRoom && !this.#run.scheduler.spent()) return null;
    return this.#untilRoom(output);
  }

  async #untilRoom(output: Output): Promise<void> {
    const run = this.#run;
    while (!this.over) {
      if (output.full) {
        await this.#wait((wake) => output.whenRoom(wake));
      } else if (!run.outbox.hasRoom) {
        // The reader will come or the run will end: it goes on either way.
        run.scheduler.hold();
        await this.#wait((wake) => run.outbox.whenRoom(wake));
        run.scheduler.unhold();
      } else if (run.scheduler.spent()) {
        await run.scheduler.turn();
      } else {
        return;
      }
    }
  }

  /** Waits, without a slot, until called back or the attempt is over. */
  #wait(subscribe: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.beginWait();
      subscribe(() => this.endWait(resolve));
    });
  }

  beginWait(): void {
    this.#waits += 1;
    this.#deadline?.pause();
    if (!this.#slot) return;
    this.#slot = false;
    this.#run.scheduler.release();
  }

  endWait(callback: () => void): void {
    if (this.over) return;
    this.#waits -= 1;
    if (this.#slot || this.node.plan.nested) {
      this.#deadline?.resume();
      callback();
      return;
    }
    this.#run.scheduler.resume(() => {
      if (this.over || this.#slot) this.#run.scheduler.release();
      if (this.over) return;
      this.#slot = true;
      this.#deadline?.resume();
      callback();
    });
  }

  onOver(callback: (reason: unknown) => void): () => void {
    this.#callbacks ??= new Set();
    const callbacks = this.#callbacks.add(callback);
    return () => callbacks.delete(callback);
  }

  #end(): void {
    this.#settle(new NodeflowError("NODE_FAILED", "The attempt has ended"));
    try {
      this.node.ended(this);
    } catch (error) {
      this.node.failed(this, error);
    }
  }

  #fail(error: unknown): void {
    if (this.over) return;
    this.abort(error);
    this.node.failed(this, error);
  }

  /** Ends the attempt from outside: whatever the node still does is ignored, and it is told to stop. */
  abort(reason: unknown): void {
    if (this.over) return;
    this.#settle(reason);
    try {
      const returned = this.#iterator?.return?.();
      if (returned instanceof Promise) this.#returned = returned.catch(() => undefined);
    } catch {
      // A generator that throws while it is closed has nothing more to say: its attempt is over.
    }
  }

  #settle(reason: unknown): void {
    this.over = true;
    this.#reason = reason;
    this.#deadline?.pause();
    if (this.#slot) {
      this.#slot = false;
      this.#run.scheduler.release();
    }
    this.#wake?.();
    for (const child of this.children) child.abort(reason);
    this.children.clear();
    for (const callback of this.#callbacks ?? []) callback(reason);
    this.#controller?.abort(reason);
  }

  /** The iterator has returned: cleans up, and tells the run that nothing is left. */
  #close(): void {
    const { dispose } = this.node.plan.type;
    if (!dispose && this.#returned === undefined) {
      this.#run.iteratorClosed();
      return;
    }
    const disposed = async () => {
      await this.#returned;
      await dispose?.call(this.node.plan.type, this);
    };
    disposed().then(
      () => this.#run.iteratorClosed(),
      // The attempt has been decided: a failing clean-up can't change it.
      () => this.#run.iteratorClosed(),
    );
  }

  // What the node sees.

  get data(): unknown {
    return this.node.plan.data;
  }

  get path(): string {
    return this.node.path;
  }

  get runtime(): Runtime {
    return this.#run.config.runtime;
  }

  get inputs(): Readonly<Record<string, Value>> {
    this.#inputs ??= this.node.settledInputs();
    return this.#inputs;
  }

  get live(): Readonly<Record<string, LiveInput>> {
    this.#live ??= this.#liveInputs();
    return this.#live;
  }

  #liveInputs(): Record<string, LiveInput> {
    const live: Record<string, LiveInput> = Object.create(null);
    for (const input of this.node.plan.inputs) {
      const [edge] = input.edges;
      if (!input.spec.live || !edge) continue;
      const source = this.node.scope.node(edge.source);
      const output = source.outputAt(edge.output);
      live[input.handle] =
        edge.live >= 0
          ? new LiveReader(this.node.scope.cursor(edge.live), output, this)
          : new SettledReader(output.plan.kind, output.fold());
    }
    return live;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.over) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get seed(): string {
    return seedOf(this.#run.seed, this.path);
  }

  get idempotencyKey(): string {
    return idempotencyKeyOf(this.#run.runId, this.path);
  }

  progress(completed: number, total?: number, message?: string): void {
    if (!this.over) this.#run.report.progress(this.path, completed, total, message);
  }

  log(level: "debug" | "info" | "warn" | "error", message: string): void {
    if (!this.over) this.#run.report.log(this.path, level, message);
  }

  sleep(ms: number): Promise<void> {
    const run = this.#run;
    return new Promise((resolve, reject) => {
      if (this.over) {
        reject(this.#reason);
        return;
      }
      const container = this.node.plan.nested !== null;
      if (container) run.scheduler.hold();
      const timer = run.clock.setTimer(() => {
        forget();
        resolve();
        if (container) run.scheduler.unhold();
      }, ms);
      const forget = this.onOver((reason) => {
        timer.cancel();
        reject(reason);
        if (container) run.scheduler.unhold();
      });
    });
  }

  countCall(): void {
    const { report, limits } = this.#run;
    report.calls += 1;
    if (report.calls > limits.maxCalls) {
      throw new NodeflowError(
        "RESOURCE_EXHAUSTED",
        `The run made more than ${limits.maxCalls} outgoing calls`,
      );
    }
  }

  ask(question: Question): Promise<Value> {
    measure(question.args, this.#run.limits.maxDepth, this.#run.limits.maxValueBytes, "args");
    return this.#run.questions.ask(this, question);
  }

  run(nested: NestedRun): Nested {
    return runNested(this, nested);
  }
}

function iterate(emissions: Emissions): Iterator<Emission> | AsyncIterator<Emission> {
  return Symbol.asyncIterator in emissions ? emissions[Symbol.asyncIterator]() : emissions[Symbol.iterator]();
}
