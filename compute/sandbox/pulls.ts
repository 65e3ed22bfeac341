import type { Value } from "../../protocol/index.ts";
import type { Values } from "./sandbox.ts";

type Result = IteratorResult<Value, undefined>;

const DONE: Result = { done: true, value: undefined };

/** A value, and whether there can be another; or the end. */
export type Pulled =
  | { readonly done: true }
  | { readonly done: false; readonly value: Value; readonly last: boolean };

/** Where a job's values come from. */
export interface Source {
  /** Computes the next value. Never called while it computes one, nor after the last or a failure. */
  pull(): Promise<Pulled>;
  /** Called once, when nothing more is wanted, whatever it computes. */
  end(): void;
  /** The reader has no room for more, or has room again. */
  waits(waits: boolean): void;
}

/** The values of a job, pulled one after another, until the last of them, a failure, or until nobody wants more. */
export class Pulls implements Values {
  readonly #source: Source;
  readonly #signal: AbortSignal;
  /** Settles what is being pulled when it isn't wanted any more. */
  readonly #over = Promise.withResolvers<Result>();
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(source: Source, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
    // Whoever pulls sees it, and perhaps nobody does.
    this.#over.promise.catch(() => undefined);
    signal.addEventListener("abort", this.#abort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const pulled = this.#last.then(() => this.#pull());
    this.#last = pulled.catch(() => undefined);
    return Promise.race([pulled, this.#over.promise]);
  }

  async return(): Promise<Result> {
    this.#over.resolve(DONE);
    this.#end();
    return DONE;
  }

  waits(waits: boolean): void {
    if (!this.#ended) this.#source.waits(waits);
  }

  async #pull(): Promise<Result> {
    if (this.#ended) return DONE;
    try {
      const pulled = await this.#source.pull();
      if (pulled.done || pulled.last) this.#end();
      return pulled.done ? DONE : { done: false, value: pulled.value };
    } catch (error) {
      if (this.#ended) return DONE;
      this.#end();
      throw error;
    }
  }

  readonly #abort = () => {
    this.#over.reject(this.#signal.reason);
    this.#end();
  };

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#source.end();
  }
}
