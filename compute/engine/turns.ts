import type { Steps } from "../../protocol/index.ts";
import type { Clock } from "./clock.ts";

/** The engine's own work between two turns of the event loop: at most this long … */
const SLICE_MS = 5;
/** … looked at every so many steps, since reading the clock costs more than a step. */
const CHECK_EVERY = 16;
/** … and at most this many steps, where the clock stands still during computation. */
const MAX_STEPS = 4096;

/** Measures out work so that the event loop gets its turns. One per run. */
export class Slice {
  readonly #clock: Clock;
  #spent = false;
  #steps = 0;
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begin();
  }

  /** A new slice begins: the event loop has just had a turn. */
  begin(): void {
    this.#spent = false;
    this.#steps = 0;
    this.#until = this.#clock.now() + SLICE_MS;
  }

  /** Counts one step; true once it is time for a turn, and until it has been given. */
  spent(): boolean {
    if (this.#spent) return true;
    this.#steps += 1;
    if (this.#steps % CHECK_EVERY !== 0) return false;
    this.#spent = this.#steps >= MAX_STEPS || this.#clock.now() >= this.#until;
    return this.#spent;
  }
}

/** Steps of `cooperate` are longer than the scheduler's: so many at most, where the clock stands still. */
const MAX_LONG_STEPS = 128;

/** Runs steps with a turn of the event loop wherever their time is up. Rejects at the next one once `signal` is aborted. */
export async function cooperate<T>(steps: Steps<T>, clock: Clock, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  let until = clock.now() + SLICE_MS;
  for (let taken = 1; ; taken++) {
    const step = steps.next();
    if (step.done) return step.value;
    if (taken % MAX_LONG_STEPS !== 0 && clock.now() < until) continue;
    await clock.turn();
    signal?.throwIfAborted();
    until = clock.now() + SLICE_MS;
  }
}
