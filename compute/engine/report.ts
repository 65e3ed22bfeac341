import type {
  ErrorInfo,
  ExecutionUpdate,
  Executor,
  Limits,
  Metrics,
  Mode,
  SkipReason,
  Value,
} from "../../protocol/index.ts";
import type { Clock } from "./clock.ts";
import type { Outbox } from "./outbox.ts";

/** Roughly what an update without values takes. */
const ENVELOPE = 128;

/** Turns what happens in a run into numbered updates, and keeps the run's metrics. After the terminal it says nothing. */
export class Report {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #limits: Limits;
  readonly #startedAt: number;
  #seq = 0;
  #closed = false;
  #logLines = 0;
  completed = 0;
  failed = 0;
  skipped = 0;
  reused = 0;
  retries = 0;
  emissions = 0;
  bytes = 0;
  calls = 0;

  constructor(clock: Clock, outbox: Outbox, limits: Limits) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#limits = limits;
    this.#startedAt = clock.now();
  }

  /** How many updates there have been. */
  get seq(): number {
    return this.#seq;
  }

  now(): number {
    return this.#clock.now();
  }

  /** From now on only a terminal update is sent. */
  close(): void {
    this.#closed = true;
  }

  executionStarted(
    fields: Omit<
      Extract<ExecutionUpdate, { type: "execution-started" }>,
      "type" | "seq" | "timestamp" | "protocol"
    >,
  ): void {
    this.#send({ type: "execution-started", ...this.#stamp(), protocol: 1, ...fields }, ENVELOPE);
  }

  /** Returns the time of the start. */
  started(nodeId: string, attempt: number, executor: Executor, effectful: boolean, item?: string): number {
    const timestamp = this.#clock.now();
    if (this.#closed) return timestamp;
    const seq = ++this.#seq;
    if (item !== undefined) {
      this.#outbox.write({ type: "node-started", seq, timestamp, nodeId, attempt, executor, item }, ENVELOPE);
    } else if (effectful) {
      this.#outbox.write(
        { type: "node-started", seq, timestamp, nodeId, attempt, executor, effectful },
        ENVELOPE,
      );
    } else {
      this.#outbox.write({ type: "node-started", seq, timestamp, nodeId, attempt, executor }, ENVELOPE);
    }
    return timestamp;
  }

  output(
    nodeId: string,
    attempt: number,
    handle: string,
    mode: Mode,
    value: Value,
    size: number,
    index?: number,
  ): void {
    if (this.#closed) return;
    const timestamp = this.#clock.now();
    const seq = ++this.#seq;
    const bytes = ENVELOPE + size;
    if (index === undefined) {
      this.#outbox.write(
        { type: "node-output", seq, timestamp, nodeId, attempt, handle, mode, value },
        bytes,
      );
    } else {
      this.#outbox.write(
        { type: "node-output", seq, timestamp, nodeId, attempt, handle, mode, value, index },
        bytes,
      );
    }
  }

  /** Progress is of the moment: while the reader has no room, it is dropped. */
  progress(nodeId: string, completed: number, total?: number, message?: string): void {
    if (!this.#outbox.hasRoom) return;
    const text = message?.slice(0, this.#limits.maxLogChars);
    this.#send(
      {
        type: "node-progress",
        ...this.#stamp(),
        nodeId,
        completed,
        ...(total !== undefined && { total }),
        ...(text !== undefined && { message: text }),
      },
      ENVELOPE + (text?.length ?? 0),
    );
  }

  log(nodeId: string, level: "debug" | "info" | "warn" | "error", message: string): void {
    this.#logLines += 1;
    const { maxLogLines, maxLogChars } = this.#limits;
    if (this.#logLines > maxLogLines + 1) return;
    const over = this.#logLines > maxLogLines;
    const text = over
      ? `More than ${maxLogLines} log lines: the rest is dropped`
      : message.slice(0, maxLogChars);
    this.#send(
      { type: "node-log", ...this.#stamp(), nodeId, level: over ? "warn" : level, message: text },
      ENVELOPE + text.length,
    );
  }

  /** A scope of a container is reported like a node, but it isn't counted as one. */
  scopeCompleted(nodeId: string, attempt: number, durationMs: number): void {
    this.#send({ type: "node-completed", ...this.#stamp(), nodeId, attempt, durationMs }, ENVELOPE);
  }

  nodeCompleted(nodeId: string, attempt: number, startedAt: number, withheld: boolean): void {
    if (this.#closed) return;
    this.completed += 1;
    const timestamp = this.#clock.now();
    const durationMs = timestamp - startedAt;
    const seq = ++this.#seq;
    if (withheld) {
      this.#outbox.write(
        { type: "node-completed", seq, timestamp, nodeId, attempt, durationMs, withheld },
        ENVELOPE,
      );
    } else {
      this.#outbox.write({ type: "node-completed", seq, timestamp, nodeId, attempt, durationMs }, ENVELOPE);
    }
  }

  nodeFailed(
    nodeId: string,
    attempt: number,
    error: ErrorInfo,
    then: { readonly delayMs: number } | { readonly handled?: "skip" | "default" | "route" },
  ): void {
    if (this.#closed) return;
    const willRetry = "delayMs" in then;
    if (willRetry) this.retries += 1;
    else if (then.handled === undefined || then.handled === "skip") this.failed += 1;
    this.#send(
      { type: "node-failed", ...this.#stamp(), nodeId, attempt, error, willRetry, ...then },
      ENVELOPE + error.message.length,
    );
  }

  reset(nodeId: string, attempt: number): void {
    this.#send({ type: "node-reset", ...this.#stamp(), nodeId, attempt }, ENVELOPE);
  }

  nodeSkipped(nodeId: string, reason: SkipReason): void {
    this.skipped += 1;
    this.#send({ type: "node-skipped", ...this.#stamp(), nodeId, reason }, ENVELOPE);
  }

  nodeReused(nodeId: string): void {
    this.#send({ type: "node-reused", ...this.#stamp(), nodeId }, ENVELOPE);
  }

  inputRequested(
    nodeId: string,
    request: string,
    tool: string,
    args: Value,
    size: number,
    schema?: Value,
    rejected?: string,
  ): void {
    this.#send(
      {
        type: "input-requested",
        ...this.#stamp(),
        nodeId,
        request,
        tool,
        args,
        ...(schema !== undefined && { schema }),
        ...(rejected !== undefined && { rejected }),
      },
      ENVELOPE + size,
    );
  }

  /** The last update of the run. */
  terminal(ending: Ending): void {
    this.#closed = false;
    this.#send({ ...ending, ...this.#stamp(), metrics: this.#metrics() }, ENVELOPE);
    this.#closed = true;
    this.#outbox.close();
  }

  #metrics(): Metrics {
    return {
      durationMs: this.#clock.now() - this.#startedAt,
      nodes: { completed: this.completed, failed: this.failed, skipped: this.skipped, reused: this.reused },
      retries: this.retries,
      emissions: this.emissions,
      bytes: this.bytes,
      calls: this.calls,
    };
  }

  #stamp(): { seq: number; timestamp: number } {
    return { seq: 0, timestamp: this.#clock.now() };
  }

  #send(update: ExecutionUpdate, bytes: number): void {
    if (this.#closed) return;
    update.seq = ++this.#seq;
    this.#outbox.write(update, bytes);
  }
}

/** How a run ends. */
export type Ending =
  | { readonly type: "execution-completed"; readonly outputs: Record<string, Value> }
  | { readonly type: "execution-failed"; readonly error: ErrorInfo }
  | { readonly type: "execution-cancelled"; readonly reason: "client" | "disconnect" | "shutdown" }
  | { readonly type: "execution-suspended"; readonly pending: string[] };
