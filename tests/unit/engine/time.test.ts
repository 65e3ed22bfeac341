import { describe, expect, test } from "vitest";
import type { Clock } from "../../../compute/engine/index.ts";
import { Deadline, retryDelay } from "../../../compute/engine/policy.ts";
import { Slice } from "../../../compute/engine/turns.ts";
import { Retry } from "../../../protocol/index.ts";

/** A clock that is set by hand. */
class Hand implements Clock {
  time = 0;
  timers = new Set<{ due: number; callback: () => void }>();
  now() {
    return this.time;
  }
  setTimer(callback: () => void, ms: number) {
    const timer = { due: this.time + ms, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }
  turn() {
    return Promise.resolve();
  }
  pass(ms: number) {
    this.time += ms;
    for (const timer of this.timers) {
      if (timer.due > this.time) continue;
      this.timers.delete(timer);
      timer.callback();
    }
  }
}

describe("a slice of work", () => {
  test("is spent after 5 ms, and stays so until the event loop has had its turn", () => {
    const clock = new Hand();
    const slice = new Slice(clock);
    const steps = () => Array.from({ length: 100 }, () => slice.spent()).includes(true);
    expect(steps()).toBe(false);
    clock.time += 5;
    expect(steps()).toBe(true);
    expect(slice.spent()).toBe(true);
    slice.begin();
    expect(steps()).toBe(false);
  });

  test("is spent after so many steps where the clock stands still", () => {
    const slice = new Slice(new Hand());
    let steps = 0;
    while (!slice.spent()) steps += 1;
    expect(steps).toBeLessThan(5_000);
  });
});

describe("a deadline", () => {
  const expiring = (timeoutMs?: number, idleMs?: number) => {
    const clock = new Hand();
    const expired: string[] = [];
    const deadline = new Deadline(clock, timeoutMs, idleMs, (error) => expired.push(error.code));
    return { clock, expired, deadline };
  };

  test("counts only while the node is waited for", () => {
    const { clock, expired, deadline } = expiring(100);
    deadline.resume();
    clock.pass(60);
    deadline.pause();
    clock.pass(1_000);
    deadline.resume();
    clock.pass(39);
    expect(expired).toEqual([]);
    clock.pass(1);
    expect(expired).toEqual(["NODE_TIMEOUT"]);
    expect(clock.timers.size).toBe(0);
  });

  test("of idleness begins again at each emission, the other one doesn't", () => {
    const { clock, expired, deadline } = expiring(250, 100);
    deadline.resume();
    for (let emission = 0; emission < 2; emission++) {
      clock.pass(90);
      deadline.emitted();
    }
    clock.pass(69);
    expect(expired).toEqual([]);
    clock.pass(1);
    expect(expired).toEqual(["NODE_TIMEOUT"]);
  });
});

describe("the wait before another attempt", () => {
  const retry = (fields: object) => Retry.parse({ maxAttempts: 9, ...fields });
  const random = (byte: number) => () => Uint8Array.of(byte);

  test("grows by its factor up to its limit", () => {
    const policy = retry({ delayMs: 100, factor: 3, maxDelayMs: 1_000 });
    expect([1, 2, 3, 4].map((failures) => retryDelay(policy, failures, random(0)))).toEqual([
      100, 300, 900, 1_000,
    ]);
  });

  test("is shortened by up to its jitter", () => {
    const policy = retry({ delayMs: 1_000, jitter: 0.5 });
    expect(retryDelay(policy, 1, random(0))).toBe(1_000);
    expect(retryDelay(policy, 1, random(255))).toBeGreaterThanOrEqual(500);
    expect(retryDelay(policy, 1, random(255))).toBeLessThan(510);
  });
});
