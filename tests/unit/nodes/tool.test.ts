import { describe, expect, test } from "vitest";
import type { Question } from "../../../compute/engine/index.ts";
import { dataOf, emissionsOf, problemsOf, typeOf } from "./context.ts";

async function asked(data: unknown, inputs = {}): Promise<Question> {
  const questions: Question[] = [];
  const ask = async (question: Question) => {
    questions.push(question);
    return "answer";
  };
  expect(await emissionsOf("tool", { data, inputs, ask })).toEqual([{ value: "answer" }]);
  expect(questions).toHaveLength(1);
  return questions[0]!;
}

describe("tool", () => {
  test("asks the client and gives its answer", async () => {
    expect(await asked({ tool: "approve" })).toEqual({ tool: "approve", args: {} });
    expect(await asked({ tool: "approve" }, { in: [1] })).toEqual({ tool: "approve", args: [1] });
    expect(await asked({ tool: "approve", schema: { type: "boolean" } })).toEqual({
      tool: "approve",
      args: {},
      schema: { type: "boolean" },
    });
  });

  test("reads strings of its arguments as templates: one that is all place gives the value itself", async () => {
    const bytes = new Uint8Array([1]);
    const inputs = { order: { id: 7, lines: [1, 2] }, bytes, "{{order.id}}": 1 };
    const args = {
      all: "{{order.lines}}",
      text: "Order {{order.id}}?",
      deep: [{ bytes: "{{bytes}}" }, 1, null],
      "{{order.id}}": true,
    };
    expect((await asked({ tool: "approve-{{order.id}}", args }, inputs)).args).toEqual({
      all: [1, 2],
      text: "Order 7?",
      deep: [{ bytes }, 1, null],
      "{{order.id}}": true,
    });
  });

  test("puts values in as they are, also if they look like templates", async () => {
    const inputs = { a: "{{b}}", b: { secret: 1 } };
    expect((await asked({ tool: "t", args: ["{{a}}", "x{{a}}"] }, inputs)).args).toEqual(["{{b}}", "x{{b}}"]);
  });

  test("keeps keys of any name its own", async () => {
    const { args } = await asked(
      { tool: "t", args: JSON.parse('{"__proto__":{"polluted":"{{in}}"}}') },
      { in: 1 },
    );
    expect(JSON.stringify(args)).toBe('{"__proto__":{"polluted":1}}');
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
  });

  test("fails where a value is missing", async () => {
    const ask = async () => null;
    const asking = emissionsOf("tool", { data: { tool: "t", args: "{{gone}}" }, ask });
    await expect(asking).rejects.toMatchObject({ code: "EXPRESSION_ERROR" });
  });

  test("says where a template, or a keyword that can't be checked, stands", () => {
    expect(problemsOf("tool", { tool: "t", args: { a: ["{{"] } })).toEqual([
      'args.a.0: "{{" at character 1 has no "}}"',
    ]);
    expect(problemsOf("tool", { tool: "t", schema: { items: { pattern: "x" } } })).toEqual([
      'schema: items: the keyword "pattern" is not supported',
    ]);
    expect(problemsOf("tool", { tool: "t", schema: { properties: { a: { $ref: "#" } } } })).toHaveLength(1);
    expect(problemsOf("tool", { tool: "t", schema: "boolean" })).toHaveLength(1);
    expect(problemsOf("tool", { tool: "" })).toHaveLength(1);
    expect(problemsOf("tool", {})).toEqual(["tool: must be a string"]);
  });

  test("is effectful", () => {
    expect(typeOf("tool").effect(dataOf("tool", { tool: "t" }))).toBe("effectful");
  });
});
