import { describe, expect, test } from "vitest";
import { compile } from "../../../../compute/nodes/expression/expression.ts";
import type { Value } from "../../../../protocol/index.ts";
import { setting } from "./setting.ts";

const items = Array.from({ length: 10 }, (_, n) => ({ name: `item ${n}`, price: n, tags: ["a", "b"] }));
const quick = (source: string, root: Value = { items, name: "Ada", limit: 3 }, limit: Value = 3) =>
  compile(source).isQuick({ in: root, limit });

/** Expressions as they stand in workflows. */
const USUAL = [
  "$",
  "$ * 2",
  "name & '!'",
  "$uppercase(name)",
  "name = 'Ada' ? 1 : 2",
  "$sum(items.price)",
  "items[price > 10].name",
  "items[price > $limit]{name: price}",
  "items^(>price)[0]",
  "items.{'name': $uppercase(name), 'price': price * 2}",
  "$map(items, function($item) { $item.price & '' })",
  "$filter(items, function($item, $n) { $n % 2 = 0 }).name",
  "$count(items) > $limit and $exists(name)",
  "$string(items)",
  "$join(items.name, ', ')",
  "name ~> $uppercase ~> $substring(0, 2)",
  "$split(name, ' ')",
  "$replace(name, 'A', 'B')",
  "$formatNumber(limit, '#,##0.00')",
  "[items.price, 1, 2]",
  "**.price",
];

/** Expressions whose work isn't bounded by what they are given, or not by enough. */
const FAR = [
  "[1..1000000]",
  "$pad(name, 10000000)",
  "$match(name, /a+/)",
  "$contains(name, /(a|b)*c/)",
  "($f := function($n) { $f($n + 1) }; $f(0))",
  "($a := name & name; $b := $a & $a; $b & $b)",
  "$reduce(items, function($a, $b) { $append($a, $b) })",
  "$map(items, function($a, $b, $all) { $all })",
  "$map(items, $pad)",
  "items.($$.items.($$.items))",
  "items.$split($$.name, '')",
  "$replace(name, 'a', $string($))",
  "name ~> $replace('a', $string($))",
  "$ ~> |items|{'price': 0}|",
  "items@$i.items@$j.($i.price + $j.price)",
  "$formatNumber(limit, name)",
  "$merge(items.%)",
  `[${"$,".repeat(600)}1]`,
];

describe("what the syntax of an expression proves", () => {
  test.each(USUAL)("quick on small inputs: %s", (source) => {
    expect(quick(source)).toBe(true);
  });

  test.each(FAR)("nothing: %s", (source) => {
    expect(quick(source, 1, 1)).toBe(false);
  });

  test("is that the work grows with the inputs, which may be too large", () => {
    const large = Array.from({ length: 20_000 }, (_, n) => n);
    expect(quick("$sum($)", large)).toBe(false);
    expect(quick("$uppercase($)", "x".repeat(1_000_000))).toBe(false);
    expect(quick("[$, $, $]", large.slice(0, 5_000))).toBe(true);
    expect(quick(`[${"$,".repeat(100)}$]`, large.slice(0, 9_000))).toBe(false);
    expect(quick("$[$ > $limit]", large.slice(0, 1_000))).toBe(false);
    // What needs no look at them is quick whatever they are.
    expect(quick("$", large)).toBe(true);
    expect(quick("a.b > $limit", { a: { b: 1, c: large } })).toBe(true);
  });
});

describe("an expression that is quick", () => {
  const most = (source: string): readonly [string, Value] => [source, worst(source)];
  /** The largest list of numbers that it counts as quick on. */
  function worst(source: string): Value {
    let size = 10_000;
    while (size > 1 && !quick(source, list(size))) size = Math.floor(size * 0.9);
    return list(size);
  }
  const list = (size: number) => Array.from({ length: size }, (_, n) => n);

  test.each(
    [
      "$distinct($)",
      "$sort($)",
      "$reverse($)",
      "$string($)",
      "$join($string($), '')",
      "$map($, function($x) { $x * 2 })",
      "$[$ in $$]",
      "$.($$)",
      "$.[$$, $$, $$]",
      "$^($)",
      `[${"$, ".repeat(100)}1]`,
      "$zip($, $, $)",
    ].map(most),
  )("doesn't hold up others for long: %s", async (source, root) => {
    const gaps = async () => {
      let last = performance.now();
      let longest = 0;
      const look = () => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      };
      const turn = async () => {
        look();
        await new Promise(setImmediate);
        last = performance.now();
      };
      await compile(source)
        .evaluate(root, {}, { ...setting(), turn })
        .catch(() => undefined);
      look();
      return longest;
    };
    const measured = [await gaps(), await gaps(), await gaps()];
    // A few milliseconds on an idle machine; tests share theirs with others. What isn't proven takes hundreds.
    expect(Math.min(...measured)).toBeLessThan(40);
  });
});
