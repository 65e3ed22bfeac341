import { describe, expect, it } from "vitest";
import { Refusal } from "../../../compute/service/answer.ts";
import { Runs } from "../../../compute/service/runs.ts";
import { ScriptedExecution } from "./scripted-execution.ts";
import { StillClock } from "./still-clock.ts";

const ADA = { principal: "ada" };
const BOB = { principal: "bob" };

describe("runs", () => {
  it("takes as many as it has room for, and then says when to come again", () => {
    const runs = new Runs(2, new StillClock());
    const first = runs.reserve(ADA);
    runs.reserve(BOB);
    expect(() => runs.reserve(ADA)).toThrow(
      expect.objectContaining({ code: "CAPACITY_EXCEEDED", options: { retryAfter: 1 } }),
    );
    first.release();
    first.release();
    expect(runs.active).toBe(1);
    runs.reserve(ADA);
  });

  it("counts a caller's own runs where the caller has a cap of its own", () => {
    const runs = new Runs(10, new StillClock());
    const limited = { principal: "ada", limits: { maxActiveRuns: 1 } };
    const slot = runs.reserve(limited);
    expect(() => runs.reserve(limited)).toThrow(Refusal);
    runs.reserve(BOB);
    slot.release();
    runs.reserve(limited);
  });

  it("gives a slot back when no run came of it, and keeps it when one did", () => {
    const runs = new Runs(10, new StillClock());
    {
      using unused = runs.reserve(ADA);
      expect(unused).toBeDefined();
    }
    expect(runs.active).toBe(0);
    const execution = new ScriptedExecution();
    {
      using held = runs.reserve(ADA);
      held.hold(execution);
    }
    expect(runs.active).toBe(1);
  });

  it("cancels only a caller's own runs, and only while they are under way", () => {
    const runs = new Runs(10, new StillClock());
    const execution = new ScriptedExecution("run-9");
    const slot = runs.reserve(ADA);
    slot.hold(execution);
    expect(runs.cancel("run-9", "bob", "client")).toBe(false);
    expect(runs.cancel("run-8", "ada", "client")).toBe(false);
    expect(runs.cancel("__proto__", "ada", "client")).toBe(false);
    expect(execution.cancelled).toEqual([]);
    expect(runs.cancel("run-9", "ada", "client")).toBe(true);
    expect(execution.cancelled).toEqual(["client"]);
    slot.release();
    expect(runs.cancel("run-9", "ada", "client")).toBe(false);
  });

  it("drains: no new runs, grace for the others, then shutdown", async () => {
    const clock = new StillClock();
    const runs = new Runs(10, clock);
    const quick = runs.reserve(ADA);
    quick.hold(new ScriptedExecution("quick"));
    const slow = new ScriptedExecution("slow");
    const slot = runs.reserve(BOB);
    slot.hold(slow);
    let drained = false;
    const draining = runs.drain(1_000).then(() => {
      drained = true;
    });
    expect(() => runs.reserve(ADA)).toThrow(expect.objectContaining({ code: "DRAINING" }));
    quick.release();
    clock.advance(999);
    expect(slow.cancelled).toEqual([]);
    clock.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(slow.cancelled).toEqual(["shutdown"]);
    expect(drained).toBe(false);
    slot.release();
    await draining;
    expect(clock.pending).toBe(0);
  });

  it("doesn't wait for ever for a run that doesn't end", async () => {
    const clock = new StillClock();
    const runs = new Runs(10, clock);
    runs.reserve(ADA).hold(new ScriptedExecution());
    const draining = runs.drain(0);
    clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5_000);
    await draining;
  });
});
