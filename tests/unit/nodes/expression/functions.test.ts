import fc from "fast-check";
import jsonata from "jsonata";
import { describe, expect, test } from "vitest";
import { compile } from "../../../../compute/nodes/expression/expression.ts";
import type { Value } from "../../../../protocol/index.ts";
import { setting } from "./setting.ts";

/** As others see it: the evaluator marks its lists, and JSON has one zero. */
const asJson = (value: unknown) => ({ json: JSON.stringify(value) });

const ours = (source: string, root: Value = null, variables = {}) =>
  compile(source)
    .evaluate(root, variables, setting())
    .then(asJson, () => "error");

/** The evaluator as it comes, on a copy. */
const theirs = (source: string, root: Value = null, variables = {}) =>
  jsonata(source)
    .evaluate(structuredClone(root), structuredClone(variables))
    .then(asJson, () => "error");

/** Every function that has a guard or a replacement, in its ordinary uses. */
const SOURCES = [
  "$pad('foo', 5) & $pad('foo', -5) & $pad('foo', -5, '#') & $pad('foo', 8, 'ab') & $pad('foo', 2) & $pad('é😀', 5, '😀x')",
  "[$length('a😀b'), $length(''), $length('\\ud83d')]",
  "$substring('hello world', 3, 5) & $substring('hello', -3) & $substring('a😀bc', 1, 2) & $substring('abc', 1, 0)",
  "$substring('hello', -2, 1) & $substring('hello', -9, 3) & $substring('hello', 9) & $substring('hello', 1.5, 2)",
  "$join(['a', 'b', 'c'], ', ') & $join('x') & $join([])",
  "$split('a, b, c', ', ')",
  "$split('a, b, c', ', ', 2)",
  "$split('abc', '')",
  "$split('a1b22c', /[0-9]+/)",
  "$split('a1b22c', /[0-9]+/, 2)",
  "$replace('John Smith and John Jones', 'John', 'Mr')",
  "$replace('John Smith and John Jones', 'John', 'Mr', 1)",
  "$replace('John Smith', /(\\w+)\\s(\\w+)/, '$2, $1 $$ $0')",
  "$replace('265USD', /([0-9]+)USD/, '$$$1')",
  "$replace('temperature = 68F today', /(-?\\d+(?:\\.\\d*)?)F\\b/, function($m){ ($number($m.groups[0]) - 32) * 5/9 & 'C' })",
  "$match('ababbxabbcc', /a(b+)/)",
  "$match('ababbxabbcc', /a(b+)/, 2)",
  "$match('abc', /x/)",
  "$match('a-b', /(a)|(b)/)",
  "[$contains('abracadabra', /a.*a/i), $contains('abra', 'x'), 'Hello' ~> /hello/i ~> $exists()]",
  "$string([1.23456789012345678, 'a', null, {'b': true}])",
  "$string({'a': [1, 2]}, true)",
  "$base64encode('myuser:mypass') & $base64decode('bXl1c2VyOm15cGFzcw==')",
  "$formatNumber(12345.6, '#,###.00') & $formatNumber(-1234.5678, '00.000E0') & $formatNumber(0.14, '01%')",
  "$formatNumber(1234.5678, '①①.①①①e①', {'zero-digit': '\\u245f'})",
  "$formatBase(100, 2) & $formatInteger(2789, 'w') & $formatInteger(1999, 'I') & $formatInteger(27, 'A')",
  "$parseInteger('twelve thousand, four hundred and seventy-six', 'w') + $parseInteger('12,345,678', '#,##0')",
  "$fromMillis(1510067557121)",
  "$fromMillis(1510067557121, '[M01]/[D01]/[Y0001] [h#1]:[m01][P]', '-0500')",
  "$fromMillis(1510067557121, '[F], [D1o] [MNn] [Y0001]')",
  "$toMillis('2017-11-07T15:07:54.972Z')",
  "$toMillis('2017-11-07', '[Y0001]-[M01]-[D01]')",
  "$toMillis('20171107', '[Y0001][M01][D01]')",
  "$toMillis('7 November 2017 3:05 pm', '[D1] [MNn] [Y0001] [h#1]:[m01] [P]')",
  "$toMillis('2017-11-07T15:07:54+02:00', '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01][Z01:01]')",
  "$max([5, 3, 9]) + $min([5, 3, 9]) + $max(4)",
  "[$max([]), $min(nothing)]",
  "$sort([3, 1, 2])",
  "$sort(['b', 'a', 'é', 'B'])",
  "$sort(['b', 1])",
  "$sort([{'a': 2}, {'a': 1}])",
  "$sort([{'a': 2, 'i': 1}, {'a': 1, 'i': 2}, {'a': 2, 'i': 3}], function($l, $r){ $l.a > $r.a })",
  "[3, 1, 2, 5, 4]^(>$)",
  "[{'a': 2, 'b': 1}, {'a': 1, 'b': 2}, {'a': 2, 'b': 0}]^(a, >b)",
  "$distinct([1, '1', 1, true, 'true', null, {'a': 1}, {'a': 1}, [1, 2], [1, 2], [], {}, {}, -0, 0])",
  "$distinct([{'a': 1, 'b': 2}, {'b': 2, 'a': 1}])",
  "$spread([{'a': 1, 'b': 2}, {'c': [3, 4]}])",
  "[$spread(5), $spread('x'), $count($spread({}))]",
  "$clone({'a': [1, {'b': null}]})",
  "{'a': [{'b': 1}, {'b': 2}]} ~> |a|{'b': b * 2, 'c': 1}|",
  "{'a': [{'b': 1}, {'b': 2}]} ~> |a[b = 1]|{}, 'b'|",
  "[1..5] ~> $map(function($v, $i, $a){ $v * $i + $count($a) }) ~> $filter(function($v){ $v > 5 }) ~> $sum()",
  "$reduce([1..5], function($a, $v){ $a * $v })",
  "$map([1, 4, 9], $sqrt)",
  "$map(['a', 'b'], $uppercase) ~> $join('-')",
  "($first5 := $substring(?, 0, 5); $first5('Hello World'))",
  "($up := $uppercase ~> $trim; $up('  a '))",
  "['a', 'b'].($uppercase() & $length())",
  "$single([1, 2, 3], function($v){ $v = 2 })",
  "$each({'a': 1, 'b': 2}, function($v, $k){ $k & $v })",
  "$sift({'a': 1, 'b': 2}, function($v){ $v > 1 })",
  "$zip([1, 2, 3], [4, 5])",
  "[1..3].($ * 2)",
  "[3..1]",
  "[1..nothing]",
  "[1..2.5]",
  "[1.5..2]",
  "[0, 3..5, 9]",
  "[1..3]{ $string($): $ * 2 }",
  "[{'k': 'a', 'v': 1}, {'k': 'b', 'v': 2}, {'k': 'a', 'v': 3}]{ k: $sum(v) }",
  "($fact := function($n){ $n <= 1 ? 1 : $n * $fact($n - 1) }; $fact(10))",
  "$keys([{'a': 1}, {'b': 2}, {'a': 3}])",
  "$lookup([{'a': 1}, {'a': 2}], 'a')",
  "[$boolean([0, 1]), $not(''), $exists(nothing), $type(null), $count([1, 2]), $append([1], 2)]",
  "[$number('12.5'), $floor(1.7), $ceil(1.2), $round(2.5), $round(123.456, 2), $abs(-1), $power(2, 8), $average([1, 2])]",
  "'a' & 1 & true & null & [1, 'b'] & {'c': 1.1}",
  "$encodeUrlComponent('?x=é') & $decodeUrlComponent('%3Fx') & $encodeUrl('a b') & $decodeUrl('a%20b')",
  "$trim('  a   b ') & $substringBefore('a-b', '-') & $substringAfter('a-b', '-') & $lowercase('AB')",
];

describe("guarded functions give what the evaluator's own do", () => {
  test.each(SOURCES)("%s", async (source) => {
    expect(await ours(source)).toEqual(await theirs(source));
  });

  test("for any text that is cut, padded or split", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀", "\ud83d", " "), maxLength: 8 });
    const whole = fc.integer({ min: -10, max: 10 });
    const sources = [
      "$substring($t, $i)",
      "$substring($t, $i, $j)",
      "$pad($t, $i, $p)",
      "$length($t)",
      "$split($t, $p)",
      "$p = '' ? 0 : $replace($t, $p, $t)",
    ];
    await fc.assert(
      fc.asyncProperty(text, text, whole, whole, fc.constantFrom(...sources), async (t, p, i, j, source) => {
        const variables = { t, p, i, j };
        expect(await ours(source, null, variables)).toEqual(await theirs(source, null, variables));
      }),
      { seed: 11, numRuns: 600 },
    );
  });

  test("for any list that is sorted, spread or made distinct", async () => {
    const item = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom("a", "b", null, true, ""),
      fc.dictionary(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 1 }), { noNullPrototype: true }),
    );
    const sources = [
      "$distinct($l)",
      "$spread($l)",
      "$sort($l)",
      "$sort($l, function($a, $b){ $string($a) > $string($b) })",
      "$l^($string($))",
      "$l{$string($): $count($)}",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(item, fc.array(item, { maxLength: 3 })), { maxLength: 9 }),
        fc.constantFrom(...sources),
        async (l, source) => {
          expect(await ours(source, null, { l })).toEqual(await theirs(source, null, { l }));
        },
      ),
      { seed: 12, numRuns: 600 },
    );
  });
});
