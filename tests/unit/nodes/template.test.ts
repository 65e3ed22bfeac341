import { describe, expect, test } from "vitest";
import { frozen, problemsOf, valuesOf } from "./context.ts";

const render = async (text: string, inputs = {}) =>
  (await valuesOf("template", { data: { text }, inputs }))[0];

describe("template", () => {
  test("puts values where their paths stand", async () => {
    const inputs = frozen({ user: { name: "Ada", tags: ["x", { y: 1 }] }, n: 3, no: null, yes: true });
    expect(await render("Hi {{user.name}}, {{ n }} {{no}} {{yes}}!", inputs)).toBe("Hi Ada, 3 null true!");
    expect(await render("{{user.tags.0}}{{user.tags.1.y}}", inputs)).toBe("x1");
    expect(await render("{{user}}", inputs)).toBe('{"name":"Ada","tags":["x",{"y":1}]}');
    expect(await render("", inputs)).toBe("");
    expect(await render('{"a":{"b":1}}', inputs)).toBe('{"a":{"b":1}}');
  });

  test("prints bytes, and what looks like them, with their markers", async () => {
    expect(await render("{{b}}", { b: new Uint8Array([1, 2, 3]) })).toBe('{"$bytes":"AQID"}');
    expect(await render("{{b}}", { b: { $bytes: "mine" } })).toBe('{"$$bytes":"mine"}');
  });

  test("never reads a value as a template", async () => {
    expect(await render("{{a}}", { a: "{{b}}", b: "secret" })).toBe("{{b}}");
    expect(await render("{{a}}{{b}}", { a: "{{", b: "a}}" })).toBe("{{a}}");
  });

  test("fails where nothing is", async () => {
    const inputs = { a: { b: [1], text: "abc" }, bytes: new Uint8Array(2) };
    const missing = [
      ...["x", "a.c", "a.b.1", "a.b.length", "a.b.-1", "a.b.01", "a.text.length", "a.text.0", "bytes.0"],
      ...["bytes.length", "a.__proto__", "a.constructor", "__proto__", "constructor", "toString", "a.b.map"],
    ];
    for (const path of missing) {
      await expect(render(`{{${path}}}`, inputs)).rejects.toMatchObject({
        code: "EXPRESSION_ERROR",
        retryable: false,
      });
    }
    await expect(render("{{a.c.d}}", inputs)).rejects.toThrow('{{a.c.d}} is missing: "a" has no "c"');
    await expect(render("{{x}}", inputs)).rejects.toThrow("{{x}} is missing: no such handle is connected");
  });

  test("finds own properties, whatever they are called", async () => {
    expect(await render("{{a.__proto__}}", { a: JSON.parse('{"__proto__":"own"}') })).toBe("own");
  });

  test("gives no more text than a value may have", async () => {
    const a = { large: "x".repeat(1_000_000) };
    await expect(render("{{a}}".repeat(10_000), { a })).rejects.toMatchObject({ code: "OUTPUT_TOO_LARGE" });
  });

  test("says what is wrong with a text, and where", () => {
    expect(problemsOf("template", { text: "a {{b" })).toEqual(['text: "{{" at character 3 has no "}}"']);
    for (const text of ["{{}}", "{{ . }}", "{{a..b}}", "{{.a}}", "{{a.}}", "{{{a}}}", "{{a {{b}}"]) {
      expect(problemsOf("template", { text })).toHaveLength(1);
    }
    expect(problemsOf("template", {})).toEqual(["text: must be a string"]);
  });
});
