import { describe, expect, it } from "vitest";
import type { Workflow, WorkflowNode } from "../../protocol/index.ts";
import { evaluate } from "./reference.ts";

const node = (id: string, type: string, data: object = {}, policy?: object): WorkflowNode => ({
  id,
  type,
  data,
  policy,
});
const edge = (source: string, target: string, targetHandle?: string, sourceHandle?: string) => ({
  source,
  target,
  targetHandle,
  sourceHandle,
});
const run = async (workflow: Workflow, more: object = {}) => {
  const reference = await evaluate({ workflow, ...more });
  return {
    ...reference,
    statuses: Object.fromEntries([...reference.nodes].map(([id, { status }]) => [id, status])),
  };
};
const double: Workflow = {
  nodes: [
    node("item", "input", { name: "item" }),
    node("twice", "transform", { expression: "$ * 2" }),
    node("result", "output", { name: "result" }),
  ],
  edges: [edge("item", "twice"), edge("twice", "result")],
};

describe("the reference evaluator", () => {
  it("maps over items", async () => {
    const reference = await run({
      nodes: [
        node("rows", "range", { to: 3 }),
        node("map", "map", { workflow: double }),
        node("out", "output", { name: "out" }),
      ],
      edges: [edge("rows", "map"), edge("map", "out")],
    });
    expect(reference.outputs).toEqual({ out: [0, 2, 4, 6] });
    expect(reference.nodes.get("map/3/twice")?.outputs).toEqual({ out: 6 });
  });

  it("skips what hangs on a branch not taken, and joins what is left", async () => {
    const reference = await run({
      nodes: [
        node("one", "constant", { value: 1 }),
        node("which", "switch", { cases: [{ handle: "big", when: "$ > 5" }], otherwise: "small" }),
        node("a", "transform", { expression: "$ + 1" }),
        node("b", "transform", { expression: "$ + 2" }),
        node("c", "transform", { expression: "$" }),
        node("any", "merge", { mode: "first" }),
        node("out", "output", { name: "out" }),
      ],
      edges: [
        edge("one", "which"),
        edge("which", "a", "in", "big"),
        edge("which", "b", "in", "small"),
        edge("a", "c"),
        edge("c", "any"),
        edge("b", "any"),
        edge("any", "out"),
      ],
    });
    expect(reference.nodes.get("a")).toMatchObject({ status: "skipped", reason: "branch-not-taken" });
    expect(reference.nodes.get("c")).toMatchObject({ status: "skipped", reason: "upstream-skipped" });
    expect(reference.outputs).toEqual({ out: 3 });
  });

  it("ends in failure, suspension or the default, as policies say", async () => {
    const broken = (policy?: object): Workflow => ({
      nodes: [
        node("bad", "transform", { expression: '$error("no")' }, policy),
        node("next", "transform", { expression: "$" }),
      ],
      edges: [edge("bad", "next")],
    });
    expect(await run(broken())).toMatchObject({ status: "failed", codes: new Set(["EXPRESSION_ERROR"]) });
    expect((await run(broken())).statuses).toEqual({ bad: "failed", next: "unreached" });
    expect((await run(broken({ onError: "skip" }))).nodes.get("next")).toMatchObject({
      reason: "upstream-failed",
    });
    expect((await run(broken({ onError: "default", default: 4 }))).nodes.get("next")?.outputs).toEqual({
      out: 4,
    });
    const asking: Workflow = { nodes: [node("ask", "tool", { tool: "t" })], edges: [] };
    expect(await run(asking)).toMatchObject({ status: "suspended", pending: ["ask"] });
    expect(await run(asking, { answers: { ask: 1 } })).toMatchObject({ status: "completed" });
  });

  it("loops, and stops at the limit", async () => {
    const loop = (limit: number): Workflow => ({
      nodes: [
        node("start", "constant", { value: 1 }),
        node("loop", "loop", {
          while: "$ < 10",
          maxIterations: limit,
          workflow: { ...double, nodes: double.nodes.with(0, node("item", "input", { name: "value" })) },
        }),
        node("out", "output", { name: "out" }),
      ],
      edges: [edge("start", "loop"), edge("loop", "out")],
    });
    expect((await run(loop(4))).outputs).toEqual({ out: 16 });
    expect((await run(loop(3))).codes).toEqual(new Set(["ITERATION_LIMIT"]));
  });
});
