import { describe, expect, it } from "vitest";
import { fingerprints, finish, hash, type Value, type Workflow } from "../../../protocol/index.ts";
import { same } from "./value.ts";

const workflow: Workflow = {
  nodes: [
    { id: "x", type: "input", data: { name: "x", default: 1 } },
    { id: "c", type: "constant", data: { value: { b: 1, a: 2 } } },
    {
      id: "t",
      type: "transform",
      data: { expression: "in + c" },
      policy: { onError: "default", default: 0 },
    },
    { id: "m", type: "merge", data: { mode: "all" } },
    { id: "far", type: "constant" },
  ],
  edges: [
    { source: "x", target: "t" },
    { source: "c", target: "t", targetHandle: "c" },
    { source: "t", target: "m" },
    { source: "c", target: "m" },
  ],
};

const prints = (
  of: Workflow = workflow,
  inputs?: Record<string, Value>,
  seed = "s",
): Record<string, string> => Object.fromEntries(finish(fingerprints(of, { seed, inputs })));

/** The ids whose fingerprints an edit changes. */
function touched(edit: (copy: Workflow) => void): string[] {
  const copy = structuredClone(workflow);
  edit(copy);
  const [before, after] = [prints(), prints(copy)];
  return Object.keys(before).filter((id) => before[id] !== after[id]);
}

describe("fingerprints", () => {
  it("are hashes of what a node's outputs depend on", () => {
    const x = hash(["input", { name: "x", default: 1 }, "fail", null, "s", [], hash([1])]);
    const c = hash(["constant", { value: { a: 2, b: 1 } }, "fail", null, "s", []]);
    const t = hash([
      "transform",
      { expression: "in + c" },
      "default",
      0,
      "s",
      [
        ["c", "out", c],
        ["in", "out", x],
      ],
    ]);
    const m = hash([
      "merge",
      { mode: "all" },
      "fail",
      null,
      "s",
      [
        ["in", "out", t],
        ["in", "out", c],
      ],
    ]);
    same(prints(), { x, c, t, m, far: hash(["constant", {}, "fail", null, "s", []]) });
  });

  it("change for what an edit touches and for what depends on it, and for nothing else", () => {
    same(touched((copy) => Object.assign(copy.nodes[1]!, { data: { value: 3 } })).sort(), ["c", "m", "t"]);
    same(
      touched((copy) => Object.assign(copy.nodes[2]!, { policy: { onError: "skip" } })),
      ["t", "m"],
    );
    same(
      touched((copy) =>
        Object.assign(copy.nodes[2]!, { policy: { onError: "default", default: 0, timeoutMs: 9 } }),
      ),
      [],
    );
    same(
      touched((copy) => copy.nodes.reverse()),
      [],
    );
    same(
      touched((copy) => copy.edges.unshift(copy.edges.splice(1, 1)[0]!)),
      [],
    );
    same(
      touched((copy) => copy.edges.reverse()),
      ["m"],
    );
    same(
      touched((copy) => Object.assign(copy.edges[2]!, { sourceHandle: "error" })),
      ["m"],
    );
    same(
      touched((copy) => Object.assign(copy.edges[2]!, { id: "e", sourceHandle: null, targetHandle: "in" })),
      [],
    );
    same(
      touched((copy) => copy.nodes.push({ id: "frame", type: "group" }, { id: "note" })),
      [],
    );
  });

  it("depend on the value of an input, wherever it comes from", () => {
    expect(prints(workflow, { x: 1 })).toStrictEqual(prints());
    expect(prints(workflow, { x: 2 })["t"]).not.toBe(prints()["t"]);
    expect(prints(workflow, { x: 2 })["c"]).toBe(prints()["c"]);
    const known = finish(
      fingerprints(workflow, { seed: "s", inputs: { x: 5 }, known: (id) => (id === "x" ? 2 : undefined) }),
    );
    same(Object.fromEntries(known), prints(workflow, { x: 2 }));
  });

  it("depend on the seed", () => {
    expect(prints(workflow, undefined, "other")["far"]).not.toBe(prints()["far"]);
  });

  it("don't exist on cycles and behind them", () => {
    const cyclic: Workflow = {
      nodes: ["a", "b", "c", "d"].map((id) => ({ id, type: "t" })),
      edges: [
        { source: "a", target: "b" },
        { source: "b", target: "a" },
        { source: "b", target: "c" },
      ],
    };
    same(Object.keys(prints(cyclic)), ["d"]);
  });

  it("reach the end of a chain of 100,000 nodes, with pauses", () => {
    const count = 100_000;
    const nodes = Array.from({ length: count }, (_, i) => ({ id: `n${i}`, type: "t" }));
    const edges = nodes.slice(1).map(({ id }, i) => ({ source: `n${i}`, target: id }));
    const steps = fingerprints({ nodes, edges }, { seed: "s" });
    let pauses = 0;
    for (;;) {
      const step = steps.next();
      if (step.done) {
        expect(step.value.size).toBe(count);
        break;
      }
      pauses += 1;
    }
    expect(pauses).toBeGreaterThan(count / 200);
  });
});
