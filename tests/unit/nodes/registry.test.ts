import { describe, expect, test } from "vitest";
import { z } from "zod";
import { builtinNodes, nodeTypes } from "../../../compute/nodes/index.ts";
import { typeOf, workflow } from "./context.ts";

const NAMES = "input output constant template transform range delay switch merge map loop subflow tool".split(
  " ",
);

/** Data that each type accepts. */
const DATA: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  input: { name: "n" },
  output: { name: "n" },
  constant: { value: null },
  template: { text: "x" },
  transform: { expression: "$" },
  range: { to: 3 },
  delay: { ms: 1 },
  switch: { cases: [{ handle: "yes", when: "$" }] },
  merge: { mode: "first" },
  map: { workflow },
  loop: { workflow, while: "$", maxIterations: 3 },
  subflow: { workflow },
  tool: { tool: "ask" },
};

test("every type of the contract is there, under its own name", () => {
  expect([...builtinNodes.keys()].sort()).toEqual([...NAMES].sort());
  for (const [name, type] of builtinNodes) expect(type.type).toBe(name);
});

test("of two types with one name the later wins", () => {
  const mine = { ...typeOf("range"), description: "mine" };
  expect(nodeTypes(builtinNodes, mine).get("range")).toBe(mine);
  expect(nodeTypes(mine, builtinNodes).get("range")).toBe(builtinNodes.get("range"));
});

describe.each(NAMES)("%s", (name) => {
  const type = typeOf(name);

  test("says what it does", () => {
    expect(type.description).toMatch(/^[A-Z].{10,}[^.]$/);
  });

  test("has a schema that can be told as JSON Schema", () => {
    const schema = z.toJSONSchema(type.data, { io: "input", unrepresentable: "throw" });
    expect(schema.type).toBe("object");
    for (const property of Object.values(schema.properties ?? {}))
      expect(property).toHaveProperty("description");
  });

  test("accepts its data, whatever else a drawing keeps beside it", () => {
    const parsed = type.data.parse({ ...DATA[name], label: "A label", color: "red" });
    expect(parsed).not.toHaveProperty("label");
    expect(type.handles(parsed)).toEqual({ inputs: expect.any(Object), outputs: expect.any(Object) });
    expect(["pure", "idempotent", "effectful"]).toContain(type.effect(parsed));
  });

  test("refuses what is not an object", () => {
    for (const data of [null, "text", 3, []]) expect(type.data.safeParse(data).success).toBe(false);
  });
});
