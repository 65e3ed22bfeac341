import type { ExecutionUpdate, Limits } from "../../protocol/index.ts";

/**
 * Updates on their way to the reader of a run. Writing never waits, but whoever is about to make more looks for room
 * first: so the queue is bounded by its cap plus what each node under way adds in one step.
 */
export class Outbox {
  readonly #maxUpdates: number;
  readonly #maxBytes: number;
  #updates: ExecutionUpdate[] = [];
  #bytes = 0;
  #closed = false;
  #reader: (() => void) | null = null;
  #writers: (() => void)[] = [];

  constructor(limits: Limits) {
    this.#maxUpdates = limits.maxPendingUpdates;
    this.#maxBytes = limits.maxPendingBytes;
  }

  get hasRoom(): boolean {
    return this.#updates.length < this.#maxUpdates && this.#bytes < this.#maxBytes;
  }

  write(update: ExecutionUpdate, bytes: number): void {
    this.#updates.push(update);
    this.#bytes += bytes;
    const reader = this.#reader;
    if (reader) {
      this.#reader = null;
      reader();
    }
  }

  /** Calls back once there is room. */
  whenRoom(callback: () => void): void {
    this.#writers.push(callback);
  }

  /** After what is there, nothing comes. */
  close(): void {
    this.#closed = true;
    this.#reader?.();
    this.#reader = null;
  }

  /** Everything that is ready, at least one update; null at the end. */
  async read(): Promise<readonly ExecutionUpdate[] | null> {
    if (this.#updates.length === 0) {
      if (this.#closed) return null;
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
    }
    const updates = this.#updates;
    if (updates.length === 0) return null;
    this.#updates = [];
    this.#bytes = 0;
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer();
    return updates;
  }
}
