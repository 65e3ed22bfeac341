import type { Output } from "./output.ts";
import type { AttemptPart, RunPart, SeatPart } from "./parts.ts";
import { Deadline } from "./policy.ts";

/**
 * An attempt among those that compute. A node computes while it has one of the run's slots. A container has none: it
 * computes while nothing is in it and it waits for nothing, and the run doesn't end meanwhile. What computes lets time
 * pass for its own timeouts and for those of every container that it is in: so these stand still while everything
 * inside waits.
 */
export class Seat implements SeatPart {
  readonly #run: RunPart;
  readonly #container: boolean;
  readonly #deadline: Deadline | null;
  /** Of the container that it is in, if there are timeouts to count for, there or further out. */
  readonly #around: SeatPart | null;
  #computes = false;
  /** Who computes inside, at any depth. Counted only where there are timeouts. */
  #busy = 0;
  #children = 0;
  #waits = 0;
  #waitsForRoom = false;
  /** Timeouts count from the start that is reported. */
  #started = false;
  #left = false;
  #wake: (() => void) | null = null;
  /** Who gave it its place, and wants to know when it is not computing there. */
  #host: ((waits: boolean) => void) | null = null;

  constructor(attempt: AttemptPart) {
    const { scope, plan } = attempt.node;
    this.#run = scope.run;
    this.#container = plan.nested !== null;
    const { timeoutMs, idleTimeoutMs } = plan.policy;
    this.#deadline =
      timeoutMs === undefined && idleTimeoutMs === undefined
        ? null
        : new Deadline(this.#run.clock, timeoutMs, idleTimeoutMs, (error) => attempt.fail(error));
    const around = scope.container?.seat ?? null;
    this.#around = around?.isTimed ? around : null;
  }

  get isTimed(): boolean {
    return this.#deadline !== null || this.#around !== null;
  }

  /** The attempt begins. A node has been given its slot. */
  take(): void {
    if (this.#container) this.#run.scheduler.hold();
    this.#set(true);
  }

  /** It has a place, and its start is reported. */
  started(host: ((waits: boolean) => void) | null): void {
    this.#started = true;
    this.#host = host;
    this.#count();
  }

  emitted(): void {
    this.#deadline?.emitted();
  }

  /** A nested run of a container has begun … */
  addChild(): void {
    this.#children += 1;
    this.#update();
  }

  /** … and is over. */
  removeChild(): void {
    this.#children -= 1;
    this.#update();
  }

  beginWait(): void {
    const { scheduler } = this.#run;
    this.#waits += 1;
    if (this.#container) {
      this.#update();
    } else if (this.#computes) {
      this.#set(false);
      scheduler.release();
      return;
    }
    // What it waits for may be an answer, which a run that is idle already was not known to wait for.
    scheduler.checkIdle();
  }

  /** Whoever still waits for something else takes no slot: that may need the slot to come. */
  endWait(callback: () => void): void {
    if (this.#left) return;
    this.#waits -= 1;
    if (this.#container || this.#computes || this.#waits > 0) {
      this.#update();
      callback();
      return;
    }
    const { scheduler } = this.#run;
    scheduler.resume(() => {
      // It may have begun to wait again before its turn came.
      const computes = !this.#left && !this.#computes && this.#waits === 0;
      if (computes) this.#set(true);
      else scheduler.release();
      if (!this.#left) callback();
    });
  }

  /** What to wait for before the next emission, if anything: readers of this output, the run's reader, a turn. */
  room(output: Output): Promise<void> | null {
    if (!output.full && this.#run.outbox.hasRoom && !this.#run.scheduler.spent()) return null;
    return this.#untilRoom(output);
  }

  async #untilRoom(output: Output): Promise<void> {
    const { outbox, scheduler } = this.#run;
    while (!this.#left) {
      if (output.full) {
        await this.#waitForRoom((wake) => output.whenRoom(wake));
      } else if (!outbox.hasRoom) {
        // The reader comes back or the run ends: it goes on either way.
        scheduler.hold();
        await this.#waitForRoom((wake) => outbox.whenRoom(wake));
        scheduler.unhold();
      } else if (scheduler.spent()) {
        await scheduler.turn();
      } else {
        return;
      }
    }
  }

  #waitForRoom(subscribe: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#waitsForRoom = true;
      // Before the slot is given back: whoever gets it may make room at once.
      subscribe(() => {
        this.#waitsForRoom = false;
        this.endWait(resolve);
      });
      this.beginWait();
    });
  }

  inside(by: 1 | -1): void {
    if (!this.isTimed) return;
    this.#busy += by;
    this.#around?.inside(by);
    this.#count();
  }

  /** The attempt is over: it computes no more, and whoever waits for room stops waiting. */
  leave(): void {
    this.#left = true;
    this.#host = null;
    this.#deadline?.end();
    if (this.#computes) {
      this.#set(false);
      if (this.#container) this.#run.scheduler.unhold();
      else this.#run.scheduler.release();
    }
    this.#wake?.();
  }

  /** A container computes itself where there is nothing that it could be waiting for. */
  #update(): void {
    if (!this.#container || this.#left) return;
    const computes = this.#children === 0 && this.#waits === 0;
    if (computes === this.#computes) {
      this.#count();
      return;
    }
    this.#set(computes);
    if (computes) this.#run.scheduler.hold();
    else this.#run.scheduler.unhold();
  }

  #set(computes: boolean): void {
    this.#computes = computes;
    this.#host?.(!computes);
    this.#around?.inside(computes ? 1 : -1);
    this.#count();
  }

  #count(): void {
    if (this.#deadline === null || !this.#started || this.#left) return;
    if ((this.#computes || this.#busy > 0) && !this.#waitsForRoom) this.#deadline.resume();
    else this.#deadline.pause();
  }
}
