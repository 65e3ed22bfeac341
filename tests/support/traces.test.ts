import { describe, expect, it } from "vitest";
import type { ExecutionUpdate } from "../../protocol/index.ts";
import { asArithmetic, asDelays, evaluateTrace, orderFaults, type Trace } from "./traces.ts";

const trace: Trace = {
  name: "diamond",
  tasks: [
    { id: "d", parents: ["b", "c"], seconds: 1 },
    { id: "a", parents: [], seconds: 4 },
    { id: "b", parents: ["a"], seconds: 2 },
    { id: "c", parents: ["a"], seconds: 0 },
  ],
};
const updates = (...lines: readonly string[]) =>
  lines.map((line) => {
    const [what, nodeId] = line.split(" ");
    return { type: `node-${what}`, nodeId };
  }) as unknown as ExecutionUpdate[];
const right = ["started a", "completed a", "started c", "started b", "completed b", "completed c"];

describe("a trace", () => {
  it("becomes arithmetic", () => {
    expect(evaluateTrace(trace)).toEqual({ a: 2, b: 7, c: 8, d: 1 + 2 * 7 + 3 * 8 });
    expect(asArithmetic(trace).nodes.find((node) => node.id === "d")?.data).toEqual({
      expression: "(1 + 2 * $p0 + 3 * $p1) % 9973",
    });
  });

  it("becomes delays, the longest of a tenth of a second", () => {
    const delays = asDelays(trace).nodes.filter((node) => node.type === "delay");
    expect(delays.map((node) => (node.data as { ms: number }).ms)).toEqual([25, 100, 50, 0]);
  });

  it("ran in order, or it is told what didn't", () => {
    expect(orderFaults(trace, updates(...right, "started d", "completed d"))).toEqual([]);
    expect(orderFaults(trace, updates("started d", ...right, "completed d"))).toHaveLength(2);
    expect(orderFaults(trace, updates(...right, "started d", "completed d", "completed d"))).toHaveLength(1);
    expect(orderFaults(trace, updates(...right, "started d"))).toHaveLength(1);
  });
});
