import { describe, expect, test } from "vitest";
import { type Turn, Turns } from "../../../../compute/nodes/network/turns.ts";
import { NodeflowError } from "../../../../protocol/index.ts";
import { VirtualClock } from "../../../support/clock.ts";

const turnOf = async (turn: Turn) => ("turn" in turn ? await turn.turn : turn);
const isNow = (turn: Turn) => !("turn" in turn);

describe("turns with an origin", () => {
  test("come at once up to the burst, then by the rate, in the order of asking", async () => {
    const clock = new VirtualClock({ mode: "workers" });
    const turns = new Turns(clock, { concurrency: 1_000, perSecond: 10, burst: 5 });
    const begun = clock.now();
    const came: [number, number][] = [];
    const asked = Array.from({ length: 20 }, (_, at) => ({ at, turn: turns.take("https://a.example") }));
    expect(asked.filter(({ turn }) => isNow(turn))).toHaveLength(5);
    await Promise.all(
      asked.map(async ({ at, turn }) => {
        await turnOf(turn);
        came.push([at, clock.now() - begun]);
      }),
    );
    expect(came.map(([at]) => at)).toEqual(asked.map(({ at }) => at));
    for (const [at, ms] of came.slice(5)) expect(Math.abs(ms - (at - 4) * 100)).toBeLessThanOrEqual(25);
  });

  test("are only so many at once, and one that ends makes room for the next", async () => {
    const turns = new Turns(new VirtualClock(), { concurrency: 2, perSecond: 1e6, burst: 1e6 });
    const first = turns.take("https://a.example");
    const second = turns.take("https://a.example");
    const third = turns.take("https://a.example");
    expect([first, second, third].map(isNow)).toEqual([true, true, false]);
    expect(isNow(turns.take("https://b.example"))).toBe(true);
    const open = await turnOf(first);
    open[Symbol.dispose]();
    // Twice is once.
    open[Symbol.dispose]();
    await turnOf(third);
    expect(isNow(turns.take("https://a.example"))).toBe(false);
  });

  test("that nobody waits for any more go to the next", async () => {
    const turns = new Turns(new VirtualClock(), { concurrency: 1, perSecond: 1e6, burst: 1e6 });
    const first = await turnOf(turns.take("https://a.example"));
    const given = turns.take("https://a.example");
    const late = turns.take("https://a.example");
    const last = turns.take("https://a.example");
    if ("giveUp" in given) given.giveUp();
    first[Symbol.dispose]();
    // It has come, but whoever asked has just left.
    if ("giveUp" in late) late.giveUp();
    await turnOf(last);
  });

  test("are refused where too many wait, for a while", () => {
    const turns = new Turns(new VirtualClock(), { concurrency: 1, perSecond: 1, burst: 1 });
    const take = () => turns.take("https://a.example");
    for (let asked = 0; asked <= 10_000; asked++) take();
    expect(take).toThrow(NodeflowError);
    expect(take).toThrow(expect.objectContaining({ code: "UPSTREAM_ERROR", retryable: true }));
    expect(isNow(turns.take("https://b.example"))).toBe(true);
  });
});
