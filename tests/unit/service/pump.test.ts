import { describe, expect, it } from "vitest";
import type { Encoder } from "../../../compute/service/stream/encoder.ts";
import { type PumpOptions, pump } from "../../../compute/service/stream/pump.ts";
import { webSink } from "../../../compute/service/stream/sink.ts";
import type { TerminalUpdate } from "../../../protocol/index.ts";
import { completed, output, ScriptedExecution } from "./scripted-execution.ts";
import { StillClock } from "./still-clock.ts";

const text = new TextEncoder();
const plain: Encoder = {
  encode: (updates) => text.encode(updates.map((update) => `${update.seq};`).join("")),
  heartbeat: text.encode("-"),
};

function open(encoder: Encoder = plain, options: Partial<PumpOptions> = {}) {
  const clock = new StillClock();
  const execution = new ScriptedExecution();
  const seen = { first: 0, ends: [] as (TerminalUpdate | undefined)[], faults: [] as unknown[] };
  const sink = webSink(new AbortController().signal);
  pump(execution, encoder, sink, {
    clock,
    heartbeatMs: 15_000,
    writeDeadlineMs: 30_000,
    onFirst: () => seen.first++,
    onEnd: (terminal) => seen.ends.push(terminal),
    onFault: (cause) => seen.faults.push(cause),
    ...options,
  });
  const reader = sink.body!.getReader();
  const read = async () => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { clock, execution, seen, reader, read };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("the pump", () => {
  it("sends a batch as one write, and ends with the terminal update", async () => {
    const { execution, read, seen, clock } = open();
    execution.give(output(1, "a"), output(2, "b"));
    execution.give(completed(3));
    expect(await read()).toBe("1;2;");
    expect(await read()).toBe("3;");
    expect(await read()).toBeNull();
    expect(seen.first).toBe(1);
    expect(seen.ends.map((update) => update?.type)).toEqual(["execution-completed"]);
    expect(execution.cancelled).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("asks for a batch only when the last one was taken", async () => {
    const { execution, read } = open();
    for (let seq = 1; seq <= 5; seq++) execution.give(output(seq, "x"));
    await turn();
    expect(execution.asked).toBe(0);
    await read();
    await turn();
    expect(execution.asked).toBe(1);
    await read();
    await turn();
    expect(execution.asked).toBe(2);
  });

  it("breaks silence with heartbeats, and loses nothing by it", async () => {
    const { execution, read, clock } = open();
    const first = read();
    await turn();
    clock.advance(15_000);
    expect(await first).toBe("-");
    const second = read();
    await turn();
    clock.advance(15_000);
    expect(await second).toBe("-");
    execution.give(output(1, "late"));
    expect(await read()).toBe("1;");
    execution.give(completed(2));
    expect(await read()).toBe("2;");
    expect(execution.asked).toBe(2);
  });

  it("cuts off a client that takes nothing, and cancels its run as a disconnect", async () => {
    const { execution, read, clock, seen, reader } = open();
    execution.give(output(1, "a"));
    await read();
    clock.advance(29_999);
    expect(execution.cancelled).toEqual([]);
    clock.advance(1);
    expect(execution.cancelled).toEqual(["disconnect"]);
    expect(execution.returned).toBe(true);
    expect(seen.ends).toEqual([undefined]);
    await expect(reader.read()).rejects.toThrow("accepted nothing");
  });

  it("cuts off a client that takes no heartbeat, though the run has nothing to say", async () => {
    const { execution, read, clock } = open();
    const first = read();
    await turn();
    clock.advance(15_000);
    expect(await first).toBe("-");
    clock.advance(29_999);
    expect(execution.cancelled).toEqual([]);
    clock.advance(1);
    expect(execution.cancelled).toEqual(["disconnect"]);
  });

  it("never waits for a client while the run is what it waits for", async () => {
    const { execution, read, clock } = open();
    execution.give(output(1, "a"));
    await read();
    const next = read();
    await turn();
    clock.advance(14_999);
    execution.give(output(2, "b"));
    expect(await next).toBe("2;");
    expect(execution.cancelled).toEqual([]);
  });

  it("cancels the run of a client that has gone", async () => {
    const { execution, read, reader, seen, clock } = open();
    execution.give(output(1, "a"));
    await read();
    await reader.cancel();
    expect(execution.cancelled).toEqual(["disconnect"]);
    expect(execution.returned).toBe(true);
    expect(seen.ends).toEqual([undefined]);
    expect(clock.pending).toBe(0);
  });

  it("cuts long batches so that a slow reader shows as one", async () => {
    const long: Encoder = { ...plain, encode: () => new Uint8Array(150_000).fill(120) };
    const { execution, reader, clock, seen } = open(long);
    execution.give(completed(1));
    const lengths: number[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      lengths.push(value.length);
      clock.advance(29_000);
    }
    expect(lengths).toEqual([65_536, 65_536, 18_928]);
    expect(seen.ends.map((update) => update?.type)).toEqual(["execution-completed"]);
    expect(execution.cancelled).toEqual([]);
  });

  it("waits for an encoder that has nothing to say before the end", async () => {
    const atEnd: Encoder = {
      ...plain,
      encode: (updates) =>
        updates.at(-1)?.type === "execution-completed" ? text.encode("all") : new Uint8Array(0),
    };
    const { execution, read } = open(atEnd);
    execution.give(output(1, "a"));
    execution.give(output(2, "b"));
    execution.give(completed(3));
    expect(await read()).toBe("all");
    expect(await read()).toBeNull();
  });

  it("breaks the silence of an encoder that has long had nothing to say, however busy the run is", async () => {
    const quiet: Encoder = { ...plain, encode: () => new Uint8Array(0) };
    const { execution, read, clock } = open(quiet);
    const first = read();
    for (let second = 1; second <= 15; second++) {
      execution.give(output(second, "x"));
      await turn();
      clock.advance(1_000);
    }
    expect(await first).toBe("-");
    expect(execution.asked).toBeGreaterThan(10);
  });

  it.each([
    ["ends without a terminal update", (execution: ScriptedExecution) => execution.end()],
    ["throws", (execution: ScriptedExecution) => execution.break(new Error("secret detail"))],
  ])("breaks the stream off, unfinished and without a reason, when a run %s", async (_, fail) => {
    const { execution, reader, seen } = open();
    fail(execution);
    const error: unknown = await reader.read().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain("secret detail");
    expect(seen.faults).toHaveLength(1);
    expect(seen.ends).toEqual([undefined]);
  });
});
