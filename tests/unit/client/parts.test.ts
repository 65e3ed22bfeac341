import { describe, expect, test } from "vitest";
import { Broadcast } from "../../../compute/client/broadcast.ts";
import { handOver, requestFor } from "../../../compute/client/hand-over.ts";
import { Ledger } from "../../../compute/client/ledger.ts";
import { DEFAULT_PATIENCE, nextWait, parseRetryAfter } from "../../../compute/client/patience.ts";
import type {
  Checkpoint,
  CheckpointEntry,
  ExecuteRequest,
  ExecutionUpdate,
} from "../../../protocol/index.ts";
import { completed, type Line, reset, started, stream, workflow } from "./script.ts";

describe("patience", () => {
  test("waits twice as long each time, half of it by chance, up to the longest, and then no more", () => {
    const waits = [1, 2, 3, 4, 5, 6].map((failures) => nextWait(DEFAULT_PATIENCE, failures, undefined, 0));
    expect(waits).toEqual([125, 250, 500, 1_000, 2_000, null]);
    expect(nextWait(DEFAULT_PATIENCE, 1, undefined, 0.999)).toBeCloseTo(250, 0);
    expect(nextWait({ ...DEFAULT_PATIENCE, tries: 100 }, 99, undefined, 0)).toBe(15_000);
  });

  test("waits at least as long as it is asked to, unless that is too long", () => {
    expect(nextWait(DEFAULT_PATIENCE, 1, 2_000, 0)).toBe(2_125);
    expect(nextWait(DEFAULT_PATIENCE, 1, 31_000, 0)).toBe(null);
  });

  test.each([
    ["3", 3_000],
    [" 0 ", 0],
    ["Thu, 01 Jan 1970 00:00:09 GMT", 8_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["soon", undefined],
    ["-1e9999", undefined],
    [null, undefined],
  ])("Retry-After %j", (header, ms) => {
    expect(parseRetryAfter(header, 1_000)).toBe(ms);
  });
});

describe("the hand-over", () => {
  const of = (nodes: Record<string, CheckpointEntry>): Checkpoint => ({
    protocol: 1,
    runId: "r",
    seed: "s",
    nodes,
  });
  const done: CheckpointEntry = { status: "completed", outputs: { out: 1 } };
  const newer: CheckpointEntry = { status: "completed", outputs: { out: 2 } };
  const given = (nodes: Record<string, CheckpointEntry>, from?: string[]): ExecuteRequest => ({
    workflow,
    checkpoint: of(nodes),
    ...(from && { options: { outputs: "all", from } }),
  });

  test("keeps what the last executor had not got round to telling", () => {
    expect(handOver(given({ a: done, t: done }), of({ a: newer })).nodes).toEqual({ a: newer, t: done });
  });

  test("forgets what was to be run again, with all that depends on it", () => {
    expect(handOver(given({ a: done, m: done, t: done, r: done }, ["m"]), of({})).nodes).toEqual({ a: done });
    expect(requestFor(given({}, ["m"]), of({})).options).toEqual({ outputs: "all" });
  });

  test("keeps items of a container that is the same, and drops those of one that isn't", () => {
    const partial = (item?: string): CheckpointEntry => ({
      status: "partial",
      ...(item && { item }),
      fingerprint: "f",
    });
    const scope = (item: string): CheckpointEntry => ({ status: "completed", item, result: 1 });
    const before = { m: partial(), "m/0": scope("i0"), "m/1": partial("i1"), "m/1/x": done };
    expect(Object.keys(handOver(given(before), of({ m: partial() })).nodes)).toEqual([
      "m",
      "m/0",
      "m/1",
      "m/1/x",
    ]);
    expect(handOver(given(before), of({ m: { status: "partial", fingerprint: "other" } })).nodes).toEqual({
      m: { status: "partial", fingerprint: "other" },
    });
    const other = { m: partial(), "m/1": partial("other") };
    expect(Object.keys(handOver(given(before), of(other)).nodes)).toEqual(["m", "m/1", "m/0"]);
    expect(handOver(given(before), of({ m: done })).nodes).toEqual({ m: done });
  });
});

describe("the ledger", () => {
  const ledgerAfter = (lines: Line[]): Ledger => {
    const ledger = new Ledger();
    for (const update of stream(lines)) ledger.note(update);
    return ledger;
  };

  test("holds an effectful node in doubt until it, or what it is in, has completed", () => {
    const inside = [started("m"), started("m/0", { item: "i" }), started("m/0/h", { effectful: true })];
    expect(ledgerAfter(inside).inDoubt()).toEqual(["m/0/h"]);
    expect(ledgerAfter([...inside, reset("m", 2)]).inDoubt()).toEqual(["m/0/h"]);
    expect(ledgerAfter([...inside, completed("m/0/h")]).inDoubt()).toEqual([]);
    expect(ledgerAfter([...inside, completed("m")]).inDoubt()).toEqual([]);
  });

  test("an effectful node whose outputs were withheld would be run again, so it stays in doubt", () => {
    const withheld: Line = { type: "node-completed", nodeId: "h", attempt: 1, durationMs: 1, withheld: true };
    expect(ledgerAfter([started("h", { effectful: true }), withheld]).inDoubt()).toEqual(["h"]);
  });

  test("counts attempts over resets, and names only the topmost open paths", () => {
    const ledger = ledgerAfter([
      started("m"),
      started("m/0", { item: "i" }),
      reset("m", 2),
      started("m", { attempt: 2 }),
    ]);
    expect([ledger.attempt("m"), ledger.attempt("m/0"), ledger.attempt("x")]).toEqual([2, 1, 0]);
    expect(ledger.open()).toEqual(["m"]);
    expect(ledger.standing("m/0")).toBe(false);
  });
});

describe("the broadcast", () => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  /** Pushes for as long as there is room; tells how far it got. */
  function source(broadcast: Broadcast<number>, bytes: number) {
    let pushed = 0;
    void (async () => {
      for (;;) {
        await broadcast.room();
        if (pushed === 100_000) return;
        broadcast.push(pushed, bytes);
        pushed += 1;
        if (pushed % 64 === 0) await turn();
      }
    })();
    return () => pushed;
  }

  async function settle(): Promise<void> {
    for (let i = 0; i < 50; i += 1) await turn();
  }

  test("without readers the window fills, and no more", async () => {
    const pushed = source(new Broadcast<number>(() => undefined), 0);
    await settle();
    expect(pushed()).toBe(256);
  });

  test("the window is bounded by bytes too", async () => {
    const pushed = source(new Broadcast<number>(() => undefined), 1024 * 1024);
    await settle();
    expect(pushed()).toBe(4);
  });

  test("the slowest active reader sets the pace; when it leaves, the others go on", async () => {
    const broadcast = new Broadcast<number>(() => undefined);
    const pushed = source(broadcast, 0);
    const [fast, slow] = [broadcast.reader("first"), broadcast.reader("first")];
    await slow.next();
    for (let i = 0; i < 256; i += 1) expect(await fast.next()).toEqual({ done: false, value: i });
    await settle();
    expect(pushed()).toBe(257);
    await slow.return();
    for (let i = 256; i < 1_000; i += 1) expect(await fast.next()).toEqual({ done: false, value: i });
  });

  test("a reader that leaves while it waits is let go", async () => {
    let abandoned = 0;
    const broadcast = new Broadcast<number>(() => {
      abandoned += 1;
    });
    const reader = broadcast.reader("first");
    const waiting = reader.next();
    await reader.return();
    broadcast.push(1, 0);
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(abandoned).toBe(1);
  });

  test("what a source fails with reaches every reader, after what came before", async () => {
    const broadcast = new Broadcast<ExecutionUpdate["type"]>(() => undefined);
    const readers = [broadcast.reader("first"), broadcast.reader("first")];
    broadcast.push("node-started", 0);
    broadcast.fail(new Error("gone"));
    for (const reader of readers) {
      expect(await reader.next()).toEqual({ done: false, value: "node-started" });
      await expect(reader.next()).rejects.toThrow("gone");
      expect(await reader.next()).toEqual({ done: true, value: undefined });
    }
  });
});
