import type { CancelReason } from "../../protocol/index.ts";
import type { Clock, Execution } from "../engine/index.ts";
import type { Grant } from "./access/grant.ts";
import { Refusal } from "./answer.ts";

const RETRY_AFTER_S = 1;
/** How long a cancelled run has to end and to be read to its terminal update: the engine itself takes up to 2 s. */
const LAST_WORDS_MS = 5_000;

/** The right to one run. Held from before the body is read until the last byte of the answer has been taken. */
export interface Slot extends Disposable {
  /** From now on the run can be cancelled by its caller, and disposing of the slot is up to `release`. */
  hold(execution: Execution): void;
  release(): void;
}

/** The runs under way in this instance. It keeps nothing of a run but the means to stop it. */
export class Runs {
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #slots = new Set<ActiveSlot>();
  readonly #byPrincipal = new Map<string, number>();
  readonly #byId = new Map<string, ActiveSlot>();
  #draining = false;
  #whenEmpty: (() => void) | undefined;

  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity;
    this.#clock = clock;
  }

  get active(): number {
    return this.#slots.size;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Throws while draining: called again before a run begins, since reading and planning take time. */
  refuseWhileDraining(): void {
    if (this.#draining) {
      throw new Refusal("DRAINING", "This instance is shutting down", { retryAfter: RETRY_AFTER_S });
    }
  }

  reserve(grant: Grant): Slot {
    this.refuseWhileDraining();
    const own = this.#byPrincipal.get(grant.principal) ?? 0;
    if (this.#slots.size >= this.#capacity || own >= (grant.limits?.maxActiveRuns ?? Infinity)) {
      throw new Refusal("CAPACITY_EXCEEDED", "As many runs as allowed are under way", {
        retryAfter: RETRY_AFTER_S,
      });
    }
    const slot = new ActiveSlot(
      grant.principal,
      (released) => this.#release(released),
      (held, id) => {
        this.#byId.set(id, held);
      },
    );
    this.#slots.add(slot);
    this.#byPrincipal.set(grant.principal, own + 1);
    return slot;
  }

  /** False if there is no such run of this caller: whose a run is, is not told. */
  cancel(executionId: string, principal: string, reason: CancelReason): boolean {
    const slot = this.#byId.get(executionId);
    if (slot?.principal !== principal) return false;
    slot.execution?.cancel(reason);
    return true;
  }

  /** Takes no more runs, waits for those under way, cancels what is left after `graceMs`, and waits for its end. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    if (await this.#emptyWithin(graceMs)) return;
    for (const slot of this.#slots) slot.execution?.cancel("shutdown");
    await this.#emptyWithin(LAST_WORDS_MS);
  }

  #emptyWithin(ms: number): Promise<boolean> {
    if (this.#slots.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(() => {
        this.#whenEmpty = undefined;
        resolve(false);
      }, ms);
      this.#whenEmpty = () => {
        timer.cancel();
        resolve(true);
      };
    });
  }

  #release(slot: ActiveSlot): void {
    if (!this.#slots.delete(slot)) return;
    if (slot.execution) this.#byId.delete(slot.execution.executionId);
    const left = (this.#byPrincipal.get(slot.principal) ?? 1) - 1;
    if (left > 0) this.#byPrincipal.set(slot.principal, left);
    else this.#byPrincipal.delete(slot.principal);
    if (this.#slots.size === 0) this.#whenEmpty?.();
  }
}

class ActiveSlot implements Slot {
  readonly principal: string;
  readonly #onRelease: (slot: ActiveSlot) => void;
  readonly #onHold: (slot: ActiveSlot, executionId: string) => void;
  execution: Execution | undefined;

  constructor(
    principal: string,
    onRelease: (slot: ActiveSlot) => void,
    onHold: (slot: ActiveSlot, executionId: string) => void,
  ) {
    this.principal = principal;
    this.#onRelease = onRelease;
    this.#onHold = onHold;
  }

  hold(execution: Execution): void {
    this.execution = execution;
    this.#onHold(this, execution.executionId);
  }

  release(): void {
    this.#onRelease(this);
  }

  [Symbol.dispose](): void {
    if (!this.execution) this.release();
  }
}
