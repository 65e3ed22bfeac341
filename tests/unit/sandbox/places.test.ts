import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Place, Places } from "../../../compute/sandbox/places.ts";

const never = new AbortController().signal;

/** Whether a promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => true).catch(() => true), later()]);
}

async function later(): Promise<false> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return false;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("places", () => {
  test("whoever finds none free enters in line, when somebody leaves", async () => {
    const places = new Places({ computing: 1, most: 2 });
    const first = await places.enter(never);
    const second = places.enter(never);
    const third = places.enter(never);
    expect(await settled(second)).toBe(false);
    first.leave();
    (await second).leave();
    expect(await settled(third)).toBe(true);
  });

  test("a job whose reader has no room lends its place, so that the reader's own job can run", async () => {
    const places = new Places({ computing: 1, most: 2 });
    const source = await places.enter(never);
    const reader = places.enter(never);
    source.lend(true);
    const entered: Place = await reader;
    source.lend(false);
    entered.leave();
    source.leave();
    expect(await settled(places.enter(never))).toBe(true);
  });

  test("those that have lent theirs are counted as well", async () => {
    const places = new Places({ computing: 1, most: 2 });
    for (let n = 0; n < 2; n += 1) (await places.enter(never)).lend(true);
    expect(await settled(places.enter(never))).toBe(false);
  });

  test("where all only wait for readers, who waits in line fails after a while, and may try again", async () => {
    const places = new Places({ computing: 1, most: 1, patienceMs: 1_000 });
    const holder = await places.enter(never);
    holder.lend(true);
    const waiter = places.enter(never).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(999);
    expect(await settled(waiter)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiter).toMatchObject({ code: "RESOURCE_EXHAUSTED", retryable: true });
  });

  test("and doesn't, as long as somebody computes", async () => {
    const places = new Places({ computing: 1, most: 1, patienceMs: 1_000 });
    const holder = await places.enter(never);
    const waiter = places.enter(never);
    holder.lend(true);
    holder.lend(false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await settled(waiter)).toBe(false);
    holder.leave();
    expect(await settled(waiter)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("whoever gives up leaves the line", async () => {
    const places = new Places({ computing: 1, most: 1 });
    const holder = await places.enter(never);
    const leaving = new AbortController();
    const gone = places.enter(leaving.signal).catch((error: unknown) => error);
    const next = places.enter(never);
    leaving.abort("enough");
    expect(await gone).toBe("enough");
    holder.leave();
    expect(await settled(next)).toBe(true);
  });
});
