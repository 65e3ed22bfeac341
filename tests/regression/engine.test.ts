import { describe, expect, test } from "vitest";
import type { NodeContext } from "../../compute/engine/index.ts";
import {
  checkpointOf,
  ExecuteRequest,
  type ExecutionUpdate,
  fold,
  NodeflowError,
} from "../../protocol/index.ts";
import { begin, containerType, nodeType, run } from "../support/own-nodes.ts";

const types = (updates: readonly ExecutionUpdate[]) => updates.map(({ type }) => type);

describe("faults that the engine once had", () => {
  test("an output is not taken from a checkpoint without its source", async () => {
    const workflow = {
      nodes: [
        { id: "n", type: "constant", data: { value: 5 } },
        { id: "o", type: "output", data: { name: "five" } },
      ],
      edges: [{ source: "n", target: "o" }],
    };
    const first = await run({ workflow, options: { outputs: "none" } });
    const checkpoint = checkpointOf(fold(first), ExecuteRequest.parse({ workflow }).workflow);
    const second = await run({ workflow, checkpoint });
    expect(second.at(-1)).toMatchObject({ type: "execution-completed", outputs: { five: 5 } });
  });

  test("nothing starts with the slot of a node whose failure ends the run", async () => {
    const started: string[] = [];
    const failing = nodeType("failing", async function* () {
      yield { value: await Promise.resolve(1) };
      throw new Error("no");
    });
    const effect = nodeType("effect", (context: NodeContext) => {
      started.push(context.path);
      return [{ value: 1 }];
    });
    const nodes = [
      { id: "a", type: "failing" },
      { id: "b", type: "effect" },
    ];
    const updates = await run(
      { workflow: { nodes }, options: { concurrency: 1 } },
      { types: [failing, effect] },
    );
    expect(updates.at(-1)?.type).toBe("execution-failed");
    expect(started).toEqual([]);
  });

  test("an error whose message is no text is an error like others", async () => {
    const odd = nodeType("odd", async function* () {
      yield { value: 1 };
      throw Object.assign(new Error(), { message: { a: 1 } });
    });
    const updates = await run({ workflow: { nodes: [{ id: "a", type: "odd" }] } }, { types: [odd] });
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "NODE_FAILED" } });
  });

  test("throwing undefined at once is a failure", async () => {
    const thrower = nodeType("thrower", () => {
      throw undefined;
    });
    const updates = await run({ workflow: { nodes: [{ id: "a", type: "thrower" }] } }, { types: [thrower] });
    expect(updates.at(-1)?.type).toBe("execution-failed");
  });

  test("half a character that no longer fits at the end fails the node", async () => {
    const text = nodeType(
      "text",
      function* () {
        yield { value: "abcd\ud83d" };
      },
      { handles: () => ({ inputs: {}, outputs: { out: "text" } }) },
    );
    const workflow = {
      nodes: [
        { id: "t", type: "text" },
        { id: "o", type: "output", data: { name: "text" } },
      ],
      edges: [{ source: "t", target: "o" }],
    };
    const updates = await run({ workflow }, { types: [text], limits: { maxRetainedBytes: 4 } });
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "RESOURCE_EXHAUSTED" } });
  });

  test("a container that asks after its nested run suspends the run", async () => {
    const nested = { nodes: [{ id: "c", type: "constant", data: { value: 1 } }] };
    const container = containerType("container", nested, async function* (context: NodeContext) {
      await context.run({ inputs: {} }).result;
      yield { value: await context.ask({ tool: "sure", args: {} }) };
    });
    const updates = await run(
      { workflow: { nodes: [{ id: "a", type: "container" }] } },
      { types: [container] },
    );
    expect(types(updates).slice(-2)).toEqual(["input-requested", "execution-suspended"]);
  });

  test("a skip needs no second reading of what a live input has forgotten", async () => {
    const failing = nodeType(
      "late",
      async function* (context: NodeContext) {
        yield { value: 1 };
        await context.sleep(1_000);
        throw new Error("late");
      },
      { handles: () => ({ inputs: {}, outputs: { out: "items" } }) },
    );
    const both = nodeType(
      "both",
      async function* ({ live }: NodeContext) {
        for await (const _ of live["b"] ?? []);
        for await (const _ of live["a"] ?? []);
        yield { value: 0 };
      },
      {
        handles: () => ({
          inputs: { a: { live: ["items"] }, b: { live: ["items"] } },
          outputs: { out: "value" },
        }),
      },
    );
    const workflow = {
      nodes: [
        { id: "a", type: "late", policy: { onError: "skip" } },
        { id: "b", type: "range", data: { to: 3_000 } },
        { id: "t", type: "both" },
      ],
      edges: [
        { source: "a", target: "t", targetHandle: "a" },
        { source: "b", target: "t", targetHandle: "b" },
      ],
    };
    const updates = await run({ workflow }, { types: [failing, both] });
    expect(updates.at(-1)?.type).toBe("execution-completed");
    expect(updates).toContainEqual(expect.objectContaining({ type: "node-skipped", nodeId: "t" }));
  });

  test("a question is no larger than any other update", async () => {
    const asking = nodeType("asking", async function* (context: NodeContext) {
      yield { value: await context.ask({ tool: "sure", args: "x".repeat(100_000) }) };
    });
    const limits = { maxUpdateBytes: 50_000 };
    const updates = await run(
      { workflow: { nodes: [{ id: "a", type: "asking" }] } },
      { types: [asking], limits },
    );
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "OUTPUT_TOO_LARGE" } });
  });

  test("an error is no larger than any other update", async () => {
    const failing = nodeType("failing", () => {
      throw new NodeflowError("NODE_FAILED", "x".repeat(100_000), { details: { why: "y".repeat(100_000) } });
    });
    const limits = { maxUpdateBytes: 50_000 };
    const updates = await run(
      { workflow: { nodes: [{ id: "a", type: "failing" }] } },
      { types: [failing], limits },
    );
    for (const update of updates) expect(JSON.stringify(update).length).toBeLessThan(50_000);
  });

  test("what comes from a checkpoint waits for a reader, too", async () => {
    const nodes = Array.from({ length: 500 }, (_, n) => ({
      id: `n${n}`,
      type: "constant",
      data: { value: n },
    }));
    const workflow = { nodes };
    const first = await run({ workflow });
    const checkpoint = checkpointOf(fold(first), ExecuteRequest.parse({ workflow }).workflow);
    const execution = await begin({ workflow, checkpoint }, { limits: { maxPendingUpdates: 10 } });
    let most = 0;
    for await (const batch of execution.batches()) {
      most = Math.max(most, batch.length);
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    }
    expect(most).toBeLessThan(100);
  });
});
