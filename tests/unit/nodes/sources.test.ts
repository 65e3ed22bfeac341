import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataOf, emissionsOf, execute, problemsOf, typeOf, valuesOf } from "./context.ts";

describe("input", () => {
  test("gives what the run gives it", async () => {
    expect(await valuesOf("input", { data: { name: "n" }, inputs: { in: 3 } })).toEqual([3]);
  });

  test("names an input of the workflow, with its default", () => {
    expect(typeOf("input").input?.(dataOf("input", { name: "n" }))).toEqual({ name: "n" });
    expect(typeOf("input").input?.(dataOf("input", { name: "n", default: null }))).toEqual({
      name: "n",
      default: null,
    });
  });

  test("refuses names that no handle can have", () => {
    for (const name of ["", "a/b", "__proto__", "constructor", "a\u0000b", "x".repeat(257), 3, undefined]) {
      expect(problemsOf("input", { name })).toHaveLength(1);
      expect(problemsOf("output", { name })).toHaveLength(1);
    }
  });
});

describe("output", () => {
  test("needs one value and gives nothing", async () => {
    const data = dataOf("output", { name: "n" });
    expect(typeOf("output").handles(data)).toEqual({ inputs: { in: { required: true } }, outputs: {} });
    expect(typeOf("output").output?.(data)).toEqual({ name: "n" });
    expect(await emissionsOf("output", { data: { name: "n" }, inputs: { in: 1 } })).toEqual([]);
  });
});

describe("constant", () => {
  test("gives its very value", async () => {
    for (const value of [null, 0, "", false, [1], { a: 1 }, new Uint8Array([1])]) {
      expect((await valuesOf("constant", { data: { value } }))[0]).toBe(value);
    }
  });

  test("needs a value", () => {
    expect(problemsOf("constant", {})).toEqual(["value: is required"]);
  });
});

describe("range", () => {
  const numbers = (data: unknown) => valuesOf("range", { data });

  test("goes from 0 by 1, up to and including the limit", async () => {
    expect(await numbers({ to: 3 })).toEqual([0, 1, 2, 3]);
    expect(await numbers({ from: 2, to: 2.5 })).toEqual([2]);
    expect(await numbers({ from: 1, to: 0 })).toEqual([]);
    expect(await numbers({ from: 3, to: -3, step: -2 })).toEqual([3, 1, -1, -3]);
  });

  test("reaches a limit that only rounding keeps away", async () => {
    expect(await numbers({ to: 0.3, step: 0.1 })).toEqual([0, 0.1, 0.2, 0.3]);
    expect(await numbers({ from: 1, to: 0.7, step: -0.1 })).toHaveLength(4);
    expect((await numbers({ to: 1, step: 0.1 })).at(-1)).toBe(1);
    expect(await numbers({ to: 100, step: 0.01 })).toHaveLength(10_001);
  });

  test("multiplies instead of adding up, so that errors don't grow, and never passes the limit", () => {
    const place = fc.integer({ min: -1000, max: 1000 });
    const step = fc.integer({ min: -50, max: 50 }).filter((n) => n !== 0);
    fc.assert(
      fc.asyncProperty(place, place, step, fc.constantFrom(1, 10, 3, 0.125), async (from, to, by, over) => {
        const values = await numbers({ from: from / over, to: to / over, step: by / over });
        const count = Math.max(0, Math.floor((to - from) / by) + 1);
        expect(values).toHaveLength(count);
        for (const [i, value] of values.entries()) {
          expect(value).toBeCloseTo((from + i * by) / over, 9);
          expect(by > 0 ? Number(value) <= to / over : Number(value) >= to / over).toBe(true);
        }
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  test("makes each number only when it is asked for", () => {
    const iterator = (
      execute("range", { data: { from: -1e308, to: 1e308, step: 1e-300 } }) as Iterable<unknown>
    )[Symbol.iterator]();
    expect(iterator.next()).toEqual({ done: false, value: { value: -1e308 } });
    expect(iterator.return?.()).toEqual({ done: true, value: undefined });
  });

  test("says what is wrong", () => {
    expect(problemsOf("range", { to: 3, step: 0 })).toEqual(["step: must not be 0"]);
    expect(problemsOf("range", {})).toEqual(["to: must be a finite number"]);
    for (const to of [Number.POSITIVE_INFINITY, Number.NaN, "3", null]) {
      expect(problemsOf("range", { to })).toEqual(["to: must be a finite number"]);
    }
  });
});
