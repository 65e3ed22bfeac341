import { NodeflowError, type Value } from "../../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import type { LiveInput, Nested, NodeContext, Question, Runtime } from "../node-type.ts";
import { errorOf } from "./error-info.ts";
import { FarInput } from "./far-input.ts";
import type { Begin, Request, ToFar, ToNear } from "./messages.ts";

/** Progress is told so often at most; what comes in between is told at last. */
const PROGRESS_MS = 20;
/** Log lines of one attempt; the run's own cap is at the near end. */
const MAX_LOG_LINES = 10_000;
const MAX_LOG_CHARS = 4_096;

type Answer = { readonly resolve: (value: Value) => void; readonly reject: (error: unknown) => void };
type Progress = Extract<ToNear, { readonly type: "progress" }>;

/** What a node sees of its attempt where it runs away from the engine. */
export class FarContext implements NodeContext {
  readonly data: unknown;
  readonly path: string;
  readonly attempt: number;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly live: Readonly<Record<string, LiveInput>>;
  readonly seed: string;
  readonly idempotencyKey: string;
  readonly executionId: string;
  readonly runtime: Runtime;
  readonly caller: string;
  readonly traceparent: string | undefined;
  readonly #tell: (message: ToNear) => void;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #inputs = new Map<string, FarInput>();
  readonly #answers = new Map<number, Answer>();
  #requests = 0;
  #logLines = 0;
  #progress: Progress | null = null;
  #progressAt = Number.NEGATIVE_INFINITY;
  readonly #timers = new Set<Timer>();
  readonly #sleepers = new Set<(reason: unknown) => void>();

  constructor(begin: Begin, tell: (message: ToNear) => void, clock: Clock) {
    this.data = begin.data;
    this.path = begin.path;
    this.attempt = begin.attempt;
    this.inputs = Object.assign(Object.create(null), begin.inputs);
    this.seed = begin.seed;
    this.idempotencyKey = begin.idempotencyKey;
    this.executionId = begin.executionId;
    this.runtime = begin.runtime;
    this.caller = begin.caller;
    this.traceparent = begin.traceparent;
    this.#tell = (message) => {
      if (!this.over) tell(message);
    };
    this.#clock = clock;
    const live: Record<string, LiveInput> = Object.create(null);
    for (const [handle, kind] of Object.entries(begin.live)) {
      const input = new FarInput(kind, handle, this.#tell);
      this.#inputs.set(handle, input);
      live[handle] = input;
    }
    this.live = live;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get over(): boolean {
    return this.#controller.signal.aborted;
  }

  receive(
    message: Extract<ToFar, { readonly type: "input" | "input-failed" | "granted" | "refused" }>,
  ): void {
    switch (message.type) {
      case "input":
        this.#inputs.get(message.handle)?.arrived(message.values, message.end);
        break;
      case "input-failed":
        this.#inputs.get(message.handle)?.failed(errorOf(message.error));
        break;
      case "granted":
        this.#answer(message.request)?.resolve(message.value);
        break;
      case "refused":
        this.#answer(message.request)?.reject(errorOf(message.error));
        break;
    }
  }

  /** The attempt is over: whoever waits is told, and nothing more is sent. */
  end(reason: unknown): void {
    if (this.over) return;
    this.flush();
    this.#controller.abort(reason);
    for (const input of this.#inputs.values()) input.failed(reason);
    for (const { reject } of this.#answers.values()) reject(reason);
    this.#answers.clear();
    for (const reject of this.#sleepers) reject(reason);
    this.#sleepers.clear();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  progress(completed: number, total?: number, message?: string): void {
    if (this.over) return;
    const first = this.#progress === null;
    this.#progress = {
      type: "progress",
      completed,
      ...(total !== undefined && { total }),
      ...(message !== undefined && { message }),
    };
    if (this.#clock.now() - this.#progressAt >= PROGRESS_MS) this.flush();
    else if (first) this.#after(PROGRESS_MS, () => this.flush());
  }

  /** Tells the progress that hasn't been told. */
  flush(): void {
    if (!this.#progress) return;
    this.#tell(this.#progress);
    this.#progress = null;
    this.#progressAt = this.#clock.now();
  }

  log(level: "debug" | "info" | "warn" | "error", message: string): void {
    this.#logLines += 1;
    if (this.#logLines > MAX_LOG_LINES) return;
    this.#tell({ type: "log", level, message: String(message).slice(0, MAX_LOG_CHARS) });
  }

  sleep(ms: number): Promise<void> {
    const slept = new Promise<void>((resolve, reject) => {
      if (this.over) return reject(this.signal.reason);
      this.#sleepers.add(reject);
      this.#after(ms, () => {
        this.#sleepers.delete(reject);
        resolve();
      });
    });
    slept.catch(() => undefined);
    return slept;
  }

  turn(): Promise<void> {
    return this.#clock.turn();
  }

  ask(question: Question): Promise<Value> {
    return this.#request({ what: "answer", question }).answer;
  }

  async connection(): Promise<Disposable> {
    const { number, answer } = this.#request({ what: "connection" });
    await answer;
    return { [Symbol.dispose]: () => this.#tell({ type: "done", request: number }) };
  }

  async waitFor<T>(promise: Promise<T>): Promise<T> {
    const { number, answer } = this.#request({ what: "wait" });
    try {
      // It is answered once it is done, or else refused: then there is nothing left to wait for.
      return await Promise.race([promise, answer.then(() => promise)]);
    } finally {
      this.#tell({ type: "done", request: number });
      await answer;
    }
  }

  secret(name: string): string {
    throw new NodeflowError(
      "SECRET_NOT_FOUND",
      `The secret "${name}" isn't given to nodes that run elsewhere`,
    );
  }

  run(): Nested {
    throw new TypeError("A container runs where the engine runs");
  }

  #after(ms: number, callback: () => void): void {
    const timer = this.#clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  #request(ask: Request): { readonly number: number; readonly answer: Promise<Value> } {
    this.#requests += 1;
    const number = this.#requests;
    const answer = new Promise<Value>((resolve, reject) => {
      if (this.over) reject(this.signal.reason);
      else this.#answers.set(number, { resolve, reject });
    });
    // A node may have stopped waiting when its attempt ends.
    answer.catch(() => undefined);
    this.#tell({ type: "request", request: number, ask });
    return { number, answer };
  }

  #answer(request: number): Answer | undefined {
    const answer = this.#answers.get(request);
    this.#answers.delete(request);
    return answer;
  }
}
