import { describe, expect, test } from "vitest";
import { compile } from "../../../../compute/nodes/expression/expression.ts";
import type { Value } from "../../../../protocol/index.ts";
import { frozen } from "../context.ts";
import { setting } from "./setting.ts";

const evaluate = (source: string, root: Value = null, variables = {}, seed?: string) =>
  compile(source).evaluate(frozen(root), frozen(variables), setting(seed));

describe("values and expressions", () => {
  /** Each of these once marked, extended or changed what it was given. */
  const TOUCHING: readonly (readonly [string, Value])[] = [
    ["a.items[]", { a: { items: [{ x: 1 }] } }],
    ["a.items{ 'k': x }", { a: { items: [] } }],
    ["items{ x: x }", { items: [] }],
    ["$ ~> |items|{'x': 2, 'added': true}, 'y'|", { items: [{ x: 1, y: 2 }] }],
    ["items^(>x)", { items: [{ x: 1 }, { x: 2 }] }],
    ["items#$i.x", { items: [{ x: 1 }, { x: 2 }] }],
    ["items@$a.items@$b[$a.x = $b.x].$a", { items: [{ x: 1 }, { x: 2 }] }],
    ["(items)(1)", { items: { x: 1 } }],
    ["$append(items, 3)", { items: [1, 2] }],
    ["$sort(items)", { items: [3, 1, 2] }],
    ["$reverse(items)[0]", { items: [3, 1, 2] }],
    ["$spread(items)", { items: [{ x: 1, y: 2 }] }],
    ["items.*", { items: [{ x: [1, 2] }] }],
    ["items.%.items", { items: [{ x: [1, 2] }] }],
    ["$merge(items)", { items: [{ x: 1 }, { y: 2 }] }],
    ["[items][]", { items: [] }],
  ];

  test.each(TOUCHING)("leaves what it is given as it was: %s", async (source, root) => {
    const before = JSON.stringify(root);
    await evaluate(source, root).catch((error: { code?: string }) =>
      expect(error.code).toBe("EXPRESSION_ERROR"),
    );
    expect(JSON.stringify(root)).toBe(before);
    for (const list of [root as { items?: unknown }])
      expect(Object.keys(list.items ?? []).length).toBeLessThan(4);
  });

  test("gives plain lists and objects", async () => {
    for (const source of [
      "[1..3]",
      "items[]",
      "items.x",
      "$map([1,2], function($x){ $x })",
      "[items]",
      "$keys($)",
    ]) {
      const result = (await evaluate(source, { items: [{ x: 1 }, { x: 2 }], more: 1 })) as object;
      expect(Array.isArray(result)).toBe(true);
      expect(Object.getOwnPropertyNames(result).every((key) => key === "length" || /^\d+$/.test(key))).toBe(
        true,
      );
    }
    for (const source of ["{'a': 1}", "$merge([{'a': 1}])", "$", "$sift({'a': 1}, function(){true})"]) {
      expect(Object.getPrototypeOf(await evaluate(source, { a: 1 }))).toBe(Object.prototype);
    }
  });

  test("finds nothing as undefined, and null as null", async () => {
    expect(await evaluate("missing", {})).toBeUndefined();
    expect(await evaluate("a", { a: null })).toBeNull();
    expect(await evaluate("[missing, null]", {})).toEqual([null]);
  });

  test("gives no functions and no numbers that aren't finite", async () => {
    for (const source of [
      "function($x){$x}",
      "[$sum]",
      "{'a': /x/}",
      "$substring(?, 1)",
      "1/0",
      "-1/0",
      "[0/0]",
      "{'a': 0/0}",
    ]) {
      await expect(evaluate(source)).rejects.toMatchObject({ code: "EXPRESSION_ERROR", retryable: false });
    }
  });
});

describe("bytes", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const root = { b: bytes, same: bytes.slice(), other: new Uint8Array([1]), list: [bytes] };

  test("pass through untouched", async () => {
    expect(await evaluate("b", root)).toBe(bytes);
    expect(await evaluate("{'x': [b]}", root)).toEqual({ x: [bytes] });
    expect(await evaluate("list", root)).toEqual([bytes]);
    expect(((await evaluate("$ ~> |$|{'n': 1}|", root)) as { b: unknown }).b).toBe(bytes);
    expect(await evaluate("$clone($).b", root)).toBe(bytes);
  });

  test("have nothing inside", async () => {
    expect(await evaluate("$keys(b)", root)).toBeUndefined();
    for (const source of ["b.*", "b.length", "b.buffer", "b.`0`", "$spread(b)", "$lookup(b, 'length')"]) {
      expect(await evaluate(source, root)).toBeUndefined();
    }
    expect(await evaluate("$count(**)", { b: new Uint8Array(1_000_000) })).toBe(2);
    expect(await evaluate("$type(b)", root)).toBe("object");
  });

  test("are equal if their bytes are", async () => {
    expect(await evaluate("[b = same, b = other, b = {}, b != other]", root)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(await evaluate("$count($distinct([b, same, other]))", root)).toBe(2);
  });

  test("are printed with their marker", async () => {
    expect(await evaluate("$string({'x': other})", root)).toBe('{"x":{"$bytes":"AQ=="}}');
  });
});

describe("prototypes", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__"];

  test.each(NAMES)("nothing is reached by way of %s", async (name) => {
    for (const root of [{}, [], { a: [] }, "text", 1, true]) {
      expect(await evaluate(`$.\`${name}\``, root)).toBeUndefined();
      expect(await evaluate(`**.\`${name}\``, root)).toBeUndefined();
    }
    expect(await evaluate(`$lookup($, "${name}")`, {})).toBeUndefined();
    expect(await evaluate(`$sum.\`${name}\``)).toBeUndefined();
    expect(await evaluate(`(function($x){$x}).\`${name}\``)).toBeUndefined();
    // Variables of that name are undefined, or the caller's.
    expect(await evaluate(`$${name}`)).toBeUndefined();
    expect(await evaluate(`$${name}`, null, Object.fromEntries([[name, 1]]))).toBe(1);
  });

  test("none is changed, whatever is given and made", async () => {
    const given = JSON.parse(
      '{"__proto__": {"polluted": 1}, "a": {"constructor": {"prototype": {"polluted": 1}}}}',
    );
    const sources = [
      "$",
      "$merge([$, {'__proto__': {'polluted': 1}}])",
      "{'a': 1} ~> |$|{'__proto__': {'polluted': 1}}|",
      "$ ~> |`__proto__`|{'polluted': 2}|",
      "$ ~> |**|{'polluted': 2}, ['a']|",
      "$each($, function($v, $k){ {$k: $v} })",
      "{'__proto__': 1, 'constructor': 2}",
      "[$]{(`__proto__`.polluted = 1 ? '__proto__'): $}",
      "$spread($)",
      "$sift($, function(){ true })",
    ];
    // Some of them fail, since a number can't be given a property. What counts is what is left behind.
    for (const source of sources) await evaluate(source, given).catch(() => {});
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(([] as unknown as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("own keys with such names stay what they are", async () => {
    const given = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}');
    expect(await evaluate("`__proto__`.a + constructor", given)).toBe(3);
    expect(JSON.stringify(await evaluate("$", given))).toBe(JSON.stringify(given));
  });

  test("data can't pass for a function of the evaluator", async () => {
    for (const key of ["_jsonata_lambda", "_jsonata_function"]) {
      const root = {
        f: { [key]: true, arguments: [], body: { type: "value", value: 1 }, implementation: 1 },
      };
      await expect(evaluate("f()", root)).rejects.toMatchObject({ code: "EXPRESSION_ERROR" });
      await expect(evaluate(`{'${key}': true}`)).rejects.toMatchObject({ code: "EXPRESSION_ERROR" });
    }
    expect(await evaluate("$spread($sum).implementation")).toBeUndefined();
    expect(await evaluate("$sum.implementation")).toBeUndefined();
  });
});

describe("the same seed gives the same result", () => {
  const RANDOM = "[$random(), $random(), {'order': $shuffle([1..20])}]";

  test("for numbers and orders that look random", async () => {
    const first = await evaluate(RANDOM, null, {}, "a");
    expect(await evaluate(RANDOM, null, {}, "a")).toEqual(first);
    expect(await evaluate(RANDOM, null, {}, "b")).not.toEqual(first);
    const [one, two, { order }] = first as [number, number, { order: number[] }];
    expect(one).not.toBe(two);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test("numbers lie between 0 and 1, evenly", async () => {
    const draws = (await evaluate("[1..5000].$random()")) as number[];
    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(0.5, 1);
    expect(new Set(draws).size).toBe(5000);
  });

  test("there is no clock: what a picture leaves out of a date is that of 1970-01-01", async () => {
    expect(await evaluate("$toMillis('12:30', '[H01]:[m01]')")).toBe(12.5 * 3_600_000);
    expect(() => compile("$now()")).toThrow("$now: there is no clock");
    expect(await evaluate("$now & $millis", null, { now: "x", millis: 5 })).toBe("x5");
  });

  test("at once or one after another, evaluations of one expression don't meet", async () => {
    const many = Array.from({ length: 20 }, (_, i) => evaluate("[1..50].($ * $n)~>$sum()", null, { n: i }));
    expect(await Promise.all(many)).toEqual(Array.from({ length: 20 }, (_, i) => 1275 * i));
    const matches = Array.from({ length: 20 }, (_, i) =>
      evaluate("$count($match($t, /a/))", null, { t: "ab".repeat(i + 1) }),
    );
    expect(await Promise.all(matches)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});
