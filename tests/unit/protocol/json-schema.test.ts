import { describe, expect, it } from "vitest";
import { checkSchema, fits, type Value } from "../../../protocol/index.ts";

const schema: Value = {
  type: "object",
  required: ["approved"],
  properties: {
    approved: { type: "boolean" },
    note: { type: ["string", "null"], minLength: 2, maxLength: 3 },
    amounts: { type: "array", items: { type: "integer", minimum: 0, maximum: 10 }, maxItems: 2 },
    level: { enum: ["low", { at: 1 }] },
    version: { const: 1 },
  },
};

describe("answers against a schema", () => {
  it("takes schemas that say only what is checked", () => {
    expect(checkSchema(schema)).toBeNull();
    expect(checkSchema({})).toBeNull();
  });

  it.each<[Value, string]>([
    [{ pattern: "(a+)+$" }, '"pattern"'],
    [{ properties: { a: { $ref: "#" } } }, '"$ref"'],
    [{ items: { anyOf: [] } }, '"anyOf"'],
    [{ toString: 1 }, '"toString"'],
    [{ type: "date" }, "type"],
    [{ type: [] }, "type"],
    [{ required: [1] }, "required"],
    [{ minLength: -1 }, "minLength"],
    [{ minimum: "1" }, "minimum"],
    [{ items: true }, "items"],
    [true, "must be an object"],
    [null, "must be an object"],
  ])("refuses the schema %j", (bad, reason) => {
    expect(checkSchema(bad)).toContain(reason);
  });

  it("refuses a schema nested without end", () => {
    let deep: Value = {};
    for (let i = 0; i < 10_000; i++) deep = { items: deep };
    expect(checkSchema(deep)).toContain("deeper");
  });

  it.each<Value>([
    { approved: true },
    { approved: false, note: "😀😀😀", amounts: [0, 10], level: "low", version: 1, other: "kept" },
    { approved: true, note: null, level: { at: 1 } },
  ])("lets %j pass", (value) => {
    expect(fits(value, schema)).toBeNull();
  });

  it.each<[Value, string]>([
    [null, "value must be of type object"],
    [new Uint8Array(1), "value must be of type object"],
    [[], "value must be of type object"],
    [{}, 'value must have "approved"'],
    [{ approved: "yes" }, "value.approved must be of type boolean"],
    [{ approved: true, note: "😀" }, "the length of value.note must be at least 2"],
    [{ approved: true, note: "abcd" }, "the length of value.note must be at most 3"],
    [{ approved: true, amounts: [1, 11] }, "value.amounts[1] must be at most 10"],
    [{ approved: true, amounts: [1.5] }, "value.amounts[0] must be of type integer"],
    [{ approved: true, amounts: [1, 1, 1] }, "the length of value.amounts must be at most 2"],
    [{ approved: true, level: { at: 2 } }, "value.level must be one of"],
    [{ approved: true, version: 2 }, "value.version must be 1"],
  ])("says why %j doesn't", (value, reason) => {
    expect(fits(value, schema)).toContain(reason);
  });

  it("reads names as own keys only", () => {
    expect(fits({}, { required: ["toString"] })).toContain('"toString"');
    expect(fits({}, { properties: { toString: { type: "string" } } })).toBeNull();
  });
});
