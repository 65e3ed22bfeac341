import { describe, expect, test } from "vitest";
import type { NodeContext } from "../../compute/engine/index.ts";
import type { ExecutionUpdate } from "../../protocol/index.ts";
import { lines, nodeType, run } from "../support/own-nodes.ts";

const requested = (updates: readonly ExecutionUpdate[]) =>
  updates.flatMap((update) => (update.type === "input-requested" ? [update.nodeId] : []));

describe("questions", () => {
  test("that wait to be asked are not asked for what is about to end", async () => {
    // Eight items ask, two at a time; the ninth fails, and the map with it.
    const asking = nodeType("asking", async function* (context: NodeContext) {
      if (context.inputs["in"] === 8) {
        await context.sleep(100);
        throw new Error("no");
      }
      yield { value: await context.ask({ tool: "sure", args: null }) };
    });
    const nested = {
      nodes: [
        { id: "i", type: "input", data: { name: "item" } },
        { id: "a", type: "asking" },
      ],
      edges: [{ source: "i", target: "a" }],
    };
    const nodes = [
      { id: "r", type: "range", data: { to: 8 } },
      { id: "m", type: "map", data: { workflow: nested } },
    ];
    const request = { workflow: { nodes, edges: [{ source: "r", target: "m" }] } };
    const updates = await run(request, { types: [asking], limits: { maxOpenQuestions: 2 } });
    expect(updates.at(-1)?.type).toBe("execution-failed");
    expect(requested(updates)).toEqual(["m/0/a", "m/1/a"]);
  });

  test("that wait are asked once others are closed", async () => {
    const brief = nodeType("brief", async function* (context: NodeContext) {
      yield { value: await context.ask({ tool: "sure", args: null }) };
    });
    const policy = { onError: "skip" };
    const part = (id: string, inner: object[]) => ({
      id,
      type: "subflow",
      policy,
      data: { workflow: { nodes: inner, edges: [] } },
    });
    const failing = nodeType("failing", async function* (context: NodeContext) {
      await context.sleep(100);
      yield { value: await Promise.reject(new Error("no")) };
    });
    const nodes = [
      part("first", [
        { id: "q", type: "brief" },
        { id: "f", type: "failing" },
      ]),
      { id: "second", type: "brief" },
      { id: "third", type: "brief" },
    ];
    const updates = await run(
      { workflow: { nodes } },
      { types: [brief, failing], limits: { maxOpenQuestions: 1 } },
    );
    const open = updates.at(-1);
    expect(open).toMatchObject({ type: "execution-suspended" });
    expect(requested(updates)).toHaveLength(2);
    expect(open).toMatchObject({ pending: requested(updates).slice(1) });
  });

  test("by the ten thousand are let go of in linear time", { timeout: 60_000 }, async () => {
    const tools = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        id: `t${index}`,
        type: "tool",
        data: { tool: "sure" },
      }));
    const time = async (count: number) => {
      const begun = process.threadCpuUsage().user;
      const updates = await run({ workflow: { nodes: tools(count) } });
      expect(updates.at(-1)?.type).toBe("execution-suspended");
      return process.threadCpuUsage().user - begun;
    };
    await time(2_000);
    // The better of two each: what else goes on here isn't what is measured.
    const few = Math.min(await time(4_000), await time(4_000));
    const many = Math.min(await time(40_000), await time(40_000));
    expect(many / few).toBeLessThan(17);
  });
});

describe("a node that is ready while all slots are taken", () => {
  test("holds back no container behind it", async () => {
    const slow = nodeType("slow", async function* (context: NodeContext) {
      await context.sleep(1_000);
      yield { value: 1 };
    });
    const nodes = [
      { id: "slow", type: "slow" },
      { id: "ready", type: "constant", data: { value: 1 } },
      { id: "part", type: "subflow", data: { workflow: { nodes: [], edges: [] } } },
    ];
    const updates = await run({ workflow: { nodes }, options: { concurrency: 1 } }, { types: [slow] });
    const said = lines(updates);
    expect(said.indexOf("node-completed part")).toBeLessThan(said.indexOf("node-completed slow"));
    expect(said.indexOf("node-started ready")).toBeGreaterThan(said.indexOf("node-completed slow"));
    expect(updates.at(-1)?.type).toBe("execution-completed");
  });
});
