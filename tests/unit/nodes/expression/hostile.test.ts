import { describe, expect, test } from "vitest";
import { compile } from "../../../../compute/nodes/expression/expression.ts";
import type { Value } from "../../../../protocol/index.ts";
import { setting } from "./setting.ts";

/**
 * What one expression may take here. The rule is one second on an idle machine; tests share theirs with others, and what
 * would hang hangs far longer.
 */
const DEADLINE_MS = 4_000;
/** Memory that one expression may leave behind or hold, roughly: what is refused would take gigabytes. */
const MAX_GROWTH = 600 * 2 ** 20;

async function outcome(source: string, root: Value = null): Promise<string> {
  try {
    await compile(source).evaluate(root, {}, setting());
    return "a result";
  } catch (error) {
    // Expressions that can't be read are INVALID_NODE_DATA: the schema of `data` tells the message.
    if (error instanceof SyntaxError) return "refused";
    return (error as { code?: string }).code ?? String(error);
  }
}

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  const before = process.memoryUsage().rss;
  const began = performance.now();
  const result = await work();
  expect(performance.now() - began).toBeLessThan(DEADLINE_MS);
  expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH);
  return result;
}

/** Read, and refused before anything runs. */
const REFUSED = [
  "(".repeat(5_000),
  `${"(".repeat(5_000)}1${")".repeat(5_000)}`,
  `${"[".repeat(9_000)}1${"]".repeat(9_000)}`,
  `${"{'a':".repeat(5_000)}1${"}".repeat(5_000)}`,
  `${"-".repeat(30_000)}1`,
  `1${"+1".repeat(16_000)}`,
  `a${".a".repeat(16_000)}`,
  `a${"[0]".repeat(9_000)}`,
  `${"a?".repeat(9_000)}1`,
  `${"/**/".repeat(8_000)}1`,
  `${"function($x){".repeat(2_000)}1${"}".repeat(2_000)}`,
  `"${"x".repeat(40_000)}"`,
  `[${"1,".repeat(15_000)}1]`,
  "/(?=a)b/('ab')",
  "/(a)\\1/('aa')",
  "/(?<!a)b/('ab')",
  "/((a{1000}){1000}){1000}/('a')",
  "/(((a{30}){30}){30})/('a')",
  `/${"(a)".repeat(200)}/('a')`,
  `/${"[^a]?\\pL".repeat(600)}/('a')`,
  `(function()<${"s?".repeat(40)}:s>{1})(${"'a',".repeat(25)}1)`,
  `(function()<${"s+".repeat(20)}:s>{1})(${"'a',".repeat(200)}1)`,
  `(function()<${"s-".repeat(40)}:s>{1})(${"'a',".repeat(25)}1)`,
  "/(/",
  "'abc",
  "nope(",
  "",
  "$now()",
  "$millis()",
  "$eval('1')",
  "$map(['1'], function($x){ $eval($x) })",
  "$clone := function($x){$x}",
  "(function($clone){1})(2)",
];

/** Stopped while they run. */
const STOPPED = [
  // Endless or exponential
  "($f := function($n){ $f($n + 1) }; $f(0))",
  "($f := function($n){ $f($n) + 1 }; $f(0))",
  "($f := function($n){ [$f($n), $f($n)] }; $f(0))",
  "($y := function($f){ $f($f) }; $y($y))",
  "($f := function($g, $n){ $f(function($x){ $g($x) }, $n + 1) }; $f(function($x){$x}, 0))",
  "($f := λ($n){ $n > 0 ? $f($n - 1) + $f($n - 1) : 1 }; $f(60))",
  // Texts
  "$pad('x', 5e8)",
  "$pad('x', -5e8)",
  "$pad('x', 1e308 * 10)",
  "$reduce([1..60], function($a){ $a & $a }, 'x')",
  "$join([1..1000000].'x', $pad('', 1000, 'y'))",
  "$replace($pad('', 1000000, 'a'), 'a', $pad('', 1000000, 'b'))",
  "$replace($pad('', 1000000, 'a'), /a/, $pad('', 1000000, 'b'))",
  "$replace($pad('', 100000, 'a'), /(a+)/, $pad('', 100000, '$1'))",
  "$split($pad('', 16000000, 'a'), '')",
  "[1..1000].($pad('x', 10000000))",
  // Regular expressions
  "$split($pad('a', 200000, 'a'), /a*b|a/)",
  "$match($pad('a', 50000, 'a'), /a.*b|a/)",
  "$match($pad('a', 1000000, 'a'), /a/)",
  // Pictures
  "$toMillis('x', '[Y,999999999]')",
  "$fromMillis(0, '[Y,999999999]')",
  "$fromMillis(0, '[Y,*-9 9 9 9 9 9 9 9]')",
  "$toMillis($pad('', 200, 'a') & '!', '[MNn]a[FNn]a[P]')",
  "$toMillis($pad('1', 200, '1'), '[Y#][M#][D#][H#][m#][s#][f]x')",
  "$toMillis('2020', '[Yw][Mw]')",
  "$toMillis('2020', '[Z01?01][Z01?01]')",
  "$formatInteger(1e15, 'I')",
  "$formatInteger(1/0, 'A')",
  "$formatNumber(1, '0', {'grouping-separator': ''})",
  "$formatNumber(0, '0', {'zero-digit': ''})",
  "$formatNumber(1, $pad('0', 100000, '0'))",
  "$parseInteger($pad('', 100000, 'a'), 'w')",
  // Lists
  "[1..1e9]",
  "[1..1e7]",
  "[[1..1999999],[1..1999999],[1..1999999],[1..1999999],[1..1999999],[1..1999999],[1..1999999],[1..1999999]]",
  "[1..1e6].[1..1e6]",
  "($b := [1..100000]; [1..1000].($b))",
  "[1..1000].[1..1000].[1..1000]",
  "$map([1..1000000], $abs)",
  "$map([1..1000000], function($x){ $x })",
  "$reduce([1..100000], $append)",
  "$sort([1..100000], function($a, $b){ $a < $b })",
  "[1..100000]^($)",
  "[1..100000]^(>$)",
  "[1..100000]{ 'same': $ }",
  "[1..100000][[1..100000]]",
  "($b := [1..100000]; [1..100000][$b = $b])",
  // Small in memory, endless to walk through
  "$string($reduce([1..60], function($a){ [[$a, $a]] }, 'x'))",
  "$reduce([1..60], function($a){ {'a': $a, 'b': $a} }, 'x').c.d",
  "$reduce([1..60], function($a){ [[$a, $a]] }, 1) = 2",
  "$reduce([1..60], function($a){ $append($a, $a) }, [1])",
  "$reduce([1..100000], function($a){ [[$a]] }, 'x')",
  "$reduce([1..40], function($a){ {} ~> |$|{'a': $a, 'b': $a}| }, 1) = 2",
  // Kept out
  "$map(['1'], $eval)",
  "$map(['x'], $now)",
  "(a)(1)",
  "null(1)",
  "$base64decode('%')",
  "$decodeUrl('%')",
  "$error('stop')",
];

/** No harm, but they were once slow, or not finished at all. */
const FINE: readonly (readonly [source: string, root: Value])[] = [
  ["$match($join([1..50].('a')) & '!', /^(a+)+$/)", null],
  ["$contains($pad('', 30000, 'a') & '!', /^(a|a)*$/)", null],
  ["$formatInteger(1e300, 'w')", null],
  ["$max([1..1000000])", null],
  ["$sum([1..1000000])", null],
  ["$distinct([1..100000])", null],
  ["$shuffle([1..100000])", null],
  ["$sort([1..100000])", null],
  ["$string([1..100000], true)", null],
  ["$length($pad('x', 10000000, 'xyz'))", null],
  ["**", Array.from({ length: 50_000 }, (_, i) => ({ a: { b: i } }))],
  ["*.*.*", Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, [i]]))],
  ["items^(a).b", { items: Array.from({ length: 2_000 }, (_, i) => ({ a: -i, b: i })) }],
  [
    "items{ $string(a): $count(b) }",
    { items: Array.from({ length: 10_000 }, (_, i) => ({ a: i % 100, b: i })) },
  ],
];

describe("what an expression can do to its host", () => {
  test.each(REFUSED)("refuses %.60s", async (source) => {
    expect(await bounded(() => outcome(source))).toBe("refused");
  });

  test.each(STOPPED)("stops %.90s", async (source) => {
    expect(await bounded(() => outcome(source, { a: { b: 1 } }))).toBe("EXPRESSION_ERROR");
  });

  test.each(FINE)("finishes %.90s", async (source, root) => {
    expect(await bounded(() => outcome(source, root))).toBe("a result");
  });

  test("messages are short and tell nothing of the host", async () => {
    const message = (source: string) =>
      compile(source)
        .evaluate({ big: "x".repeat(100_000) }, {}, setting())
        .then(String, (error: Error) => error.message);
    expect((await message("big + 1")).length).toBeLessThan(600);
    expect(await message("null(1)")).toBe("The expression can't be evaluated");
    expect(await message("1 + 'a'")).toMatch(/^The right side of the "\+" operator .*\(at character \d+\)$/);
  });
});

describe("simple expressions over large values", () => {
  const large = Array.from({ length: 100_000 }, () => 0);
  const text = "x".repeat(4_000_000);

  test.each([
    ["lists of lists", `[${"a,".repeat(3_000)}1]`, { a: large }],
    ["many lists", `[${"[a],".repeat(1_000)}1]`, { a: large }],
    ["long texts", `[${"a & a & a & a & a,".repeat(300)}1]`, { a: text }],
    ["comparisons", `[${"a = b,".repeat(1_200)}1]`, { a: text, b: `${text.slice(1)}x` }],
    ["orders", `[${"a < b,".repeat(1_200)}1]`, { a: text, b: `${text.slice(1)}x` }],
  ])("are stopped like others: %s", async (_name, source, root) => {
    expect(await bounded(() => outcome(source, root))).toBe("EXPRESSION_ERROR");
  });
});

describe("a long evaluation", () => {
  const LONG = "$count([1..20000].($ * 2))";

  test("lets others have their turn", async () => {
    let turns = 0;
    const turn = async () => void turns++;
    expect(await compile(LONG).evaluate(null, {}, { ...setting(), turn })).toBe(20_000);
    expect(turns).toBeGreaterThan(5);
  });

  test("ends with the attempt, for its reason", async () => {
    const controller = new AbortController();
    const reason = Object.freeze(new Error("cancelled"));
    const turn = async () => controller.abort(reason);
    const evaluating = compile(LONG).evaluate(null, {}, { ...setting(), signal: controller.signal, turn });
    await expect(evaluating).rejects.toBe(reason);
  });
});
