import { describe, expect, test } from "vitest";
import type { NestedRun } from "../../../compute/engine/index.ts";
import {
  dataOf,
  emissionsOf,
  gave,
  nested,
  problemsOf,
  skipped,
  typeOf,
  valuesOf,
  workflow,
} from "./context.ts";

describe("loop", () => {
  const increment = (run: NestedRun) => nested(gave(Number(run.inputs["value"]) + 1));

  test("runs on its own result while the condition holds", async () => {
    const data = { workflow, while: "$ < 5", maxIterations: 10 };
    expect(await valuesOf("loop", { data, inputs: { in: 2 }, run: increment })).toEqual([5]);
    expect(await valuesOf("loop", { data, inputs: { in: 7 } })).toEqual([7]);
  });

  test("knows the iteration, and asks the condition before it", async () => {
    const data = { workflow, while: "$iteration < 3", maxIterations: 3 };
    const runs: NestedRun[] = [];
    const run = (nestedRun: NestedRun) => {
      runs.push(nestedRun);
      return increment(nestedRun);
    };
    expect(await valuesOf("loop", { data, inputs: { in: 10 }, run })).toEqual([13]);
    expect(runs.map(({ scope, inputs, given }) => [scope, inputs, given])).toEqual([
      ["0", { value: 10, iteration: 0 }, 10],
      ["1", { value: 11, iteration: 1 }, 11],
      ["2", { value: 12, iteration: 2 }, 12],
    ]);
  });

  test("takes over an iteration only while all earlier ones were taken over", async () => {
    const data = { workflow, while: "$iteration < 4", maxIterations: 4 };
    const reusable: unknown[] = [];
    const run = (nestedRun: NestedRun) => {
      reusable.push(nestedRun.reusable);
      return nested(gave(1), { reused: nestedRun.scope !== "1" });
    };
    await valuesOf("loop", { data, inputs: { in: 0 }, run });
    expect(reusable).toEqual([true, true, false, false]);
  });

  test("fails at its limit", async () => {
    const data = { workflow, while: "true", maxIterations: 3 };
    await expect(emissionsOf("loop", { data, inputs: { in: 0 }, run: increment })).rejects.toMatchObject({
      code: "ITERATION_LIMIT",
      retryable: false,
    });
  });

  test("keeps its value where an iteration gives nothing, and fails with an iteration", async () => {
    const data = { workflow, while: "$iteration < 2", maxIterations: 9 };
    expect(await valuesOf("loop", { data, inputs: { in: "kept" }, run: () => nested(skipped) })).toEqual([
      "kept",
    ]);
    const run = () => nested(Promise.reject(new Error("inside")));
    await expect(emissionsOf("loop", { data, inputs: { in: 1 }, run })).rejects.toThrow("inside");
  });

  test("needs a limit", () => {
    expect(problemsOf("loop", { workflow, while: "true" })).toHaveLength(1);
    for (const maxIterations of [0, 1.5, 1e9])
      expect(problemsOf("loop", { workflow, while: "true", maxIterations })).toHaveLength(1);
    expect(problemsOf("loop", { workflow, while: "$now()", maxIterations: 1 })[0]).toMatch(/^while: .*clock/);
  });
});

describe("subflow", () => {
  const inner = {
    nodes: [
      { id: "a", type: "output", data: { name: "sum" } },
      { id: "b", type: "output", data: { name: "out" } },
      { id: "c", type: "output", data: {} },
      { id: "d", type: "output", data: { name: "__proto__" } },
      { id: "e", type: "range", data: { name: "not an output" } },
    ],
  };

  test("has a handle for its result, and one for each output by name", () => {
    const { inputs, outputs } = typeOf("subflow").handles(dataOf("subflow", { workflow: inner }));
    expect(inputs).toEqual({ "*": {} });
    expect(Object.entries(outputs)).toEqual([
      ["sum", "value"],
      ["out", "value"],
      ["__proto__", "value"],
    ]);
    expect(Object.getPrototypeOf(outputs)).toBe(Object.prototype);
  });

  test("runs once, without a scope, and gives the result and every output that was not skipped", async () => {
    const runs: NestedRun[] = [];
    const run = (nestedRun: NestedRun) => {
      runs.push(nestedRun);
      return nested(gave({ sum: 3 }), { outputs: { sum: 3, out: 9 } });
    };
    expect(await emissionsOf("subflow", { data: { workflow: inner }, inputs: { a: 1 }, run })).toEqual([
      { value: { sum: 3 } },
      { handle: "sum", value: 3 },
    ]);
    expect(runs).toEqual([{ inputs: { a: 1 } }]);
  });

  test("gives nothing where everything was skipped", async () => {
    expect(await emissionsOf("subflow", { data: { workflow: inner }, run: () => nested(skipped) })).toEqual(
      [],
    );
  });
});

test("containers say what they run and with which inputs", () => {
  const of = (name: string, data: object) =>
    typeOf(name).nested?.(dataOf(name, { workflow, ...data }))?.inputs;
  expect(of("map", {})).toEqual(["item", "index"]);
  expect(of("loop", { while: "$", maxIterations: 1 })).toEqual(["value", "iteration"]);
  expect(of("subflow", {})).toBe("handles");
});
