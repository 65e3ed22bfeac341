import { idempotencyKeyOf, NodeflowError, seedOf, type Value } from "../../protocol/index.ts";
import { LiveReader, SettledReader } from "./live-reader.ts";
import { runNested } from "./nested.ts";
import type { LiveInput, Nested, NestedRun, NodeContext, NodeType, Question, Runtime } from "./node-type.ts";
import { computePart } from "./part.ts";
import type { AttemptPart, RunPart } from "./parts.ts";
import { Redaction } from "./redact/redaction.ts";

/** What a node sees of its attempt. What only some nodes ask for (inputs, signal, seed …) is made when asked for. */
export class Context implements NodeContext {
  readonly #attempt: AttemptPart;
  #inputs: Readonly<Record<string, Value>> | null = null;
  #live: Readonly<Record<string, LiveInput>> | null = null;
  #controller: AbortController | null = null;

  constructor(attempt: AttemptPart) {
    this.#attempt = attempt;
  }

  get #run(): RunPart {
    return this.#attempt.node.scope.run;
  }

  get data(): unknown {
    return this.#attempt.node.plan.data;
  }

  get path(): string {
    return this.#attempt.node.path;
  }

  get attempt(): number {
    return this.#attempt.number;
  }

  get runtime(): Runtime {
    return this.#run.config.runtime;
  }

  get inputs(): Readonly<Record<string, Value>> {
    this.#inputs ??= this.#attempt.node.settledInputs();
    return this.#inputs;
  }

  get live(): Readonly<Record<string, LiveInput>> {
    this.#live ??= this.#liveInputs();
    return this.#live;
  }

  #liveInputs(): Record<string, LiveInput> {
    const { plan, scope } = this.#attempt.node;
    const live: Record<string, LiveInput> = Object.create(null);
    for (const { handle, spec, edges } of plan.inputs) {
      const [edge] = edges;
      if (!spec.live || !edge) continue;
      const output = scope.node(edge.source).outputAt(edge.output);
      live[handle] =
        edge.live >= 0
          ? new LiveReader(scope.cursor(edge), output, this.#attempt)
          : new SettledReader(output.plan.kind, output.fold());
    }
    return live;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#attempt.over) this.#controller.abort(this.#attempt.reason);
    }
    return this.#controller.signal;
  }

  /** The attempt is over. */
  end(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  get seed(): string {
    return seedOf(this.#run.seed, this.path);
  }

  get executionId(): string {
    return this.#run.executionId;
  }

  get idempotencyKey(): string {
    return idempotencyKeyOf(this.#run.runId, this.path);
  }

  progress(completed: number, total?: number, message?: string): void {
    this.#attempt.speak();
    const { over, redaction } = this.#attempt;
    const text = message !== undefined && redaction ? redaction.text(message) : message;
    if (!over) this.#run.report.progress(this.path, completed, total, text);
  }

  log(level: "debug" | "info" | "warn" | "error", message: string): void {
    this.#attempt.speak();
    const { over, redaction } = this.#attempt;
    if (!over) this.#run.report.log(this.path, level, redaction ? redaction.text(message) : message);
  }

  sleep(ms: number): Promise<void> {
    const attempt = this.#attempt;
    const { clock, scheduler } = this.#run;
    const slept = new Promise<void>((resolve, reject) => {
      if (attempt.over) {
        reject(attempt.reason);
        return;
      }
      // It may sleep beside a read, or beside what is in it, and that may wait for an answer.
      const { nested } = attempt.node.plan;
      scheduler.hold();
      if (nested) attempt.seat.inside(1);
      const over = () => {
        if (nested) attempt.seat.inside(-1);
        scheduler.unhold();
      };
      const timer = clock.setTimer(() => {
        forget();
        resolve();
        over();
      }, ms);
      const forget = attempt.onOver((reason) => {
        timer.cancel();
        reject(reason);
        over();
      });
    });
    return handled(slept);
  }

  turn(): Promise<void> {
    return this.#run.clock.turn();
  }

  waitFor<T>(promise: Promise<T>): Promise<T> {
    return handled(waitFor(this.#attempt, promise));
  }

  async connection(): Promise<Disposable> {
    const { report, limits, connections } = this.#run;
    report.calls += 1;
    if (report.calls > limits.maxCalls) {
      const message = `The run made more than ${limits.maxCalls} outgoing calls`;
      throw new NodeflowError("RESOURCE_EXHAUSTED", message);
    }
    if (this.#attempt.over) throw this.#attempt.reason;
    const free = connections.take();
    if (free) return free;
    const { connection, giveUp } = connections.whenFree();
    try {
      return await this.waitFor(connection);
    } catch (error) {
      giveUp();
      throw error;
    }
  }

  secret(name: string, origin: string): string {
    const value = this.#run.secrets.reveal(name, origin);
    if (value !== null) {
      this.#attempt.redaction ??= new Redaction();
      this.#attempt.redaction.add(name, value);
      return value;
    }
    const message = `There is no secret "${name}" for this caller that may go to ${origin}`;
    throw new NodeflowError("SECRET_NOT_FOUND", message);
  }

  get caller(): string {
    return this.#run.caller;
  }

  get traceparent(): string | undefined {
    return this.#run.traceparent;
  }

  ask(question: Question): Promise<Value> {
    this.#attempt.speak();
    const { redaction } = this.#attempt;
    const asked = redaction ? { ...question, args: redaction.value(question.args) } : question;
    return handled(this.#run.questions.ask(this.#attempt, asked));
  }

  compute(
    type: NodeType,
    data: unknown,
    inputs: Readonly<Record<string, Value>>,
  ): Promise<Value | undefined> {
    return handled(computePart(this, type, data, inputs, this.#run.config.runner));
  }

  run(nested: NestedRun): Nested {
    this.#attempt.speak();
    return runNested(this.#attempt, nested);
  }
}

/** Waits on an attempt's behalf: it holds no slot, its own timeouts stand still, and the run isn't taken for one that only waits for answers. */
function waitFor<T>(attempt: AttemptPart, promise: Promise<T>): Promise<T> {
  const { scope } = attempt.node;
  return new Promise<T>((resolve, reject) => {
    if (attempt.over) {
      reject(attempt.reason);
      return;
    }
    let waits = true;
    const forget = attempt.onOver((reason) => {
      if (waits) scope.unhold();
      waits = false;
      reject(reason);
    });
    const arrived = (callback: () => void) => {
      if (!waits) return;
      waits = false;
      attempt.seat.endWait(() => {
        forget();
        callback();
      });
      scope.unhold();
    };
    scope.hold();
    attempt.seat.beginWait();
    promise.then(
      (value) => arrived(() => resolve(value)),
      (error: unknown) => arrived(() => reject(error)),
    );
  });
}

/** A promise that a node may have stopped waiting for: that it rejects then is nobody's concern. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
