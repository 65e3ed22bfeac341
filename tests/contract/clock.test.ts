import { describe, expect, it } from "vitest";
import { webClock } from "../../compute/hosts/web.ts";
import { VirtualClock } from "../support/clock.ts";
import { clockContract } from "./clock.ts";

const macrotask = () => new Promise<void>((resolve) => setImmediate(resolve));

clockContract("of the web", () => ({ clock: webClock(), macrotask }));
clockContract("virtual", () => ({ clock: new VirtualClock({ seed: 3 }), macrotask }));
clockContract("virtual, standing still but for I/O", () => ({
  clock: new VirtualClock({ seed: 3, mode: "workers" }),
  macrotask,
}));

describe("the virtual clock", () => {
  const wait = (clock: VirtualClock, ms: number) =>
    new Promise<void>((resolve) => void clock.setTimer(resolve, ms));

  it("jumps over an hour in no time", async () => {
    const clock = new VirtualClock();
    const began = performance.now();
    await wait(clock, 3_600_000);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("stands still while nothing waits, in the mode of Workers", async () => {
    const clock = new VirtualClock({ mode: "workers" });
    const first = clock.now();
    for (let look = 0; look < 1_000; look += 1) expect(clock.now()).toBe(first);
    await clock.turn();
    expect(clock.now()).toBeGreaterThan(first);
  });

  it("orders what is due at once by its seed, and the same way each time", async () => {
    const order = async (seed: number) => {
      const clock = new VirtualClock({ seed, mode: "workers" });
      const seen: number[] = [];
      await Promise.all([0, 1, 2, 3, 4, 5].map((n) => wait(clock, 10).then(() => seen.push(n))));
      return seen.join("");
    };
    expect(await order(1)).toBe(await order(1));
    const orders = await Promise.all([1, 2, 3, 4, 5].map(order));
    expect(new Set(orders).size).toBeGreaterThan(1);
  });

  it("knows when nothing is pending any more", async () => {
    const clock = new VirtualClock();
    let came = false;
    clock.setTimer(() => {
      came = true;
    }, 10);
    await clock.idle();
    expect(came).toBe(true);
    expect(clock.pending).toEqual({ timers: 0, turns: 0 });
  });
});
