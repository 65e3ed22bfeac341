import { describe, expect, it } from "vitest";
import type { Clock } from "../../compute/engine/index.ts";

/** What the suite needs of a clock under test. */
export interface ClockUnderTest {
  readonly clock: Clock;
  /** Something on the same event loop that takes a turn of it, and isn't the clock. */
  macrotask(): Promise<void>;
}

/** What every `Clock` must do, whatever it stands on. */
export function clockContract(name: string, create: () => ClockUnderTest): void {
  const elapse = (clock: Clock, ms: number) => new Promise<void>((resolve) => clock.setTimer(resolve, ms));

  describe(`Clock: ${name}`, () => {
    it("tells milliseconds since the epoch, and never goes back", async () => {
      const { clock } = create();
      const first = clock.now();
      expect(first).toBeGreaterThan(Date.UTC(2020));
      await elapse(clock, 5);
      expect(clock.now()).toBeGreaterThanOrEqual(first);
    });

    it("calls a timer once, not before its time", async () => {
      const { clock } = create();
      let calls = 0;
      const set = clock.now();
      await new Promise<void>((resolve) => {
        clock.setTimer(() => {
          calls += 1;
          resolve();
        }, 20);
      });
      // Hosts round their clocks to whole milliseconds.
      expect(clock.now() - set).toBeGreaterThanOrEqual(19);
      await elapse(clock, 30);
      expect(calls).toBe(1);
    });

    it("calls timers in the order in which they are due", async () => {
      const { clock } = create();
      const order: number[] = [];
      const timers = [40, 1, 20].map((ms) => elapse(clock, ms).then(() => order.push(ms)));
      await Promise.all(timers);
      expect(order).toEqual([1, 20, 40]);
    });

    it("never calls a timer from within `setTimer`, not even without delay", async () => {
      const { clock } = create();
      let called = false;
      const timer = new Promise<void>((resolve) => {
        clock.setTimer(() => {
          called = true;
          resolve();
        }, 0);
      });
      expect(called).toBe(false);
      await Promise.resolve();
      expect(called).toBe(false);
      await timer;
    });

    it("doesn't call a cancelled timer, and cancels as often as one likes", async () => {
      const { clock } = create();
      let called = false;
      const timer = clock.setTimer(() => {
        called = true;
      }, 5);
      timer.cancel();
      timer.cancel();
      await elapse(clock, 20);
      expect(called).toBe(false);
    });

    it("takes the cancelling of a timer that has come", async () => {
      const { clock } = create();
      const timer = await new Promise<{ cancel(): void }>((resolve) => {
        const set = clock.setTimer(() => resolve(set), 1);
      });
      expect(() => timer.cancel()).not.toThrow();
    });

    it("waits for the longest delay that a policy may have", async () => {
      const { clock } = create();
      let called = false;
      const timer = clock.setTimer(() => {
        called = true;
      }, 2_147_483_647);
      await Promise.all([clock.turn(), clock.turn()]);
      timer.cancel();
      expect(called).toBe(false);
    });

    it("gives the event loop a turn", async () => {
      const { clock, macrotask } = create();
      let served = false;
      const other = macrotask().then(() => {
        served = true;
      });
      for (let turn = 0; turn < 3 && !served; turn += 1) await clock.turn();
      expect(served).toBe(true);
      await other;
    });

    it("lets timers come while someone takes turn after turn", async () => {
      const { clock } = create();
      let due = false;
      clock.setTimer(() => {
        due = true;
      }, 5);
      let turns = 0;
      while (!due && turns < 1_000_000) {
        await clock.turn();
        turns += 1;
      }
      expect(due).toBe(true);
    });
  });
}
