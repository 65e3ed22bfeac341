import type { Clock, Timer } from "../../compute/engine/clock.ts";
import { Prng } from "./random.ts";

export interface VirtualClockOptions {
  /** Decides among timers that are due at once, and among turns that wait at once. */
  readonly seed?: number;
  /**
   * `running`: looking at the clock takes a little time, as it does where computing does. `workers`: time stands still
   * but for timers and turns of the event loop, as on production Workers.
   */
  readonly mode?: "running" | "workers";
}

interface Pending extends Timer {
  readonly due: number;
  readonly tie: number;
  readonly callback: () => void;
}

const LOOK_MS = 0.1;
const TURN_MS = 0.5;
/** Real turns without anything new after which nothing more is expected. */
const QUIET_TURNS = 3;

/**
 * Time that jumps to the next timer once everything else has come to rest. What runs on it may use promises as it
 * likes, but no real timers and no I/O: then a run is the same every time.
 */
export class VirtualClock implements Clock {
  readonly #random: Prng;
  readonly #look: number;
  #now = 1_700_000_000_000;
  #timers = new Set<Pending>();
  #turns: (() => void)[] = [];
  #scheduled = false;
  #stopped = false;
  #activity = 0;

  constructor(options: VirtualClockOptions = {}) {
    this.#random = new Prng(options.seed ?? 0);
    this.#look = options.mode === "workers" ? 0 : LOOK_MS;
  }

  now(): number {
    this.#now += this.#look;
    return this.#now;
  }

  setTimer(callback: () => void, ms: number): Timer {
    if (!(ms >= 0)) throw new RangeError(`A timer of ${ms} ms`);
    const timer: Pending = {
      due: this.#now + ms,
      tie: this.#random.next(),
      callback,
      cancel: () => {
        this.#timers.delete(timer);
      },
    };
    this.#timers.add(timer);
    this.#schedule();
    return timer;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#turns.push(resolve);
      this.#schedule();
    });
  }

  /** What is set and has not come. Zero once a run has left nothing behind. */
  get pending(): { readonly timers: number; readonly turns: number } {
    return { timers: this.#timers.size, turns: this.#turns.length };
  }

  /** Nothing is called any more. */
  stop(): void {
    this.#stopped = true;
    this.#timers.clear();
    this.#turns = [];
  }

  /** Resolves once nothing is pending and nothing more comes: then who still waits for something waits for ever. */
  async idle(): Promise<void> {
    let quiet = 0;
    while (quiet < QUIET_TURNS && !this.#stopped) {
      const before = this.#activity;
      await new Promise(setImmediate);
      const rests = this.#timers.size === 0 && this.#turns.length === 0 && before === this.#activity;
      quiet = rests ? quiet + 1 : 0;
    }
  }

  #schedule(): void {
    this.#activity += 1;
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    // A turn of the real event loop: by then all promises that could go on have gone on.
    setImmediate(() => {
      this.#scheduled = false;
      this.#advance();
      if (this.#timers.size > 0 || this.#turns.length > 0) this.#schedule();
    });
  }

  #advance(): void {
    const next = this.#next();
    if (this.#turns.length > 0 && !(next && next.due <= this.#now)) {
      const turns = this.#random.shuffle(this.#turns);
      this.#turns = [];
      this.#now += TURN_MS;
      for (const resolve of turns) resolve();
    } else if (next) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
    }
  }

  #next(): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.due < next.due || (timer.due === next.due && timer.tie < next.tie)) next = timer;
    }
    return next;
  }
}
