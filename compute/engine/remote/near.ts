import { measure, NodeflowError, type Value } from "../../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import type { Emission, NodeContext } from "../node-type.ts";
import type { Task } from "../runner.ts";
import { errorOf, infoOf } from "./error-info.ts";
import {
  INPUT_BYTES,
  INPUT_VALUES,
  type Port,
  type Request,
  type ToFar,
  type ToNear,
  WINDOW_EMISSIONS,
} from "./messages.ts";

type Step = IteratorResult<Emission, undefined>;
const DONE: Step = { done: true, value: undefined };

const ALL_DEPTHS = Number.MAX_SAFE_INTEGER;

/** A live input on its way to the far end. */
interface Reading {
  readonly iterator: AsyncIterator<Value>;
  readonly ready: () => boolean;
}

/** What the node may dispose of: its connections, and the ends of its waits. */
type Done = () => void;

/**
 * The near end of an attempt that runs elsewhere: its emissions, as the engine reads them. It reads live inputs for it,
 * passes on what it asks for, and stops it when it is no longer wanted: first by a word, and by force if it hasn't ended
 * `graceMs` later.
 */
export class NearEnd implements AsyncIterableIterator<Emission, undefined> {
  readonly #context: NodeContext;
  readonly #port: Port<ToFar, ToNear>;
  readonly #clock: Clock;
  readonly #graceMs: number;
  /** A window of them at most. */
  readonly #unread: Emission[] = [];
  /** Emissions read since the far end was last told. */
  #read = 0;
  #waiting: { resolve(step: Step): void; reject(error: unknown): void } | null = null;
  /** What the end of the emissions is: nothing yet, an end, or an error that nobody has been told. */
  #end: { readonly error?: unknown } | null = null;
  #stopping = false;
  #grace: Timer | null = null;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  readonly #readings = new Map<string, Reading>();
  readonly #requests = new Map<number, Done>();

  constructor(task: Task, port: Port<ToFar, ToNear>, clock: Clock, graceMs: number) {
    this.#context = task.context;
    this.#port = port;
    this.#clock = clock;
    this.#graceMs = graceMs;
    port.listen(
      (message) => this.#receive(message),
      (error) => this.#lost(error),
    );
    this.#begin(task);
    if (this.#isClosed) return;
    if (this.#context.signal.aborted) this.#onAbort();
    else this.#context.signal.addEventListener("abort", this.#onAbort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const emission = this.#unread.shift();
    if (emission) {
      this.#read += 1;
      if (this.#read >= WINDOW_EMISSIONS / 2) this.#tellRead();
      return Promise.resolve({ done: false, value: emission });
    }
    if (this.#end) {
      const { error } = this.#end;
      this.#end = {};
      return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
    }
    if (this.#read > 0) this.#tellRead();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Resolves once nothing of the attempt is left at the far end. */
  async return(): Promise<Step> {
    this.#stop({});
    await this.#closed.promise;
    return DONE;
  }

  readonly #onAbort = () => this.#stop({ error: this.#context.signal.reason });

  #begin({ node, context }: Task): void {
    const {
      data,
      path,
      attempt,
      inputs,
      live,
      seed,
      idempotencyKey,
      executionId,
      runtime,
      caller,
      traceparent,
    } = context;
    const kinds = Object.fromEntries(Object.entries(live).map(([handle, { kind }]) => [handle, kind]));
    try {
      this.#port.send({
        type: "begin",
        node: node.type,
        data,
        path,
        attempt,
        inputs: { ...inputs },
        live: kinds,
        seed,
        idempotencyKey,
        executionId,
        runtime,
        caller,
        traceparent,
      });
    } catch (cause) {
      const message = `The data of a "${node.type}" can't be sent to where it would run`;
      this.#finish({ error: new NodeflowError("NODE_FAILED", message, { retryable: false, cause }) }, true);
    }
  }

  #receive(message: ToNear): void {
    if (this.#isClosed) return;
    switch (message.type) {
      case "ended":
        this.#finish({}, true);
        break;
      case "failed":
        this.#finish({ error: errorOf(message.error) }, true);
        break;
      case "done":
        this.#done(message.request);
        break;
      default:
        // Of an attempt that is being stopped, nothing else counts any longer.
        if (!this.#stopping) this.#told(message);
    }
  }

  #told(message: Exclude<ToNear, { readonly type: "ended" | "failed" | "done" }>): void {
    switch (message.type) {
      case "emission":
        this.#emitted(message.emission);
        break;
      case "want":
        void this.#readInput(message.handle);
        break;
      case "leave":
        void this.#leave(message.handle);
        break;
      case "progress":
        this.#context.progress(message.completed, message.total, message.message);
        break;
      case "log":
        this.#context.log(message.level, message.message);
        break;
      case "request":
        void this.#grant(message.request, message.ask);
        break;
    }
  }

  #emitted(emission: Emission): void {
    const waiting = this.#waiting;
    if (!waiting) {
      this.#unread.push(emission);
      return;
    }
    this.#waiting = null;
    this.#read += 1;
    waiting.resolve({ done: false, value: emission });
  }

  #tellRead(): void {
    const emissions = this.#read;
    this.#read = 0;
    this.#send({ type: "read", emissions });
  }

  // What the node is given while it runs

  /** Sends the next value of a live input, and those that are there already. */
  async #readInput(handle: string): Promise<void> {
    const values: Value[] = [];
    try {
      const { iterator, ready } = this.#reading(handle);
      let bytes = 0;
      let end = false;
      do {
        const step = await iterator.next();
        end = step.done === true;
        if (step.done) break;
        values.push(step.value);
        bytes += measure(step.value, ALL_DEPTHS);
      } while (ready() && values.length < INPUT_VALUES && bytes < INPUT_BYTES);
      this.#send({ type: "input", handle, values, end });
    } catch (error) {
      if (values.length > 0) this.#send({ type: "input", handle, values, end: false });
      this.#send({ type: "input-failed", handle, error: infoOf(error) });
    }
  }

  #reading(handle: string): Reading {
    let reading = this.#readings.get(handle);
    if (!reading) {
      const input = this.#context.live[handle];
      if (!input) throw new NodeflowError("INTERNAL", `There is no live input "${handle}"`);
      reading = { iterator: input[Symbol.asyncIterator](), ready: () => input.ready === true };
      this.#readings.set(handle, reading);
    }
    return reading;
  }

  async #leave(handle: string): Promise<void> {
    try {
      await this.#reading(handle).iterator.return?.();
    } catch {
      // Whoever leaves has no use for what went wrong.
    }
  }

  async #grant(request: number, ask: Request): Promise<void> {
    try {
      const value = await this.#granted(request, ask);
      this.#send({ type: "granted", request, value });
    } catch (error) {
      this.#send({ type: "refused", request, error: infoOf(error) });
    }
  }

  async #granted(request: number, ask: Request): Promise<Value> {
    switch (ask.what) {
      case "answer":
        return await this.#context.ask(ask.question);
      case "connection": {
        const connection = await this.#context.connection();
        if (this.#isClosed) connection[Symbol.dispose]();
        else this.#requests.set(request, () => connection[Symbol.dispose]());
        return null;
      }
      case "wait": {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#requests.set(request, resolve);
        await this.#context.waitFor(promise);
        return null;
      }
    }
  }

  #done(request: number): void {
    this.#requests.get(request)?.();
    this.#requests.delete(request);
  }

  /** What can't be sent ends the attempt. */
  #send(message: ToFar): void {
    if (this.#isClosed) return;
    try {
      this.#port.send(message);
    } catch (error) {
      this.#stop({ error });
    }
  }

  // The end

  #stop(end: { readonly error?: unknown }): void {
    if (this.#isClosed || this.#stopping) return;
    this.#stopping = true;
    this.#unread.length = 0;
    this.#tellEnd(end);
    this.#grace = this.#clock.setTimer(() => this.#finish(end, false), this.#graceMs);
    this.#send({ type: "stop" });
  }

  #lost(error: unknown): void {
    if (!this.#isClosed) this.#finish({ error }, false);
  }

  #finish(end: { readonly error?: unknown }, finished: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#grace?.cancel();
    this.#context.signal.removeEventListener("abort", this.#onAbort);
    for (const done of this.#requests.values()) done();
    this.#requests.clear();
    for (const handle of this.#readings.keys()) void this.#leave(handle);
    this.#port.close(finished);
    this.#tellEnd(end);
    this.#closed.resolve();
  }

  #tellEnd(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    if (!this.#waiting) return;
    const { resolve, reject } = this.#waiting;
    this.#waiting = null;
    this.#end = {};
    if (end.error === undefined) resolve(DONE);
    else reject(end.error);
  }
}
