import fc from "fast-check";
import jsonata from "jsonata";
import { describe, expect, test } from "vitest";
import { compile, UNSURE } from "../../../../compute/nodes/expression/expression.ts";
import type { Value } from "../../../../protocol/index.ts";

const now = (source: string, root: Value = null, variables: Readonly<Record<string, Value>> = {}) =>
  compile(source).evaluateNow(root, variables);

const key = fc.constantFrom("a", "b", "sequence", "constructor", "__proto__", "length", "then");
const scalar = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    false,
    "",
    "a",
    "b",
    "10",
    0,
    -0,
    1,
    2,
    -3,
    0.1,
    1 / 3,
    1e21,
    1e300,
    1e-7,
  ),
  fc.string({ maxLength: 3 }),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

/** Expressions of all the forms that are evaluated directly, and of some that look like them. */
const { source } = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(
      "$",
      "$$",
      "a",
      "b",
      "a.b",
      "$.a",
      "$x",
      "$x.a",
      "$y",
      "$y.b.a",
      "$x.`__proto__`",
      "a.`constructor`",
      "a.length",
    ),
    fc.constantFrom(
      "a.sequence",
      "a.then",
      "$sum",
      "$missing",
      "a[]",
      "a[0]",
      "a.b[0]",
      "a.$",
      "$x.b[]",
      "a.'b'",
      "a^(b)",
      "a#$i",
      "'['",
    ),
    fc.constantFrom("1", "0", "2.5", "''", "'a'", "'10'", "true", "false", "null", "1e300", "0.1"),
    fc
      .tuple(
        tie("source"),
        fc.constantFrom(..."+ - * / % < <= > >= = != & and or in".split(" ")),
        tie("source"),
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc
      .tuple(tie("source"), tie("source"), tie("source"))
      .map(([test, then, other]) => `(${test} ? ${then} : ${other})`),
    fc.tuple(tie("source"), tie("source")).map(([test, then]) => `(${test} ? ${then})`),
    tie("source").map((inner) => `-(${inner})`),
    tie("source").map((inner) => `(${inner}).a`),
    fc.array(tie("source"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(fc.constantFrom("'a'", "'b'", "'__proto__'", "a", "''"), tie("source")), {
        maxLength: 3,
      })
      .map((entries) => `{${entries.map(([name, inner]) => `${name}: ${inner}`).join(", ")}}`),
  ),
}));

/** What the evaluator as it comes says, on a copy of what it is given. */
async function theirs(text: string, root: Value, variables: Readonly<Record<string, Value>>) {
  try {
    return await jsonata(text).evaluate(structuredClone(root), structuredClone(variables));
  } catch {
    return "an error";
  }
}

describe("direct evaluation", () => {
  test("gives what the evaluator gives, or doesn't know", async () => {
    let sure = 0;
    await fc.assert(
      fc.asyncProperty(source, value, value, value, async (text, root, x, y) => {
        let outcome: unknown;
        try {
          outcome = now(text, root, { x, y });
        } catch (error) {
          // Some texts are no expressions, like a number in the middle of a path.
          expect(error).toBeInstanceOf(SyntaxError);
          return;
        }
        if (outcome === UNSURE) return;
        sure += 1;
        const expected = await theirs(text, root, { x, y });
        // In JSON, since the evaluator marks its lists and its objects have no prototype.
        expect(JSON.stringify(outcome)).toBe(JSON.stringify(expected));
      }),
      { seed: 21, numRuns: 20_000 },
    );
    expect(sure).toBeGreaterThan(4_000);
  }, 60_000);

  test("knows what workflows mostly ask", () => {
    expect(now("in.price > 10", { in: { price: 11 } })).toBe(true);
    expect(now("$x * 2 + 1", null, { x: 4 })).toBe(9);
    expect(now("status = 'paid' and total >= 100", { status: "paid", total: 100 })).toBe(true);
    expect(now("{'id': id, 'name': first & ' ' & last}", { id: 1, first: "A", last: "B" })).toEqual({
      id: 1,
      name: "A B",
    });
    expect(now("missing.deep", {})).toBeUndefined();
  });

  test("shares what it finds", () => {
    const root = { a: { b: [1, 2] } };
    expect(now("a.b", root)).toBe(root.a.b);
    expect(now("$", root)).toBe(root);
  });

  test("leaves to the evaluator what has rules of its own, and every error", () => {
    const root = { list: [{ a: 1 }], text: "t", bytes: new Uint8Array(1), o: {} };
    for (const text of [
      "list.a",
      "list[0]",
      "text + 1",
      "1/0",
      "bytes.length",
      "list = list",
      "o = o",
      "o and true",
      "$sum",
      "list < 1",
      "-text",
    ]) {
      expect(now(text, root)).toBe(UNSURE);
    }
    expect(now("a", [{ a: 1 }])).toBe(UNSURE);
  });
});
