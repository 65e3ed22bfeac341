import { Buffer } from "node:buffer";
import { NodeflowError, type Value } from "../../../protocol/index.ts";
import { readOutcome } from "../outcome.ts";
import type { Job, Values } from "../sandbox.ts";
import { pack } from "../values.ts";
import type { Child, Listener } from "./child.ts";
import type { Word } from "./message.ts";
import type { Pool } from "./pool.ts";

type Step = IteratorResult<Value, undefined>;
const END: Step = { done: true, value: undefined };
/** Guests write no more than that. */
const MAX_LINES = 1_000;

/** A job that has its child. It computes only while somebody waits for its next value. */
export class Run implements Values, Listener {
  readonly #job: Job;
  readonly #pool: Pool;
  readonly #maxBytes: number;
  #child: Child | null;
  #packed: readonly (string | ArrayBuffer)[] | null;
  #remainingMs: number;
  #begunAt = 0;
  #deadline: NodeJS.Timeout | undefined;
  #settle: { resolve(step: Step): void; reject(error: unknown): void } | null = null;
  #lines = 0;
  /** Why there is no child any more, where nobody waited for a value when it was lost. */
  #lost: NodeflowError | null = null;
  /** Whether its place is counted as computing: from the start, so that it is its own when the first value is asked for. */
  #computes = true;

  constructor(job: Job, child: Child, pool: Pool, maxBytes: number) {
    this.#job = job;
    this.#child = child;
    this.#pool = pool;
    this.#maxBytes = maxBytes;
    this.#remainingMs = job.timeoutMs;
    const { inputs, stream, seed, program } = job;
    this.#packed = pack({ inputs, stream, seed, wasm: program.wasm });
    child.listen(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const child = this.#child;
    if (!child) return this.#lost ? Promise.reject(this.#lost) : Promise.resolve(END);
    if (this.#settle) return Promise.reject(new TypeError("A value is being computed already"));
    if (!this.#computes) {
      this.#pool.resume(child);
      this.#computes = true;
    }
    child.hold(true);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#begunAt = performance.now();
      this.#deadline = setTimeout(() => this.#late(), this.#remainingMs);
      this.#order(child);
    });
  }

  async return(): Promise<Step> {
    const settle = this.#settle;
    if (settle) {
      this.#broken();
      settle.resolve(END);
    } else {
      this.#child?.tell({ type: "end" });
      this.#finished();
    }
    return END;
  }

  heard(word: Word, parts: readonly Uint8Array<ArrayBuffer>[]): void {
    if (word.type === "log") {
      this.#lines += 1;
      if (this.#lines <= MAX_LINES) this.#job.log(word.level, word.message);
      return;
    }
    const settle = this.#settle;
    if (!settle) throw new TypeError(`Nobody asked for ${word.type}`);
    if (word.type === "exhausted") {
      this.lost(exhausted(this.#job));
      return;
    }
    this.#pausing();
    try {
      const outcome = readOutcome(takenOf(word, parts, this.#maxBytes), this.#maxBytes);
      if (outcome.done || !this.#job.stream) this.#finished();
      else this.#rest();
      settle.resolve(outcome.done ? END : { done: false, value: outcome.value });
    } catch (error) {
      if (error instanceof NodeflowError && error.code === "NODE_FAILED") this.#finished();
      else this.#broken();
      settle.reject(error);
    }
  }

  lost(error: NodeflowError): void {
    const settle = this.#settle;
    this.#broken();
    if (settle) settle.reject(error);
    else this.#lost = error;
  }

  /** The first order carries the job, so that a short one costs one message each way. */
  #order(child: Child): void {
    const packed = this.#packed;
    if (!packed) {
      child.tell({ type: "step" });
      return;
    }
    this.#packed = null;
    const { stream, memoryMb, program, group } = this.#job;
    const number = child.enter(group);
    const known = child.know(program.script);
    const order = {
      type: "start",
      group: number,
      stream,
      memoryMb,
      maxBytes: this.#maxBytes,
      ...known,
    } as const;
    child.tell(order, known.scripted ? [program.script, ...packed] : packed);
  }

  #late(): void {
    const { timeoutMs } = this.#job;
    this.lost(new NodeflowError("NODE_TIMEOUT", `The program computed for more than ${timeoutMs} ms`));
  }

  /** It has said what it had to say, and doesn't compute. */
  #pausing(): void {
    clearTimeout(this.#deadline);
    this.#remainingMs = Math.max(1, this.#remainingMs - (performance.now() - this.#begunAt));
    this.#settle = null;
  }

  #rest(): void {
    this.#computes = false;
    this.#child?.hold(false);
    if (this.#child) this.#pool.pause(this.#child);
  }

  #finished(): void {
    this.#leave((child, computed) => this.#pool.release(child, computed));
  }

  #broken(): void {
    this.#leave((child, computed) => this.#pool.discard(child, computed));
  }

  /** Gives the child back, once. */
  #leave(give: (child: Child, computed: boolean) => void): void {
    const child = this.#child;
    if (!child) return;
    clearTimeout(this.#deadline);
    this.#settle = null;
    this.#child = null;
    child.listen(null);
    give(child, this.#computes);
  }
}

function exhausted({ memoryMb }: Job): NodeflowError {
  return new NodeflowError("RESOURCE_EXHAUSTED", `The program needed more than ${memoryMb} MiB of memory`);
}

function takenOf(word: Word, parts: readonly Uint8Array<ArrayBuffer>[], maxBytes: number): unknown {
  if (word.type === "large") {
    throw new NodeflowError("OUTPUT_TOO_LARGE", `The program gave a value of more than ${maxBytes} bytes`);
  }
  const [text, ...buffers] = parts;
  if (word.type !== "taken" || !text) return null;
  return [word.state, Buffer.from(text.buffer).toString(), ...buffers.map((part) => part.buffer)];
}
