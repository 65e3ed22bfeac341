import { failure } from "./failure.ts";

/** What one evaluation may cost, in steps: evaluations of a part of the expression, or as much work inside a function. */
const MAX_STEPS = 400_000;
/** Steps between two turns of the event loop. */
const STEPS_PER_TURN = 2_500;

/** What an evaluation needs of the node that asks for it. */
export interface Setting {
  readonly seed: string;
  readonly signal: AbortSignal;
  /** Gives the event loop a turn. */
  turn(): Promise<void>;
}

/** Wraps an abort on its way through the evaluator, which writes on every error that it sees. */
export class Interrupted {
  readonly reason: unknown;
  position?: unknown;
  token?: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** Counts what an evaluation does, since there is no clock to look at. */
export class Meter {
  readonly setting: Setting;
  #left = MAX_STEPS;
  #nextTurn = MAX_STEPS - STEPS_PER_TURN;

  constructor(setting: Setting) {
    this.setting = setting;
  }

  charge(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw failure("The expression takes too many steps");
  }

  /** True once others should have their turn. */
  get due(): boolean {
    return this.#left < this.#nextTurn;
  }

  async turn(): Promise<void> {
    this.#nextTurn = this.#left - STEPS_PER_TURN;
    try {
      this.setting.signal.throwIfAborted();
      await this.setting.turn();
    } catch (reason) {
      throw new Interrupted(reason);
    }
  }
}
