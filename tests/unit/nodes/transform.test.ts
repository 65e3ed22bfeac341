import { describe, expect, test } from "vitest";
import { dataOf, emissionsOf, execute, frozen, live, problemsOf, typeOf, valuesOf } from "./context.ts";

describe("transform", () => {
  test("evaluates once: `in` is the root, other handles are variables", async () => {
    const data = { expression: "price * $factor" };
    expect(await valuesOf("transform", { data, inputs: frozen({ in: { price: 3 }, factor: 2 }) })).toEqual([
      6,
    ]);
    expect(
      await valuesOf("transform", {
        data: { expression: "$left & $right" },
        inputs: { left: "a", right: "b" },
      }),
    ).toEqual(["ab"]);
  });

  test("has null for a root without `in`, and gives null for nothing", async () => {
    expect(await valuesOf("transform", { data: { expression: "$ = null" } })).toEqual([true]);
    expect(await valuesOf("transform", { data: { expression: "nothing" } })).toEqual([null]);
  });

  test("fails on what is no value", async () => {
    for (const expression of ["function($x){$x}", "1/0", "[0/0]", "{'a': $sum}"]) {
      await expect(emissionsOf("transform", { data: { expression } })).rejects.toMatchObject({
        code: "EXPRESSION_ERROR",
      });
    }
  });

  test("refuses an expression that can't be read", () => {
    expect(problemsOf("transform", { expression: "a +" })).toEqual([
      "expression: Unexpected end of expression (at character 3)",
    ]);
    expect(problemsOf("transform", {})).toEqual(["expression: must be a string"]);
  });
});

describe("transform with each", () => {
  const data = { expression: "$ > 1 ? $ * $by", each: true };

  test("reads items live and gives items; other handles are settled", () => {
    const handles = typeOf("transform").handles(dataOf("transform", data));
    expect(handles).toEqual({
      inputs: { in: { required: true, live: ["items"] }, "*": {} },
      outputs: { out: "items" },
    });
  });

  test("evaluates for each item and gives nothing for nothing", async () => {
    const items = { in: live("items", [1, 2, 3]) };
    expect(await valuesOf("transform", { data, inputs: { by: 10 }, live: items })).toEqual([20, 30]);
  });

  test("takes a list from a value element by element, null as none, others and text as one item", async () => {
    const all = { expression: "$", each: true };
    const of = (input: ReturnType<typeof live>) => valuesOf("transform", { data: all, live: { in: input } });
    expect(await of(live("value", [[1, [2]]]))).toEqual([1, [2]]);
    expect(await of(live("value", [null]))).toEqual([]);
    expect(await of(live("value", []))).toEqual([]);
    expect(await of(live("value", ["ab"]))).toEqual(["ab"]);
    expect(await of(live("text", ["abc"]))).toEqual(["abc"]);
    expect(await of(live("bytes", [new Uint8Array([1])]))).toEqual([new Uint8Array([1])]);
    expect(await of(live("items", [[1, 2], null]))).toEqual([[1, 2], null]);
  });

  test("reads an item only when asked for one, and ends its input when it is ended", async () => {
    let read = 0;
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield read++;
      } finally {
        ended = true;
      }
    }
    for await (const emission of execute("transform", {
      data: { expression: "$", each: true },
      live: { in: live("items", endless()) },
    })) {
      if (emission.value === 4) break;
    }
    expect([read, ended]).toEqual([5, true]);
  });
});
