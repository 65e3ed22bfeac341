import { NodeflowError } from "../../../protocol/index.ts";
import type { Job } from "../sandbox.ts";
import { CAN_SUSPEND } from "./web-assembly.ts";

/**
 * What a metered QuickJS gets through in a millisecond: calls, turns of loops, 64 bytes moved. Measured in loops over integers,
 * objects, text, bytes and promises on a server's core: 200,000 to 600,000. Where the clock stands still, this is a millisecond.
 */
export const STEPS_PER_MS = 300_000;

/** Steps between two turns of the event loop: some 5 ms. */
const SLICE = 5 * STEPS_PER_MS;

export interface BudgetOptions {
  /** Lets everything else on this thread go on. */
  readonly turn: () => Promise<void>;
  /** In ms. Absent where the clock stands still while a program computes: there only steps count. */
  readonly now?: () => number;
}

/** What is left of a job's time. */
export class Budget {
  readonly #timeoutMs: number;
  readonly #options: BudgetOptions;
  readonly #ended: () => boolean;
  #steps: number;
  #computedMs = 0;
  #since: number | undefined;

  constructor(job: Job, ended: () => boolean, options: BudgetOptions) {
    this.#timeoutMs = job.timeoutMs;
    this.#steps = options.now ? Number.POSITIVE_INFINITY : job.timeoutMs * STEPS_PER_MS;
    this.#ended = ended;
    this.#options = options;
  }

  /** Around everything that a program computes: what it waits for between doesn't count. */
  resume(): void {
    this.#since = this.#options.now?.();
  }

  pause(): void {
    const { now } = this.#options;
    if (now && this.#since !== undefined) this.#computedMs += now() - this.#since;
    this.#since = undefined;
  }

  refuel(mayWait: boolean): number | Promise<number> {
    this.pause();
    const fuel = this.#slice();
    if (!mayWait || !CAN_SUSPEND) {
      this.resume();
      return fuel;
    }
    return this.#options.turn().then(() => {
      if (this.#ended()) throw new EndedError();
      this.resume();
      return fuel;
    });
  }

  #slice(): number {
    if (this.#ended()) throw new EndedError();
    if (this.#steps <= 0 || this.#computedMs >= this.#timeoutMs) {
      throw new NodeflowError("NODE_TIMEOUT", `The program computed for more than ${this.#timeoutMs} ms`);
    }
    const slice = Math.min(SLICE, this.#steps);
    this.#steps -= slice;
    return slice;
  }
}

/** Nobody wants the program's answer any more. */
export class EndedError extends Error {
  override readonly name = "EndedError";
}
