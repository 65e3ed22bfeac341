import { describe, expect, test } from "vitest";
import { dataOf, emissionsOf, frozen, problemsOf, typeOf, valuesOf } from "./context.ts";

describe("delay", () => {
  test("waits for its time, then gives one input as it is, several as a list, none as null", async () => {
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    const one = frozen([1, 2]);
    expect((await valuesOf("delay", { data: { ms: 20 }, inputs: { in: [one] }, sleep }))[0]).toBe(one);
    expect(await valuesOf("delay", { data: { ms: 0 }, inputs: { in: [1, "b"] }, sleep })).toEqual([[1, "b"]]);
    expect(await valuesOf("delay", { data: { ms: 1.5 }, sleep })).toEqual([null]);
    expect(waits).toEqual([20, 0, 1.5]);
  });

  test("refuses times that no timer can wait", () => {
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "1", undefined]) {
      expect(problemsOf("delay", { ms })).toHaveLength(1);
    }
  });

  test("ends with the attempt", async () => {
    const sleep = () => Promise.reject(new Error("aborted"));
    await expect(emissionsOf("delay", { data: { ms: 5 }, sleep })).rejects.toThrow("aborted");
  });
});

describe("merge", () => {
  test("passes on what its mode has it read", async () => {
    expect(await valuesOf("merge", { data: { mode: "first" }, inputs: { in: "a" } })).toEqual(["a"]);
    expect(await valuesOf("merge", { data: { mode: "all" }, inputs: { in: ["a", "b"] } })).toEqual([
      ["a", "b"],
    ]);
  });

  test("reads the first branch or all of them", () => {
    const inputs = (mode: string) => typeOf("merge").handles(dataOf("merge", { mode })).inputs;
    expect(inputs("first")).toEqual({ in: { required: true, first: true } });
    expect(inputs("all")).toEqual({ in: { required: true, many: true } });
    expect(problemsOf("merge", { mode: "any" })).toEqual(['mode: must be "first" or "all"']);
  });
});

describe("switch", () => {
  const data = {
    cases: [
      { handle: "big", when: "$ > 10" },
      { handle: "even", when: "$ % 2 = 0" },
      { handle: "big", when: "$ = -1" },
    ],
  };

  test("gives its input to the handle of the first condition that holds, and to nobody else", async () => {
    const to = async (value: number, otherwise?: string) =>
      (
        await emissionsOf("switch", {
          data: { ...data, ...(otherwise && { otherwise }) },
          inputs: { in: value },
        })
      ).map((emission) => [emission.handle, emission.value]);
    expect(await to(12)).toEqual([["big", 12]]);
    expect(await to(4)).toEqual([["even", 4]]);
    expect(await to(-1)).toEqual([["big", -1]]);
    expect(await to(3)).toEqual([]);
    expect(await to(3, "rest")).toEqual([["rest", 3]]);
  });

  test("has an output for each name, once", () => {
    const handles = typeOf("switch").handles(dataOf("switch", { ...data, otherwise: "rest" }));
    expect(handles.outputs).toEqual({ big: "value", even: "value", rest: "value" });
  });

  test("counts as true what $boolean takes for true", async () => {
    const taken = async (when: string, value: unknown) =>
      (
        await emissionsOf("switch", {
          data: { cases: [{ handle: "yes", when }] },
          inputs: { in: value as never },
        })
      ).length;
    for (const value of [0, "", null, [], {}, [0], [[]], [0, ""], false])
      expect(await taken("$", value)).toBe(0);
    for (const value of [1, "x", [1], { a: 0 }, [[1]], [0, 1], true]) expect(await taken("$", value)).toBe(1);
    expect(await taken("nothing", {})).toBe(0);
  });

  test("says which condition can't be read", () => {
    const cases = [
      { handle: "a", when: "1" },
      { handle: "b", when: "1 +" },
    ];
    expect(problemsOf("switch", { cases })).toEqual([
      "cases.1.when: Unexpected end of expression (at character 3)",
    ]);
    expect(problemsOf("switch", { cases: [{ handle: "__proto__", when: "1" }] })).toHaveLength(1);
  });
});
