import type { ExecutionUpdate } from "../../protocol/index.ts";
import type { Outbox } from "./outbox.ts";

type Updates = readonly ExecutionUpdate[];

/** Reads a run in batches. Leaving early cancels what is read. */
export class BatchReader implements AsyncIterableIterator<Updates, undefined> {
  readonly #outbox: Outbox;
  readonly #left: () => void;
  #over = false;
  /** The call of `next()` that came last: the next one is answered after it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(outbox: Outbox, left: () => void) {
    this.#outbox = outbox;
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Updates, undefined>> {
    const next = this.#last.then(() => this.#read());
    this.#last = next;
    return next;
  }

  async #read(): Promise<IteratorResult<Updates, undefined>> {
    const value = this.#over ? null : await this.#outbox.read();
    if (value) return { done: false, value };
    this.#over = true;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Updates, undefined>> {
    this.#over = true;
    this.#left();
    return { done: true, value: undefined };
  }
}

/** Reads a run one update at a time. An async generator would do, at three times the cost of each update. */
export class UpdateReader implements AsyncIterableIterator<ExecutionUpdate, undefined> {
  readonly #batches: BatchReader;
  #batch: Updates = [];
  #next = 0;
  #reading: Promise<unknown> | null = null;

  constructor(batches: BatchReader) {
    this.#batches = batches;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ExecutionUpdate, undefined>> {
    // Calls that come while a batch is read are answered after it, in their order.
    if (this.#reading) return this.#reading.then(() => this.next());
    const value = this.#batch[this.#next];
    if (!value) return this.#nextBatch();
    this.#next += 1;
    return Promise.resolve({ done: false, value });
  }

  #nextBatch(): Promise<IteratorResult<ExecutionUpdate, undefined>> {
    const first = this.#batches.next().then(({ done, value }): IteratorResult<ExecutionUpdate, undefined> => {
      this.#reading = null;
      if (done) return { done, value: undefined };
      this.#batch = value;
      this.#next = 1;
      return { done: false, value: value[0] as ExecutionUpdate };
    });
    this.#reading = first;
    return first;
  }

  async return(): Promise<IteratorResult<ExecutionUpdate, undefined>> {
    this.#batch = [];
    await this.#batches.return();
    return { done: true, value: undefined };
  }
}
