import type { SandboxCase } from "./case.ts";

const same = (rule: string, value: NonNullable<SandboxCase["inputs"]>[string]): SandboxCase => ({
  rule: `${rule} come in and go out as they are`,
  source: "export default ({ in: x }) => x",
  inputs: { in: value },
  gives: [value],
});

const unfit = (what: string, expression: string, message: string): SandboxCase => ({
  rule: `${what} is not a value`,
  source: `export default () => (${expression})`,
  fails: { code: "NODE_FAILED", message, retryable: false },
});

/** How values cross the border. */
export const VALUE_CASES: readonly SandboxCase[] = [
  same("null and booleans", [null, true, false]),
  same("numbers", [0, 1, -1, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740991]),
  same("texts", ["", "a", "é", "𝒳", "\u0000", "\u2028", "</script>", '"\\']),
  same("lone surrogates", ["\ud800", "x\udc00y"]),
  same("lists and objects", { list: [[], {}, [[1]]], "": { "a b": null }, "0": 1, constructor: 2 }),
  same("bytes", Uint8Array.of(0, 1, 255)),
  same("bytes inside", { a: [Uint8Array.of(1), { b: new Uint8Array(0) }], c: Uint8Array.of(2, 3) }),
  same("keys of dollars", [{ $: 0 }, { $$: { $: [{ $$$: 1 }] } }, { $bytes: "AQ==" }, { $: 1, a: 2 }]),
  same("keys of dollars beside bytes", [{ $: 0 }, Uint8Array.of(7), { $$: Uint8Array.of(8) }]),
  {
    rule: "a program can't forge bytes",
    source: 'export default () => ({ $: 0, x: new Uint8Array([1]), y: { $: 0 }, z: "$" })',
    gives: [{ $: 0, x: Uint8Array.of(1), y: { $: 0 }, z: "$" }],
  },
  {
    rule: "a program can't forge what it gives by a `then` of all lists",
    source: `Array.prototype.then = function (done) { delete Array.prototype.then; this[1] = '"forged"'; done(this) };
      export default () => 1`,
    gives: [1],
  },
  {
    rule: "a program can't forge what it streams by a `then` of all lists",
    source: `Array.prototype.then = function (done) { delete Array.prototype.then; this[1] = '"forged"'; done(this) };
      export default function* () { yield 1 }`,
    stream: true,
    gives: [1],
  },
  {
    rule: "a program can't forge what it gives by a `toJSON` that answers differently when asked again",
    source: `let asked = 0;
      Array.prototype.toJSON = function () { asked += 1; return asked > 1 ? "forged" : this };
      export default () => [1]`,
    gives: [[1]],
  },
  {
    rule: "a view of a buffer gives what it shows",
    source: "export default () => new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3)",
    gives: [Uint8Array.of(2, 3)],
  },
  {
    rule: "bytes are a Uint8Array inside",
    source:
      "export default ({ in: x }) => [x instanceof Uint8Array, x.length, x.buffer.byteLength, x[2], Object.keys({ x }).length]",
    inputs: { in: Uint8Array.of(1, 2, 3) },
    gives: [[true, 3, 3, 3, 1]],
  },
  {
    rule: "what JSON leaves out is left out, and what it makes null is null",
    source:
      "const holes = [1, , 3]; export default () => ({ a: undefined, holes, list: [undefined], zero: -0, d: new Date(0) })",
    gives: [{ holes: [1, null, 3], list: [null], zero: 0, d: "1970-01-01T00:00:00.000Z" }],
  },
  { rule: "nothing is null", source: "export default () => {}", gives: [null] },
  {
    rule: "only enumerable keys that are texts are values",
    source:
      "export default () => Object.defineProperty({ [Symbol('s')]: 1, a: 1 }, 'hidden', { value: 2, enumerable: false })",
    gives: [{ a: 1 }],
  },
  {
    rule: "instances of classes are objects, and toJSON is asked",
    source:
      "class P { x = 1; #y = 2; get z() { return this.#y } }; export default () => [new P(), { toJSON() { return { via: 'json' } } }]",
    gives: [[{ x: 1 }, { via: "json" }]],
  },
  {
    rule: "getters and proxies are read once, by the program",
    source: `
      let reads = 0;
      const object = { get a() { reads += 1; return reads } };
      const proxy = new Proxy({ b: 1 }, { get: (target, key) => (key === "b" ? "proxied" : target[key]) });
      export default () => [object, proxy]`,
    gives: [[{ a: 1 }, { b: "proxied" }]],
  },
  {
    rule: "setters on prototypes see nothing of what is given out",
    source: `
      let seen = 0;
      Object.defineProperty(Object.prototype, "a", { set() { seen += 1 }, configurable: true });
      Object.defineProperty(Array.prototype, "0", { set() { seen += 1 }, configurable: true });
      export default async () => JSON.stringify({ seen })`,
    gives: ['{"seen":0}'],
  },
  {
    rule: "inputs are copies",
    source: "export default ({ in: x }) => { x.list.push(4); x.bytes[0] = 9; delete x.a; return x }",
    inputs: { in: { a: 1, list: [1], bytes: Uint8Array.of(1) } },
    gives: [{ list: [1, 4], bytes: Uint8Array.of(9) }],
  },
  {
    rule: "inputs come by the names of their handles",
    source: "export default ({ left, right, missing }) => [left, right, missing === undefined]",
    inputs: { left: 1, right: "r" },
    gives: [[1, "r", true]],
  },
  {
    rule: "inputs have the program's own prototypes",
    source:
      "export default ({ in: x }) => [x.constructor === Object, x.l.constructor === Array, x.b.constructor === Uint8Array]",
    inputs: { in: { l: [], b: Uint8Array.of(1) } },
    gives: [[true, true, true]],
  },
  unfit("a function", "() => 1", "A function is not a JSON value"),
  unfit("a function inside", "({ f() {} })", "A function is not a JSON value (f)"),
  unfit("a symbol", "Symbol('s')", "A symbol is not a JSON value"),
  unfit("a big integer", "[1n]", "A bigint is not a JSON value"),
  unfit("NaN", "NaN", "NaN is not a JSON value"),
  unfit("an infinite number", "[-1 / 0]", "-Infinity is not a JSON value"),
  unfit("a Map", "new Map()", "a Map is not a JSON value; try Object.fromEntries"),
  unfit("a Set", "[new Set()]", "a Set is not a JSON value; try Array.from"),
  unfit("a promise inside", "[Promise.resolve(1)]", "a Promise is not a JSON value; try await"),
  unfit("a regular expression", "/a/", "a regular expression is not a JSON value"),
  unfit(
    "a typed array of another kind",
    "new Float64Array(1)",
    "Of typed arrays only Uint8Array is a value, not Float64Array; try new Uint8Array(x.buffer) or Array.from",
  ),
  unfit("a key named __proto__", "JSON.parse('{\"__proto__\":1}')", "A key can't be named __proto__"),
  unfit(
    "a list in itself",
    "(() => { const a = []; a.push(a); return a })()",
    "A value is nested deeper than 128",
  ),
];
