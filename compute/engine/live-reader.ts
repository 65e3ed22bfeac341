import type { Kind, Value } from "../../protocol/index.ts";
import type { LiveInput } from "./node-type.ts";
import type { Cursor, Output } from "./output.ts";
import type { AttemptPart } from "./parts.ts";

type Result = IteratorResult<Value, undefined>;
const END: Result = { done: true, value: undefined };

/** A live edge, as one attempt reads it. */
export class LiveReader implements LiveInput, AsyncIterableIterator<Value, undefined> {
  readonly kind: Kind;
  readonly #cursor: Cursor;
  readonly #output: Output;
  readonly #attempt: AttemptPart;
  #reject: ((reason: unknown) => void) | null = null;
  #resolve: ((end: Result) => void) | null = null;
  #stopped = false;

  constructor(cursor: Cursor, output: Output, attempt: AttemptPart) {
    this.kind = output.plan.kind;
    this.#cursor = cursor;
    this.#output = output;
    this.#attempt = attempt;
    attempt.onOver((reason) => this.#reject?.(reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get ready(): boolean {
    return this.#output.has(this.#cursor.position) || this.#output.ended;
  }

  next(): Promise<Result> {
    if (this.#stopped || this.#attempt.over) return Promise.resolve(END);
    const result = this.#read();
    return result ? Promise.resolve(result) : this.#later();
  }

  /** Reading is over: what comes from now on is dropped, and holds nobody back. */
  return(): Promise<Result> {
    this.#stopped = true;
    const resolve = this.#resolve;
    this.#resolve = null;
    this.#reject = null;
    if (!this.#attempt.over) this.#cursor.stop();
    // Somebody else may still wait for what comes next.
    if (resolve) this.#attempt.seat.endWait(() => resolve(END));
    return Promise.resolve(END);
  }

  #read(): Result | null {
    if (this.#output.has(this.#cursor.position))
      return { done: false, value: this.#output.take(this.#cursor) };
    return this.#output.ended ? END : null;
  }

  #later(): Promise<Result> {
    const later = new Promise<Result>((resolve, reject) => {
      if (this.#cursor.waiting) {
        reject(new TypeError("A live input is read by one call of next() at a time"));
        return;
      }
      this.#reject = reject;
      this.#resolve = resolve;
      this.#cursor.waiting = () => {
        this.#resolve = null;
        this.#attempt.seat.endWait(() => {
          this.#reject = null;
          resolve(this.#stopped ? END : (this.#read() ?? END));
        });
      };
      this.#attempt.seat.beginWait();
    });
    // A node may have stopped waiting for it when its attempt ends.
    later.catch(() => undefined);
    return later;
  }
}

/** A settled value, read through a live input: items one by one, anything else as one value. */
export class SettledReader implements LiveInput {
  readonly kind: Kind;
  readonly #value: Value;

  constructor(kind: Kind, value: Value) {
    this.kind = kind;
    this.#value = value;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value, undefined> {
    if (this.kind === "items" && Array.isArray(this.#value)) yield* this.#value;
    else yield this.#value;
  }
}
