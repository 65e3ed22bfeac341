import { describe, expect, test } from "vitest";
import { closest } from "../../../compute/engine/closest.ts";
import { createEngine, localRunner } from "../../../compute/engine/index.ts";
import { builtinNodes } from "../../../compute/nodes/index.ts";
import { DEFAULT_LIMITS, type ExecuteRequest, Workflow } from "../../../protocol/index.ts";
import { VirtualClock } from "../../support/clock.ts";

const engine = createEngine({
  runtime: "node",
  types: builtinNodes,
  runner: localRunner,
  clock: new VirtualClock(),
  random: (bytes) => new Uint8Array(bytes),
  limits: DEFAULT_LIMITS,
});

async function issuesOf(workflow: object) {
  const { issues } = await engine.validate({ workflow: Workflow.parse(workflow) } as ExecuteRequest);
  return issues;
}

describe("whoever draws a workflow is told at once", () => {
  test("of bad data, unknown types, wrong handles, bad edges and cycles", async () => {
    const issues = await issuesOf({
      nodes: [
        { id: "a", type: "transform", data: { expression: "$ +" } },
        { id: "b", type: "transform", data: { expression: "$" } },
        { id: "c", type: "constnt", data: { value: 1 } },
        { id: "d", type: "constant", data: { value: 1 } },
      ],
      edges: [
        { source: "a", target: "b" },
        { source: "b", target: "a" },
        { source: "c", target: "a", targetHandle: "x" },
        { source: "d", sourceHandle: "outt", target: "b", targetHandle: "y" },
        { source: "nobody", target: "b", targetHandle: "z" },
      ],
    });
    expect(issues.map(({ code, path }) => [code, path])).toEqual([
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/expression"],
      ["UNKNOWN_NODE_TYPE", "/workflow/nodes/2/type"],
      ["UNKNOWN_HANDLE", "/workflow/edges/3/sourceHandle"],
      ["INVALID_EDGE_SOURCE", "/workflow/edges/4/source"],
      ["CYCLE_DETECTED", "/workflow/edges/0"],
    ]);
    expect(issues[1]?.message).toContain('did you mean "constant"?');
    expect(issues[2]?.message).toContain('has no output "outt"; it has "out"');
  });

  test("and of nothing that only follows from something else", async () => {
    const issues = await issuesOf({
      nodes: [
        { id: "a", type: "transform", data: {} },
        { id: "b", type: "output", data: { name: "result" } },
      ],
      edges: [{ source: "a", sourceHandle: "whatever", target: "b" }],
    });
    expect(issues.map(({ code }) => code)).toEqual(["INVALID_NODE_DATA"]);
  });
});

describe("the name that was probably meant", () => {
  test("is at most two letters away", () => {
    const names = ["constant", "transform", "map"];
    expect(closest("constnt", names)).toBe("constant");
    expect(closest("tranform", names)).toBe("transform");
    expect(closest("http", names)).toBe(null);
    expect(closest("x".repeat(1e6), names)).toBe(null);
  });
});
