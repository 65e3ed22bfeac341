import { describe, expect, test } from "vitest";
import type { ExecuteRequestInput, ExecutionUpdate, Value } from "../../../protocol/index.ts";
import { simulate } from "../../support/simulate.ts";

const node = (id: string, type: string, data: object = {}) => ({ id, type, data });
const edge = (source: string, target: string, targetHandle = "in", sourceHandle = "out") => ({
  source,
  target,
  sourceHandle,
  targetHandle,
});
const nested = (expression: string, input: string) => ({
  nodes: [
    node("given", "input", { name: input }),
    node("made", "transform", { expression }),
    node("result", "output", { name: "result" }),
  ],
  edges: [edge("given", "made"), edge("made", "result")],
});

/** How a run ends, with everything that can go wrong beside it. */
async function run(
  request: ExecuteRequestInput,
): Promise<{ last: ExecutionUpdate; updates: readonly ExecutionUpdate[] }> {
  const { updates, problems } = await simulate(request);
  expect(problems).toEqual([]);
  return { last: updates.at(-1)!, updates };
}

async function outputsOf(workflow: ExecuteRequestInput["workflow"], inputs?: Record<string, Value>) {
  const { last } = await run({ workflow, ...(inputs && { inputs }) });
  if (last.type !== "execution-completed") throw new Error(JSON.stringify(last));
  return last.outputs;
}

describe("built-in types in the engine", () => {
  test("items stream through a map and an each, and join a template", async () => {
    const outputs = await outputsOf({
      nodes: [
        node("n", "input", { name: "n", default: 10 }),
        node("rows", "range", { to: 40 }),
        node("squares", "map", { workflow: nested("$ * $", "item"), concurrency: 4 }),
        node("odd", "transform", { expression: "$ % 2 = 1 ? $ + $n", each: true }),
        node("text", "template", { text: "{{list.0}} of {{n}}" }),
        node("a", "output", { name: "list" }),
        node("b", "output", { name: "text" }),
      ],
      edges: [
        edge("rows", "squares"),
        edge("squares", "odd"),
        edge("n", "odd", "n"),
        edge("odd", "a"),
        edge("odd", "text", "list"),
        edge("n", "text", "n"),
        edge("text", "b"),
      ],
    });
    const list = Array.from({ length: 20 }, (_, i) => (2 * i + 1) ** 2 + 10);
    expect(outputs).toEqual({ list, text: "11 of 10" });
  });

  test("an unordered map folds in the order of its items", async () => {
    const slow = {
      nodes: [
        node("given", "input", { name: "item" }),
        node("wait", "delay", { ms: 5 }),
        node("odd", "switch", { cases: [{ handle: "odd", when: "$ % 2 = 1" }], otherwise: "even" }),
        node("both", "merge", { mode: "first" }),
        node("result", "output", { name: "result" }),
      ],
      edges: [
        edge("given", "odd"),
        edge("odd", "wait", "in", "odd"),
        edge("wait", "both"),
        edge("odd", "both", "in", "even"),
        edge("both", "result"),
      ],
    };
    const outputs = await outputsOf({
      nodes: [
        node("rows", "range", { to: 9 }),
        node("all", "map", { workflow: slow, ordered: false }),
        node("o", "output", { name: "o" }),
      ],
      edges: [edge("rows", "all"), edge("all", "o")],
    });
    expect(outputs).toEqual({ o: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] });
  });

  test("a loop goes on with its own result; a subflow gives each of its outputs", async () => {
    const parts = {
      nodes: [
        node("x", "input", { name: "x" }),
        node("a", "output", { name: "same" }),
        node("b", "output", { name: "more" }),
        node("t", "transform", { expression: "$ + 1" }),
      ],
      edges: [edge("x", "a"), edge("x", "t"), edge("t", "b")],
    };
    const outputs = await outputsOf({
      nodes: [
        node("one", "constant", { value: 1 }),
        node("double", "loop", {
          workflow: nested("$ * 2", "value"),
          while: "$ < 100 and $iteration < 50",
          maxIterations: 50,
        }),
        node("part", "subflow", { workflow: parts }),
        node("o", "output", { name: "all" }),
        node("p", "output", { name: "more" }),
      ],
      edges: [
        edge("one", "double"),
        edge("double", "part", "x"),
        edge("part", "o"),
        edge("part", "p", "in", "more"),
      ],
    });
    expect(outputs).toEqual({ all: { same: 128, more: 129 }, more: 129 });
  });

  test("an error in an expression is the node's, and final", async () => {
    const { last } = await run({
      workflow: {
        nodes: [node("t", "transform", { expression: "$sum($) + 'a'" })].map((inner) => ({
          ...inner,
          policy: { retry: { maxAttempts: 3 } },
        })),
      },
    });
    expect(last).toMatchObject({
      type: "execution-failed",
      error: { code: "EXPRESSION_ERROR", nodeId: "t", attempt: 1 },
    });
  });

  test("an expression without end is stopped, and others get their turn meanwhile", async () => {
    const { last, updates } = await run({
      workflow: {
        nodes: [
          {
            ...node("endless", "transform", { expression: "($f := function($n){ $f($n + 1) }; $f(0))" }),
            policy: { onError: "skip" },
          },
          node("wait", "delay", { ms: 0 }),
        ],
      },
    });
    expect(last.type).toBe("execution-completed");
    const place = (type: string, nodeId: string) =>
      updates.findIndex((update) => update.type === type && "nodeId" in update && update.nodeId === nodeId);
    expect(place("node-completed", "wait")).toBeGreaterThan(0);
    expect(place("node-completed", "wait")).toBeLessThan(place("node-failed", "endless"));
  });

  test("a question suspends the run, and its answer goes on", async () => {
    const workflow = {
      nodes: [
        node("order", "constant", { value: { id: 7 } }),
        node("ask", "tool", {
          tool: "approve",
          args: { text: "Order {{order.id}}?" },
          schema: { type: "boolean" },
        }),
        node("o", "output", { name: "approved" }),
      ],
      edges: [edge("order", "ask", "order"), edge("ask", "o")],
    };
    const asked = await run({ workflow });
    expect(asked.last).toMatchObject({ type: "execution-suspended", pending: ["ask"] });
    expect(asked.updates.find(({ type }) => type === "input-requested")).toMatchObject({
      tool: "approve",
      args: { text: "Order 7?" },
    });
    const answered = await run({ workflow, answers: { ask: { value: true } } });
    expect(answered.last).toMatchObject({ type: "execution-completed", outputs: { approved: true } });
  });
});
