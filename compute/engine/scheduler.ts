import type { Clock } from "./clock.ts";
import { Queue } from "./queue.ts";
import { Slice } from "./turns.ts";

/** Something that is ready to compute. */
export interface Runnable {
  /** False for containers, which wait for what is inside them and hold no slot. */
  readonly needsSlot: boolean;
  begin(): void;
}

/**
 * Decides when what is ready may go on: while a slot is free, the reader has room, and the event loop gets its turns.
 * It also knows whether anything goes on at all, for a run that waits for nothing but answers must end.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #hasRoom: () => boolean;
  readonly #whenRoom: (callback: () => void) => void;
  readonly #whenIdle: () => void;
  readonly #whenBroken: (error: unknown) => void;
  readonly #slice: Slice;
  readonly #ready = new Queue<Runnable>();
  /** Those whose turn had come when no slot was free: what needs none passes them. */
  readonly #blocked = new Queue<Runnable>();
  readonly #resuming = new Queue<() => void>();
  #handing = false;
  #free: number;
  #held = 0;
  #slots: number;
  #pumping = false;
  #paused = false;
  #stopped = false;

  constructor(
    clock: Clock,
    slots: number,
    outbox: { readonly hasRoom: boolean; whenRoom(callback: () => void): void },
    whenIdle: () => void,
    whenBroken: (error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#slice = new Slice(clock);
    this.#slots = slots;
    this.#free = slots;
    this.#hasRoom = () => outbox.hasRoom;
    this.#whenRoom = (callback) => outbox.whenRoom(callback);
    this.#whenIdle = whenIdle;
    this.#whenBroken = whenBroken;
  }

  /** Begins it as soon as it may. */
  add(runnable: Runnable): void {
    this.#ready.push(runnable);
    this.pump();
  }

  /** Calls back with a slot: at once if one is free. Those who go on come before those who begin. */
  resume(callback: () => void): void {
    if (this.#free > 0) {
      this.#free -= 1;
      callback();
    } else {
      this.#resuming.push(callback);
    }
  }

  /** Gives a slot back. */
  release(): void {
    this.#free += 1;
    // Whoever gets it may give it back at once: the loop that is under way sees to the rest.
    if (this.#handing) return;
    this.#handing = true;
    while (this.#free > 0 && this.#resuming.size > 0) {
      this.#free -= 1;
      this.#resuming.take()?.();
    }
    this.#handing = false;
    this.pump();
    this.checkIdle();
  }

  /** Something other than a computing node keeps the run going: a timer, a reader without room. */
  hold(): void {
    this.#held += 1;
  }

  unhold(): void {
    this.#held -= 1;
    this.checkIdle();
  }

  get idle(): boolean {
    return (
      this.#free === this.#slots &&
      this.#held === 0 &&
      !this.#paused &&
      this.#ready.size === 0 &&
      this.#blocked.size === 0 &&
      this.#resuming.size === 0
    );
  }

  /** Counts a step of the engine's own work; true once the event loop needs a turn. */
  spent(): boolean {
    return this.#slice.spent();
  }

  /** Gives the event loop a turn. */
  async turn(): Promise<void> {
    await this.#clock.turn();
    this.#slice.begin();
  }

  /** Nothing begins any more. */
  stop(): void {
    this.#stopped = true;
    this.#ready.clear();
    this.#blocked.clear();
    this.#resuming.clear();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Does something in one go: what becomes ready begins after it. */
  withoutStarting(work: () => void): void {
    const nested = this.#pumping;
    this.#pumping = true;
    try {
      work();
    } finally {
      this.#pumping = nested;
    }
    this.pump();
  }

  pump(): void {
    if (this.#pumping || this.#paused || this.#stopped) return;
    this.#pumping = true;
    while (!this.#stopped && (this.#ready.size > 0 || (this.#free > 0 && this.#blocked.size > 0))) {
      if (!this.#hasRoom()) {
        this.#pause((go) => this.#whenRoom(go));
        break;
      }
      if (this.#slice.spent()) {
        this.#pause((go) => void this.turn().then(go, this.#whenBroken));
        break;
      }
      const blocked = this.#free > 0 && this.#blocked.size > 0;
      const runnable = (blocked ? this.#blocked : this.#ready).take() as Runnable;
      if (!runnable.needsSlot) {
        this.#begin(runnable);
      } else if (this.#free > 0) {
        this.#free -= 1;
        this.#begin(runnable);
      } else {
        this.#blocked.push(runnable);
      }
    }
    this.#pumping = false;
    // Slots given back meanwhile were noticed by nobody.
    this.checkIdle();
  }

  #begin(runnable: Runnable): void {
    try {
      runnable.begin();
    } catch (error) {
      this.#whenBroken(error);
    }
  }

  #pause(until: (go: () => void) => void): void {
    this.#paused = true;
    until(() => {
      this.#paused = false;
      this.pump();
      this.checkIdle();
    });
  }

  /** Tells the run if nothing goes on. */
  checkIdle(): void {
    if (this.idle) this.#whenIdle();
  }
}
