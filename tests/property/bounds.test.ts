import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineNode, type NodeType } from "../../compute/engine/index.ts";
import type { ExecutionUpdate, Workflow } from "../../protocol/index.ts";
import { simulate } from "../support/simulate.ts";

/** Emits numbers for ever, and counts how many were taken from it. */
function endless(): { type: NodeType; readonly made: () => number } {
  let made = 0;
  const type = defineNode({
    type: "endless",
    description: "Emits numbers without end",
    data: z.object({}),
    cost: "light",
    strongest: "pure",
    effect: () => "pure",
    handles: () => ({ inputs: {}, outputs: { out: "items" } }),
    *execute() {
      for (;;) {
        made += 1;
        yield { value: made };
      }
    },
  }) as unknown as NodeType;
  return { type, made: () => made };
}

/** Heeds neither `return()` nor the signal. */
const deaf = defineNode({
  type: "deaf",
  description: "Waits for ever, whatever it is told",
  data: z.object({}),
  cost: "light",
  strongest: "pure",
  effect: () => "pure",
  handles: () => ({ inputs: {}, outputs: { out: "value" } }),
  execute: () => ({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => undefined),
      return: () => new Promise<never>(() => undefined),
    }),
  }),
}) as unknown as NodeType;

const count = (updates: readonly ExecutionUpdate[], type: string, id: string) =>
  updates.filter((update) => update.type === type && "nodeId" in update && update.nodeId === id).length;

describe("bounds", () => {
  const slowReader: Workflow = {
    nodes: [
      { id: "source", type: "endless" },
      { id: "reader", type: "test-relay", data: { kind: "items", delayMs: 10, take: 40 } },
    ],
    edges: [{ source: "source", target: "reader" }],
  };

  it.each([1, 4, 64])("a slow reader slows its source: queues of %i", async (maxQueueItems) => {
    const source = endless();
    const stop = { after: 60, by: "cancel" } as const;
    const { updates, problems } = await simulate(
      { workflow: slowReader },
      { types: [source.type], limits: { maxQueueItems }, stop },
    );
    expect(problems).toEqual([]);
    const read = count(updates, "node-output", "reader");
    expect(source.made()).toBeGreaterThanOrEqual(Math.min(read, maxQueueItems));
    // One more is being read, and one has been made and finds no room.
    expect(source.made()).toBeLessThanOrEqual(read + maxQueueItems + 2);
  });

  it("bounds queues by bytes too", async () => {
    const source = endless();
    const { updates } = await simulate(
      { workflow: slowReader },
      { types: [source.type], limits: { maxQueueBytes: 8 * 4 }, stop: { after: 40, by: "cancel" } },
    );
    expect(source.made()).toBeLessThanOrEqual(count(updates, "node-output", "reader") + 4 + 2);
  });

  it.each([1, 16])("who doesn't read updates holds the run back: %i pending", async (maxPendingUpdates) => {
    const source = endless();
    let seen = 0;
    let most = 0;
    const { problems } = await simulate(
      { workflow: { nodes: [{ id: "source", type: "endless" }], edges: [] } },
      {
        types: [source.type],
        limits: { maxPendingUpdates },
        stop: { after: 50, by: "cancel" },
        pause: async (clock) => {
          seen += 1;
          await new Promise<void>((resolve) => clock.setTimer(resolve, 100));
          most = Math.max(most, source.made() - seen);
        },
      },
    );
    expect(problems).toEqual([]);
    // As many again may be with the reader, who takes whatever is ready at once.
    expect(most).toBeLessThanOrEqual(2 * maxPendingUpdates + 2);
  });

  it.each([1, 3])("no more than %i nodes compute at once", async (concurrency) => {
    const ids = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const data = { kind: "items", count: 3, delayMs: 5 };
    const nodes = ids.map((id) => ({ id, type: "test-source", data }));
    const { ledger, problems } = await simulate({ workflow: { nodes, edges: [] }, options: { concurrency } });
    expect(problems).toEqual([]);
    expect(ledger.most).toBe(concurrency);
  });

  it("begins no more items of a map than its concurrency", async () => {
    const inner: Workflow = {
      nodes: [
        { id: "item", type: "input", data: { name: "item" } },
        { id: "wait", type: "delay", data: { ms: 10 } },
        { id: "out", type: "output", data: { name: "out" } },
      ],
      edges: [
        { source: "item", target: "wait" },
        { source: "wait", target: "out" },
      ],
    };
    const workflow: Workflow = {
      nodes: [
        { id: "source", type: "endless" },
        { id: "map", type: "map", data: { workflow: inner, concurrency: 3 } },
      ],
      edges: [{ source: "source", target: "map" }],
    };
    const source = endless();
    const { updates, problems } = await simulate(
      { workflow },
      { types: [source.type], limits: { maxQueueItems: 2 }, stop: { after: 300, by: "signal" } },
    );
    expect(problems).toEqual([]);
    let begun = 0;
    for (const update of updates) {
      if (update.type === "node-started" && update.item !== undefined) begun += 1;
      if (update.type === "node-output" && update.nodeId === "map") begun -= 1;
      expect(begun).toBeLessThanOrEqual(3);
    }
  });

  it("counts a node's timeout only while it is the node that is waited for", async () => {
    const policy = { timeoutMs: 100, idleTimeoutMs: 100 };
    const workflow: Workflow = {
      nodes: [
        { id: "source", type: "test-source", data: { kind: "items", count: 5, delayMs: 1 }, policy },
        { id: "slow", type: "test-relay", data: { kind: "items", delayMs: 500 } },
        { id: "patient", type: "test-relay", data: { kind: "items", delayMs: 1 }, policy },
      ],
      edges: [
        { source: "source", target: "slow" },
        { source: "slow", target: "patient" },
      ],
    };
    const { updates, problems } = await simulate(
      { workflow },
      { limits: { maxQueueItems: 1 }, mode: "workers" },
    );
    expect(problems).toEqual([]);
    expect(updates.at(-1)?.type).toBe("execution-completed");
    expect(count(updates, "node-failed", "source") + count(updates, "node-failed", "patient")).toBe(0);
  });

  it.each(["signal", "cancel", "timeout"] as const)(
    "ends two seconds after a deaf node was told, by %s",
    async (by) => {
      const workflow: Workflow = { nodes: [{ id: "deaf", type: "deaf" }], edges: [] };
      const options = by === "timeout" ? { timeoutMs: 5_000 } : {};
      const stop = by === "timeout" ? {} : { stop: { after: 2, by } };
      const { updates, problems } = await simulate(
        { workflow, options },
        { types: [deaf], mode: "workers", ...stop },
      );
      expect(problems).toEqual([]);
      const last = updates.at(-1);
      expect(last?.type).toBe(by === "timeout" ? "execution-failed" : "execution-cancelled");
      const told = by === "timeout" ? 5_000 : 0;
      const took = (last?.timestamp ?? 0) - (updates[0]?.timestamp ?? 0);
      expect(took - told).toBeGreaterThanOrEqual(1_990);
      expect(took - told).toBeLessThan(2_100);
    },
  );

  it("stops a run that starts too much", async () => {
    const nested: Workflow = {
      nodes: [
        { id: "rows", type: "range", data: { to: 1e9 } },
        { id: "each", type: "map", data: { workflow: { nodes: [], edges: [] } } },
      ],
      edges: [{ source: "rows", target: "each" }],
    };
    const { updates, problems } = await simulate({ workflow: nested }, { limits: { maxStarts: 1_000 } });
    expect(problems).toEqual([]);
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "RESOURCE_EXHAUSTED" } });
    expect(updates.filter((update) => update.type === "node-started").length).toBeLessThanOrEqual(1_000);
  });

  it("asks no more questions at once than it may, and asks the others later", async () => {
    const nodes = Array.from({ length: 5 }, (_, index) => ({
      id: `ask${index}`,
      type: "tool",
      data: { tool: "t" },
    }));
    const { updates } = await simulate(
      { workflow: { nodes, edges: [] } },
      { limits: { maxOpenQuestions: 2 } },
    );
    const last = updates.at(-1);
    expect(last?.type === "execution-suspended" && last.pending.length).toBe(2);
  });

  it("fails a value that is too large, and a fold", async () => {
    const large = { nodes: [{ id: "a", type: "constant", data: { value: "x".repeat(2_000) } }], edges: [] };
    const fold = {
      nodes: [
        { id: "a", type: "range", data: { to: 1_000 } },
        { id: "b", type: "transform", data: { expression: "$count($)" } },
      ],
      edges: [{ source: "a", target: "b" }],
    };
    for (const workflow of [large, fold]) {
      const { updates } = await simulate({ workflow }, { limits: { maxValueBytes: 1_000 } });
      expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "OUTPUT_TOO_LARGE" } });
    }
    const { updates } = await simulate({ workflow: fold }, { limits: { maxRetainedBytes: 1_000 } });
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "RESOURCE_EXHAUSTED" } });
  });
});
