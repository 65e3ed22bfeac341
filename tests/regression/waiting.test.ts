import { describe, expect, test } from "vitest";
import type { NodeContext } from "../../compute/engine/index.ts";
import { VirtualClock } from "../support/clock.ts";
import { containerType, lines, nodeType, run } from "../support/own-nodes.ts";

const QUESTION = { id: "q", type: "tool", data: { tool: "sure" } };
const nothing = { nodes: [] };

/** A node that is ready late. */
const slow = nodeType("slow", async function* (context: NodeContext) {
  await context.sleep((context.data as { ms: number }).ms);
  yield { value: 1 };
});

describe("a run with an open question", () => {
  test("goes on while a container computes by itself", async () => {
    const thinker = containerType("thinker", nothing, async function* (context: NodeContext) {
      for (let turn = 0; turn < 20; turn++) await context.turn();
      yield { value: 1 };
    });
    const nodes = [QUESTION, { id: "t", type: "thinker" }];
    const updates = await run({ workflow: { nodes } }, { types: [thinker] });
    expect(lines(updates)).toContain("node-completed t");
    expect(updates.at(-1)).toMatchObject({ type: "execution-suspended", pending: ["q"] });
  });

  test("goes on while a container computes between two nested runs", async () => {
    const nested = { nodes: [{ id: "c", type: "constant", data: { value: 1 } }] };
    const looping = containerType("looping", nested, async function* (context: NodeContext) {
      for (let round = 0; round < 3; round++) {
        await context.run({ scope: String(round), inputs: {} }).result;
        for (let turn = 0; turn < 20; turn++) await context.turn();
      }
      yield { value: 1 };
    });
    const nodes = [QUESTION, { id: "t", type: "looping" }];
    const updates = await run({ workflow: { nodes } }, { types: [looping] });
    expect(lines(updates)).toContain("node-completed t/2");
    expect(lines(updates)).toContain("node-completed t");
  });

  test("is suspended although a container with a nested question is there", async () => {
    const nodes = [
      { id: "r", type: "range", data: { to: 3 } },
      { id: "m", type: "map", data: { workflow: { nodes: [QUESTION], edges: [] } } },
    ];
    const updates = await run({ workflow: { nodes, edges: [{ source: "r", target: "m" }] } });
    expect(updates.at(-1)).toMatchObject({ pending: ["m/0/q", "m/1/q", "m/2/q", "m/3/q"] });
  });
});

describe("timeouts of a container", () => {
  const inside = (nodes: object[], policy: object) => ({
    id: "part",
    type: "subflow",
    policy,
    data: { workflow: { nodes, edges: [] } },
  });
  const beside = { id: "slow", type: "slow", data: { ms: 1_000 } };

  test.each([{ timeoutMs: 100 }, { idleTimeoutMs: 100 }])(
    "stand still while everything inside waits for an answer: %o",
    async (policy) => {
      const nodes = [inside([inside([QUESTION], {})], policy), beside];
      const updates = await run({ workflow: { nodes } }, { types: [slow] });
      expect(lines(updates).slice(-2)).toEqual(["node-completed slow", "execution-suspended"]);
    },
  );

  test("count while anything inside computes, at any depth, beside a question", async () => {
    const nodes = [inside([QUESTION, { ...inside([beside], {}), id: "deep" }], { timeoutMs: 100 })];
    const updates = await run({ workflow: { nodes } }, { types: [slow] });
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "NODE_TIMEOUT" } });
  });

  test("count while something inside waits to be tried again", async () => {
    const failing = nodeType("failing", () => {
      throw new Error("not yet");
    });
    const retried = { id: "f", type: "failing", policy: { retry: { maxAttempts: 2, delayMs: 5_000 } } };
    const nodes = [inside([retried], { timeoutMs: 100 })];
    const updates = await run({ workflow: { nodes } }, { types: [failing] });
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "NODE_TIMEOUT" } });
  });

  test("count only what is left, once something inside computes again", async () => {
    // The container reads its items live, so it can go on after everything in it has come to wait.
    const source = nodeType(
      "source",
      async function* (context: NodeContext) {
        yield { value: 0 };
        await context.sleep(1_000);
        yield { value: 1 };
      },
      { handles: () => ({ inputs: {}, outputs: { out: "items" } }) },
    );
    const once = nodeType("once", async function* (context: NodeContext) {
      await context.sleep(60);
      yield { value: await context.ask({ tool: "sure", args: context.path }) };
    });
    const workflow = {
      nodes: [
        { id: "s", type: "source" },
        {
          id: "m",
          type: "map",
          policy: { timeoutMs: 100 },
          data: { workflow: { nodes: [{ id: "o", type: "once" }], edges: [] } },
        },
      ],
      edges: [{ source: "s", target: "m" }],
    };
    const updates = await run({ workflow }, { types: [source, once] });
    const requested = updates.filter(({ type }) => type === "input-requested");
    expect(requested).toHaveLength(1);
    const [begun, end] = [updates[0]?.timestamp ?? 0, updates.at(-1)?.timestamp ?? 0];
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "NODE_TIMEOUT" } });
    expect(end - begun).toBeGreaterThan(1_030);
    expect(end - begun).toBeLessThan(1_060);
  });
});

describe("a node that waits for several things at once", () => {
  const emits = { handles: () => ({ inputs: {}, outputs: { out: "items" as const } }) };
  const live = { live: ["items" as const] };
  const reads = { handles: () => ({ inputs: { a: live, b: live }, outputs: { out: "items" as const } }) };
  /** Emits two items, the second one when something of somebody else's is there. */
  const late = (type: string, clock: VirtualClock, ms: number) =>
    nodeType(
      type,
      async function* (context: NodeContext) {
        yield { value: 0 };
        await context.waitFor(new Promise<void>((resolve) => clock.setTimer(resolve, ms)));
        yield { value: 1 };
      },
      emits,
    );
  const inputsOf = ({ live }: NodeContext) =>
    [live["a"], live["b"]].map((input) => input?.[Symbol.asyncIterator]());

  test("takes no slot from those that it waits for when the first of them is there", async () => {
    const clock = new VirtualClock();
    const both = nodeType(
      "both",
      async function* (context: NodeContext) {
        const inputs = inputsOf(context);
        for (;;) {
          const steps = await Promise.all(inputs.map((input) => input?.next()));
          if (steps.some((step) => step?.done)) return;
          yield { value: steps.map((step) => step?.value) };
        }
      },
      reads,
    );
    const workflow = {
      nodes: [
        { id: "a", type: "soon" },
        { id: "b", type: "later" },
        { id: "n", type: "both" },
      ],
      edges: [
        { source: "a", target: "n", targetHandle: "a" },
        { source: "b", target: "n", targetHandle: "b" },
      ],
    };
    const types = [late("soon", clock, 10), late("later", clock, 50), both];
    const options = { concurrency: 1, timeoutMs: 1_000 };
    const updates = await run({ workflow, options }, { types, clock });
    expect(updates.at(-1)).toMatchObject({ type: "execution-completed" });
  });

  test("doesn't keep a run from being suspended when one of them is an answer", async () => {
    const clock = new VirtualClock();
    const asking = nodeType(
      "asking",
      async function* (context: NodeContext) {
        const [input] = inputsOf(context);
        await input?.next();
        await Promise.all([context.ask({ tool: "sure", args: null }), input?.next()]);
        yield { value: 1 };
      },
      reads,
    );
    const workflow = {
      nodes: [
        { id: "a", type: "soon" },
        { id: "n", type: "asking" },
      ],
      edges: [{ source: "a", target: "n", targetHandle: "a" }],
    };
    const types = [late("soon", clock, 10), asking];
    const updates = await run({ workflow, options: { timeoutMs: 1_000 } }, { types, clock });
    expect(updates.at(-1)).toMatchObject({ type: "execution-suspended", pending: ["n"] });
  });

  test("is waited for while it sleeps beside an open read", async () => {
    const source = nodeType(
      "source",
      async function* (context: NodeContext) {
        yield { value: 0 };
        yield { value: await context.ask({ tool: "sure", args: null }) };
      },
      emits,
    );
    const flushing = nodeType(
      "flushing",
      async function* (context: NodeContext) {
        const [input] = inputsOf(context);
        await input?.next();
        const more = input?.next();
        await context.sleep(100);
        yield { value: "so far" };
        await more;
      },
      reads,
    );
    const workflow = {
      nodes: [
        { id: "s", type: "source" },
        { id: "f", type: "flushing" },
      ],
      edges: [{ source: "s", target: "f", targetHandle: "a" }],
    };
    const updates = await run({ workflow }, { types: [source, flushing] });
    expect(lines(updates).slice(-2)).toEqual(["node-output f", "execution-suspended"]);
  });
});
