import type { Execution } from "../../../compute/engine/index.ts";
import type { CancelReason, ExecutionUpdate, Metrics, UpdateOf } from "../../../protocol/index.ts";

export const METRICS: Metrics = {
  durationMs: 1,
  nodes: { completed: 0, failed: 0, skipped: 0, reused: 0 },
  retries: 0,
  emissions: 0,
  bytes: 0,
  calls: 0,
};

export function output(seq: number, value: string): UpdateOf<"node-output"> {
  return {
    type: "node-output",
    seq,
    timestamp: 0,
    nodeId: "n",
    attempt: 1,
    handle: "out",
    mode: "item",
    value,
  };
}

export function completed(seq: number): UpdateOf<"execution-completed"> {
  return { type: "execution-completed", seq, timestamp: 0, outputs: {}, metrics: METRICS };
}

/** A run whose updates a test hands out one batch at a time. */
export class ScriptedExecution implements Execution {
  readonly executionId: string;
  readonly cancelled: CancelReason[] = [];
  readonly closed: Promise<void>;
  /** Batches asked for so far. */
  asked = 0;
  returned = false;
  #close: () => void = () => {};
  #ready: (readonly ExecutionUpdate[] | Error)[] = [];
  #waiting: (() => void) | undefined;
  #ended = false;

  constructor(executionId = "run-1") {
    this.executionId = executionId;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  give(...updates: readonly ExecutionUpdate[]): void {
    this.#ready.push(updates);
    this.#waiting?.();
  }

  break(error: Error): void {
    this.#ready.push(error);
    this.#waiting?.();
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.();
    this.#close();
  }

  cancel(reason: CancelReason): void {
    this.cancelled.push(reason);
    this.end();
  }

  batches(): AsyncIterableIterator<readonly ExecutionUpdate[]> {
    const iterator: AsyncIterableIterator<readonly ExecutionUpdate[]> = {
      next: async () => {
        this.asked += 1;
        for (;;) {
          const batch = this.#ready.shift();
          if (batch instanceof Error) throw batch;
          if (batch) return { done: false, value: batch };
          if (this.#ended) return { done: true, value: undefined };
          await new Promise<void>((resolve) => {
            this.#waiting = resolve;
          });
        }
      },
      return: async () => {
        this.returned = true;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<ExecutionUpdate> {
    for await (const batch of this.batches()) yield* batch;
  }
}
