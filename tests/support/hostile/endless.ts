import type { ErrorCode } from "../../../protocol/index.ts";

/** A program that would hang or eat its host. It ends with one of `ENDS`, unless it says otherwise. */
export interface Endless {
  readonly name: string;
  readonly source: string;
  readonly stream?: boolean;
  /** It may also end at once, with a value or an error of its own: some engines are clever enough. */
  readonly mayEnd?: true;
}

export const ENDS: readonly ErrorCode[] = ["SANDBOX_VIOLATION", "RESOURCE_EXHAUSTED", "NODE_TIMEOUT"];

const call = (name: string, expression: string, more: Partial<Endless> = {}): Endless => ({
  name,
  source: `export default () => { ${expression}; return null }`,
  ...more,
});

const LONG = "{ length: 2 ** 53 - 1 }";

/** Loops inside the engine, where no interrupt is looked at. */
const NATIVE: readonly Endless[] = [
  call("indexOf over a length without end", `Array.prototype.indexOf.call(${LONG}, 1)`),
  call("lastIndexOf over it", `Array.prototype.lastIndexOf.call(${LONG}, 1)`),
  call("includes over it", `Array.prototype.includes.call(${LONG}, 1)`),
  call("join over it", `Array.prototype.join.call(${LONG})`, { mayEnd: true }),
  call("reverse over it", `Array.prototype.reverse.call(${LONG})`),
  call("fill over it", `Array.prototype.fill.call(${LONG}, 0)`),
  call("forEach over it", `Array.prototype.forEach.call(${LONG}, () => {})`),
  call("copyWithin over it", `Array.prototype.copyWithin.call(${LONG}, 0, 1)`),
  call("splice over it", `Array.prototype.splice.call(${LONG}, 0, 1)`),
  call("unshift over it", "Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1)"),
  call("flat over it", `Array.prototype.flat.call(${LONG})`),
  call("reduceRight over it", `Array.prototype.reduceRight.call(${LONG}, () => 0, 0)`),
  call(
    "concat of things without end",
    "const a = new Proxy({ length: 2 ** 52, [Symbol.isConcatSpreadable]: true }, {}); [].concat(a)",
    { mayEnd: true },
  ),
  call("a huge array as text", 'new Array(2 ** 32 - 1) + ""'),
  call("a huge array sorted", "new Array(2 ** 32 - 1).fill(1).sort()"),
  call("a regular expression that backtracks", `/^(a+)+$/.test("${"a".repeat(50)}!")`),
  call("one that backtracks over alternatives", `/^(?:a|a)*b/.test("${"a".repeat(60)}")`),
  call("a power of big integers", "let x = 3n; for (;;) x = x * x"),
  call("a big integer printed", "String(7n ** 5000000n) + String(7n ** 9000000n)", { mayEnd: true }),
];

/** Loops of the program's own. */
const LOOPS: readonly Endless[] = [
  call("a loop", "for (;;);"),
  { name: "promises one after the other", source: "export default async () => { for (;;) await null }" },
  {
    name: "a thenable that never settles down",
    source: "const t = { then(f) { f(t) } }; export default () => t",
  },
  {
    name: "a generator that never yields",
    source: "export default function* () { for (;;); }",
    stream: true,
  },
  {
    name: "an async generator that never yields",
    source: "export default async function* () { for (;;) await 0 }",
    stream: true,
  },
  call("a proxy without end", "let p = new Proxy({}, { get: (_, k, r) => { for (;;); } }); p.x"),
  {
    name: "a getter run while the result is read",
    source: "export default () => ({ get x() { for (;;); } })",
  },
  {
    name: "toJSON run while the result is read",
    source: "export default () => ({ toJSON() { for (;;); } })",
  },
  {
    name: "a list whose length is without end",
    source: "export default () => new Proxy([], { get: (t, k) => (k === 'length' ? 2 ** 53 - 1 : 0) })",
  },
  {
    name: "keys of a proxy without end",
    source: "export default () => new Proxy({}, { ownKeys() { for (;;); } })",
  },
  { name: "a getter of an error", source: "export default () => { throw { get message() { for (;;); } } }" },
  call("a comparison that never ends", "[2, 1].sort(() => { for (;;); })"),
  call("a replacement that never ends", "'a'.replace(/a/, () => { for (;;); })"),
  { name: "the module itself", source: "for (;;); export default () => 1" },
  {
    name: "values printed without end",
    source: "export default () => { for (;;) console.log({ get a() { return 'x'.repeat(1e4) } }) }",
  },
];

/** What takes all the memory there is. */
const FLOODS: readonly Endless[] = [
  call("a text doubled", "let s = 'x'; for (;;) s += s"),
  call("a text doubled and made flat", "let s = 'x'; for (;;) { s += s; s.charCodeAt(0); /x$/.test(s) }"),
  call("buffers", "const all = []; for (;;) all.push(new ArrayBuffer(1e7))"),
  call("bytes written to", "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1))"),
  call("one huge buffer", "new Uint8Array(2 ** 32).fill(1)"),
  call("a list", "const all = []; for (;;) all.push({ all, x: Math.random() })"),
  call("a Map", "const all = new Map(); for (let i = 0; ; i += 1) all.set(i, { i })"),
  call("a Set", "const all = new Set(); for (let i = 0; ; i += 1) all.add('x' + i)"),
  call("keys of an object", "const all = {}; for (let i = 0; ; i += 1) all['k' + i] = i"),
  call("functions", "const all = []; for (;;) all.push(() => all)"),
  {
    name: "promises",
    source:
      "export default async () => { const all = []; for (;;) all.push(new Promise(() => {}).then(() => all)) }",
  },
  {
    name: "a million promises at a time",
    source:
      "export default async () => { for (;;) await Promise.all(Array.from({ length: 1e6 }, async () => 1)) }",
  },
  call("deep recursion", "const f = (x) => f([x]) + f([x]); f(0)"),
  call("deep JSON read", "for (;;) JSON.parse('['.repeat(5e6) + ']'.repeat(5e6))"),
  call("deep JSON printed", "let a = []; for (let i = 0; i < 1e7; i += 1) a = [a]; JSON.stringify(a)"),
  call("a filled array", "const all = []; for (;;) all.push(new Array(1e6).fill(0.5))"),
  call(
    "a repeated text",
    "const all = []; for (let i = 0; ; i += 1) all.push(('x' + i).repeat(1e6).split(''))",
  ),
  call("a padded text", "const all = []; for (;;) all.push('x'.padEnd(5e8, 'ab') + all.length)"),
  call("symbols", "const all = []; for (let i = 0; ; i += 1) all.push(Symbol('x'.repeat(1e3) + i))"),
  call("registered symbols", "for (let i = 0; ; i += 1) Symbol.for('x'.repeat(1e3) + i)"),
  {
    name: "a result without end",
    source: "export default () => new Proxy([], { get: (t, k) => (k === 'length' ? 1e9 : 'x'.repeat(1e3)) })",
  },
];

export const ENDLESS: readonly Endless[] = [...NATIVE, ...LOOPS, ...FLOODS];
