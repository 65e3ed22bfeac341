import { NodeflowError } from "../../../protocol/index.ts";
import type { Clock, Timer } from "../../engine/index.ts";

/** How hard one origin may be called by all runs of a process together. */
export interface Pace {
  /** Calls under way at once. Beyond: they wait. */
  readonly concurrency: number;
  /** Calls begun in a second, over time. Beyond: they wait. */
  readonly perSecond: number;
  /** Calls begun at once after a pause. */
  readonly burst: number;
}

/** What a service of some size takes without noticing. */
export const DEFAULT_PACE: Pace = { concurrency: 32, perSecond: 50, burst: 100 };

/** Calls waiting for one origin. Beyond: they fail, and may be tried again. */
const MAX_WAITING = 10_000;
/** How soon a call that found no place in the queue may come again. */
const COME_AGAIN_MS = 1_000;
/** Origins remembered. Beyond, those that nobody calls are forgotten, which only refills their burst. */
const MAX_ORIGINS = 1_000;

/** A turn that has come, or will. */
export type Turn = Disposable | { readonly turn: Promise<Disposable>; giveUp(): void };

/** Who may call which origin when. */
export class Turns {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #origins = new Map<string, Origin>();

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /** A turn with an origin: at once, or in the order in which they were asked for. Throws if too many wait. */
  take(name: string): Turn {
    let origin = this.#origins.get(name);
    if (!origin) {
      if (this.#origins.size >= MAX_ORIGINS) this.#forget();
      origin = new Origin(this.#clock, this.#pace);
      this.#origins.set(name, origin);
    }
    const turn = origin.take();
    if (turn) return turn;
    throw new NodeflowError("UPSTREAM_ERROR", `More than ${MAX_WAITING} calls wait for ${name}`, {
      details: { retryAfterMs: COME_AGAIN_MS },
    });
  }

  #forget(): void {
    for (const [name, origin] of this.#origins) if (origin.idle) this.#origins.delete(name);
  }
}

class Origin {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #waiting = new Set<(turn: Disposable) => void>();
  #open = 0;
  #tokens: number;
  #at: number;
  #timer: Timer | null = null;

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
    this.#tokens = pace.burst;
    this.#at = clock.now();
  }

  get idle(): boolean {
    return this.#open === 0 && this.#waiting.size === 0;
  }

  /** Null if too many wait. */
  take(): Turn | null {
    if (this.#waiting.size === 0 && this.#mayBegin()) return this.#begin();
    if (this.#waiting.size >= MAX_WAITING) return null;
    const { promise, resolve } = Promise.withResolvers<Disposable>();
    this.#waiting.add(resolve);
    this.#pump();
    return {
      turn: promise,
      giveUp: () => {
        // Whoever is no longer in the queue has a turn, or will have it in a moment.
        if (!this.#waiting.delete(resolve)) void promise.then((turn) => turn[Symbol.dispose]());
        else if (this.#waiting.size === 0) this.#timer?.cancel();
      },
    };
  }

  #pump(): void {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#mayBegin()) {
      const [next] = this.#waiting;
      if (!next) return;
      this.#waiting.delete(next);
      next(this.#begin());
    }
    if (this.#waiting.size === 0 || this.#open >= this.#pace.concurrency) return;
    const ms = ((1 - this.#tokens) * 1000) / this.#pace.perSecond;
    this.#timer = this.#clock.setTimer(() => this.#pump(), Math.ceil(ms));
  }

  #mayBegin(): boolean {
    const { concurrency, perSecond, burst } = this.#pace;
    const now = this.#clock.now();
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) * perSecond) / 1000);
    this.#at = now;
    return this.#open < concurrency && this.#tokens >= 1;
  }

  #begin(): Disposable {
    this.#open += 1;
    this.#tokens -= 1;
    let over = false;
    return {
      [Symbol.dispose]: () => {
        if (over) return;
        over = true;
        this.#open -= 1;
        this.#pump();
      },
    };
  }
}
