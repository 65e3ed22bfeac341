import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measure, NodeflowError } from "../../../protocol/index.ts";
import { anyValue } from "./value.ts";

const MAX_DEPTH = 128;
const thrown = (value: unknown, maxSize?: number): NodeflowError => {
  try {
    measure(value, MAX_DEPTH, maxSize, "out");
  } catch (error) {
    if (error instanceof NodeflowError) return error;
    throw error;
  }
  throw new Error("nothing thrown");
};

describe("measure", () => {
  it("counts text by UTF-16 units, bytes by bytes, other scalars as 8, structure as nothing", () => {
    expect(measure("a😀", MAX_DEPTH)).toBe(3);
    expect(measure(new Uint8Array(5), MAX_DEPTH)).toBe(5);
    expect(measure({ long_key: [null, true, 1.5, "xy", { a: [] }] }, MAX_DEPTH)).toBe(26);
  });

  it("takes any value, with or without a prototype", () => {
    fc.assert(fc.property(anyValue, (value) => measure(value, MAX_DEPTH) >= 0));
    expect(measure(Object.assign(Object.create(null), { a: 1 }), MAX_DEPTH)).toBe(8);
  });

  it.each([
    [{ rows: [1, 2, 3, { when: new Date(0) }] }, "out.rows[3].when is an instance of Date"],
    [{ a: undefined }, "out.a is undefined"],
    [[Number.NaN], "out[0] is NaN"],
    [Number.POSITIVE_INFINITY, "out is Infinity"],
    [{ "a b": () => 1 }, 'out["a b"] is a function'],
    [Symbol("s"), "out is a symbol"],
    [10n, "out is a bigint"],
    [new Map(), "out is an instance of Map"],
    [new Array(3), "out[0] is undefined"],
    [JSON.parse('{"a":{"__proto__":1}}'), "out.a is an object with the key __proto__"],
  ])("refuses what isn't a value, and says where: %#", (value, message) => {
    const error = thrown(value);
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ code: "NODE_FAILED", retryable: false });
  });

  it("ends at the depth cap, also for a cycle", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(thrown(cycle).code).toBe("OUTPUT_TOO_LARGE");
    let deep: unknown = [];
    for (let i = 0; i < MAX_DEPTH - 1; i++) deep = { a: deep };
    expect(measure(deep, MAX_DEPTH)).toBe(0);
    expect(thrown([deep]).code).toBe("OUTPUT_TOO_LARGE");
  });

  it("ends at the size cap, also for a small value that has 2^100 elements", () => {
    let doubled: unknown = [];
    for (let i = 0; i < 100; i++) doubled = [doubled, doubled];
    expect(thrown(doubled, 100_000).code).toBe("OUTPUT_TOO_LARGE");
    expect(thrown("x".repeat(11), 10).code).toBe("OUTPUT_TOO_LARGE");
  });
});
