import type { SandboxCase } from "./case.ts";

/** What kinds of programs there are, and how they fail. */
export const PROGRAM_CASES: readonly SandboxCase[] = [
  {
    rule: "a function gives its result",
    source: "export default ({ in: x }) => x + 1",
    inputs: { in: 1 },
    gives: [2],
  },
  {
    rule: "a named function is hoisted",
    source: "const a = f(); export default function f() { return a ?? 1 }",
    fails: { code: "NODE_FAILED", says: "ReferenceError" },
  },
  {
    rule: "an async function gives what it resolves with",
    source: "export default async () => { await null; return 1 }",
    gives: [1],
  },
  {
    rule: "a promise is waited for",
    source: "export default () => new Promise((resolve) => resolve({ then(r) { r(7) } }))",
    gives: [7],
  },
  {
    rule: "a module may wait before it exports",
    source: "const x = await Promise.resolve(3); export default () => x",
    gives: [3],
  },
  {
    rule: "a class, a constant and other exports may stand beside it",
    source:
      "export const a = 1, b = 2; export class C { v = a + b } export { a as other }; const f = () => new C().v; export { f as default }",
    gives: [3],
  },
  {
    rule: "programs are strict",
    source: "export default () => (function () { return this === undefined })()",
    gives: [true],
  },
  {
    rule: "a generator streams",
    source: "export default function* ({ n }) { for (let i = 0; i < n; i += 1) yield i }",
    inputs: { n: 3 },
    stream: true,
    gives: [0, 1, 2],
  },
  {
    rule: "what a generator returns is no item",
    source: "export default function* () { yield 1; return 2 }",
    stream: true,
    gives: [1],
  },
  {
    rule: "an async generator streams",
    source: "export default async function* () { yield 1; await null; yield Promise.resolve([2]) }",
    stream: true,
    gives: [1, [2]],
  },
  {
    rule: "any iterable streams",
    source: "export default () => [1, [2], null]",
    stream: true,
    gives: [1, [2], null],
  },
  {
    rule: "promises in an iterable are waited for",
    source: "export default () => [Promise.resolve(1), 2]",
    stream: true,
    gives: [1, 2],
  },
  {
    rule: "a promise of an iterable streams",
    source: "export default async () => new Set([1, 2])",
    stream: true,
    gives: [1, 2],
  },
  { rule: "an empty stream ends", source: "export default function* () {}", stream: true, gives: [] },
  {
    rule: "a stream fails after what it gave",
    source: 'export default function* () { yield 1; throw new Error("no more") }',
    stream: true,
    gives: [1],
    fails: { code: "NODE_FAILED", message: "Error: no more (line 1)", retryable: true },
  },
  {
    rule: "an error has its name, message and line",
    source: 'export default () => {\n  const x = 1;\n  throw new TypeError("bad " + x);\n}',
    fails: { code: "NODE_FAILED", message: "TypeError: bad 1 (line 3)", retryable: true },
  },
  {
    rule: "an error of the engine has its line",
    source: "export default ({ in: x }) => {\n\n\n  return x.y.z }",
    inputs: { in: {} },
    fails: { code: "NODE_FAILED", says: "(line 4)" },
  },
  {
    rule: "an error of the module itself fails it",
    source: 'throw new RangeError("early"); export default () => 1',
    fails: { code: "NODE_FAILED", message: "RangeError: early (line 1)" },
  },
  {
    rule: "an error of its own class has its name",
    source: 'class Mine extends Error { name = "Mine" } export default async () => { throw new Mine("x") }',
    fails: { code: "NODE_FAILED", message: "Mine: x (line 1)" },
  },
  {
    rule: "whatever is thrown fails it",
    source: 'export default () => { throw "text" }',
    fails: { code: "NODE_FAILED", message: "Error: text" },
  },
  {
    rule: "nothing thrown fails it as well",
    source: "export default () => { throw undefined }",
    fails: { code: "NODE_FAILED", message: "Error: undefined" },
  },
  {
    rule: "an error that can't be read fails it all the same",
    source:
      "export default () => { throw { get message() { throw 1 }, get name() { throw 2 }, get stack() { throw 3 } } }",
    fails: { code: "NODE_FAILED", message: "Error" },
  },
  {
    rule: "a rejection fails it",
    source: 'export default () => Promise.reject(new Error("r"))',
    fails: { code: "NODE_FAILED", message: "Error: r (line 1)" },
  },
  {
    rule: "a rejection that nobody waits for harms nothing",
    source: 'export default () => { Promise.reject(new Error("r")); return 1 }',
    gives: [1],
  },
  {
    rule: "what waits for nothing fails at once",
    source: "export default () => new Promise(() => {})",
    fails: {
      code: "NODE_FAILED",
      message: "The program waits for a promise that nothing will ever settle",
      retryable: false,
    },
  },
  {
    rule: "the default export must be a function",
    source: "export default 1",
    fails: { code: "NODE_FAILED", message: "The default export must be a function", retryable: false },
  },
  {
    rule: "a class is no function to call",
    source: "export default class {}",
    fails: { code: "NODE_FAILED", says: "TypeError" },
  },
  {
    rule: "a generator without `stream` is told so",
    source: "export default function* () { yield 1 }",
    fails: {
      code: "NODE_FAILED",
      message: "The default export is a generator: set `stream` to true to read it",
      retryable: false,
    },
  },
  {
    rule: "`stream` without something to iterate is told so",
    source: "export default () => 1",
    stream: true,
    fails: {
      code: "NODE_FAILED",
      message: "With `stream` the default export must give something to iterate, e.g. be a generator",
      retryable: false,
    },
  },
  {
    rule: "`arguments`, labels, getters and private names work",
    source:
      "export default function () { class A { #x = 1; static has(o) { return #x in o } } return [arguments.length, A.has(new A()), A.has({})] }",
    gives: [[1, true, false]],
  },
  {
    rule: "`new.target` and tagged templates work",
    source:
      "function F() { return [new.target === F] } const t = (s) => s.raw[0]; export default () => [...new F(), t`a\\n`]",
    gives: [[true, "a\\n"]],
  },
  {
    rule: "too deep a recursion is exhaustion",
    source: "const f = () => f() + 1; export default () => f()",
    fails: { code: "RESOURCE_EXHAUSTED" },
  },
  {
    rule: "a computation without end is stopped at its deadline",
    source: "export default () => { for (;;); }",
    timeoutMs: 200,
    fails: { code: "NODE_TIMEOUT", retryable: true },
  },
  {
    rule: "promises without end are stopped at the deadline",
    source: "export default async () => { for (;;) await null }",
    timeoutMs: 200,
    fails: { code: "NODE_TIMEOUT" },
  },
  {
    rule: "a stream is stopped at its deadline after what it gave",
    source: "export default function* () { yield 1; for (;;); }",
    stream: true,
    timeoutMs: 200,
    gives: [1],
    fails: { code: "NODE_TIMEOUT" },
  },
];

/** What is written with `console`. */
export const CONSOLE_CASES: readonly SandboxCase[] = [
  {
    rule: "each method has its level",
    source:
      'export default () => { console.debug("d"); console.log("l"); console.info("i"); console.warn("w"); console.error("e") }',
    gives: [null],
    logs: [
      ["debug", "d"],
      ["info", "l"],
      ["info", "i"],
      ["warn", "w"],
      ["error", "e"],
    ],
  },
  {
    rule: "values are printed, separated by spaces",
    source:
      'export default () => { console.log("a", 1, null, undefined, true, { b: [1] }, [2], new Error("no"), 1n, Symbol("s")); console.log() }',
    gives: [null],
    logs: [
      ["info", 'a 1 null undefined true {"b":[1]} [2] Error: no 1 Symbol(s)'],
      ["info", ""],
    ],
  },
  {
    rule: "what can't be printed is named",
    source: "export default () => { const a = {}; a.a = a; console.log(a, { get x() { throw 1 } }) }",
    gives: [null],
    logs: [["info", "[object] [object]"]],
  },
  {
    rule: "a lone surrogate is logged as it is",
    source: 'export default () => { console.log("\\ud800") }',
    gives: [null],
    logs: [["info", "\ud800"]],
  },
  {
    rule: "lines written before a failure are there",
    source: 'console.log("module"); export default () => { console.log("before"); throw new Error("x") }',
    fails: { code: "NODE_FAILED", message: "Error: x (line 1)" },
    logs: [
      ["info", "module"],
      ["info", "before"],
    ],
  },
];
