import type { Kind, Value } from "../../../protocol/index.ts";
import type { LiveInput } from "../node-type.ts";
import type { ToNear } from "./messages.ts";

type Result = IteratorResult<Value, undefined>;
const END: Result = { done: true, value: undefined };

/** A live input where the node runs away from the engine: asks for more once it has none left. */
export class FarInput implements LiveInput, AsyncIterableIterator<Value, undefined> {
  readonly kind: Kind;
  readonly #handle: string;
  readonly #tell: (message: ToNear) => void;
  #values: readonly Value[] = [];
  #next = 0;
  #end: { readonly error?: unknown } | null = null;
  #waiting: { resolve(result: Result): void; reject(error: unknown): void } | null = null;

  constructor(kind: Kind, handle: string, tell: (message: ToNear) => void) {
    this.kind = kind;
    this.#handle = handle;
    this.#tell = tell;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get ready(): boolean {
    return this.#next < this.#values.length || this.#end !== null;
  }

  next(): Promise<Result> {
    if (this.#waiting) {
      return Promise.reject(new TypeError("A live input is read by one call of next() at a time"));
    }
    const result = this.#read();
    if (result) return result;
    this.#tell({ type: "want", handle: this.#handle });
    const later = new Promise<Result>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    // A node may have stopped waiting for it when its attempt ends.
    later.catch(() => undefined);
    return later;
  }

  return(): Promise<Result> {
    if (!this.#end) this.#tell({ type: "leave", handle: this.#handle });
    this.#values = [];
    this.#next = 0;
    this.#end ??= {};
    return Promise.resolve(END);
  }

  arrived(values: readonly Value[], end: boolean): void {
    if (this.#end) return;
    this.#values = values;
    this.#next = 0;
    if (end) this.#end = {};
    this.#wake();
  }

  failed(error: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  #read(): Promise<Result> | null {
    if (this.#next < this.#values.length) {
      const value = this.#values[this.#next] as Value;
      this.#next += 1;
      return Promise.resolve({ done: false, value });
    }
    if (!this.#end) return null;
    const { error } = this.#end;
    return error === undefined ? Promise.resolve(END) : Promise.reject(error);
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    const result = this.#read();
    if (!result) return;
    this.#waiting = null;
    result.then(waiting.resolve, waiting.reject);
  }
}
