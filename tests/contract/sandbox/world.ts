import type { SandboxCase } from "./case.ts";

/** What isn't there: of ES2023, of later editions, of hosts. */
const MISSING =
  "Intl WeakRef FinalizationRegistry Atomics SharedArrayBuffer WebAssembly Iterator Float16Array Temporal DisposableStack " +
  "AsyncDisposableStack SuppressedError setTimeout setInterval setImmediate queueMicrotask fetch process require module exports " +
  "Buffer global self window document navigator performance crypto structuredClone URL TextEncoder TextDecoder " +
  "AbortController Worker importScripts postMessage XMLHttpRequest WebSocket EventTarget MessageChannel location std os print " +
  "bjson gc InternalError escapeHTML";

const MISSING_METHODS =
  "Object.groupBy Map.groupBy Array.fromAsync Promise.withResolvers Promise.try RegExp.escape Error.captureStackTrace " +
  "Error.prepareStackTrace Error.isError Math.sumPrecise Math.f16round JSON.rawJSON JSON.isRawJSON " +
  "String.prototype.localeCompare String.prototype.toLocaleUpperCase String.prototype.toLocaleLowerCase " +
  "String.prototype.isWellFormed String.prototype.toWellFormed Number.prototype.toLocaleString BigInt.prototype.toLocaleString " +
  "Array.prototype.toLocaleString Object.prototype.toLocaleString Date.prototype.toLocaleString " +
  "Date.prototype.toLocaleDateString Date.prototype.toLocaleTimeString Date.prototype.getYear Date.prototype.toGMTString " +
  "Set.prototype.union ArrayBuffer.prototype.transfer ArrayBuffer.prototype.resize RegExp.prototype.unicodeSets " +
  "Uint8Array.fromBase64 Uint8Array.prototype.toHex DataView.prototype.getFloat16 RegExp.input RegExp.$1 Function.prototype.toJSON";

const typeOf = (path: string) => {
  const parts = path.split(".");
  const keys = parts.slice(1).map((key) => `[${JSON.stringify(key)}]`);
  return parts[1] === "prototype"
    ? `typeof Object.getOwnPropertyDescriptor(${parts[0]}.prototype, ${JSON.stringify(parts[2])})`
    : `typeof ${parts[0]}${keys.join("")}`;
};

const found = (paths: string) =>
  `export default () => [${paths
    .split(" ")
    .map((path) => `[${JSON.stringify(path)}, ${typeOf(path)}]`)
    .join(", ")}].filter(([, type]) => type !== "undefined")`;

const denied = (rule: string, expression: string): SandboxCase => ({
  rule,
  source: `export default () => (${expression})`,
  fails: { code: "SANDBOX_VIOLATION" },
});

/** What programs find around them. */
export const WORLD_CASES: readonly SandboxCase[] = [
  {
    rule: "the global names are those of ES2023 without what depends on clock, locale, memory or threads",
    source: "export default () => Object.getOwnPropertyNames(globalThis).sort().join(' ')",
    gives: [
      "AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError Float32Array " +
        "Float64Array Function Infinity Int16Array Int32Array Int8Array JSON Map Math NaN Number Object Promise Proxy RangeError " +
        "ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array " +
        "Uint8ClampedArray WeakMap WeakSet console decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval " +
        "globalThis isFinite isNaN parseFloat parseInt undefined unescape",
    ],
  },
  {
    // Chromium has two numbers there that nobody can delete.
    rule: "the global object has nothing else: no symbols but one, no prototypes of a host",
    source:
      "export default () => { const names = []; for (let at = Object.getPrototypeOf(globalThis); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) names.push(...Reflect.ownKeys(at).map(String)); return names.filter((name) => !['constructor', 'Symbol(Symbol.toStringTag)', 'TEMPORARY', 'PERSISTENT'].includes(name)) }",
    gives: [[]],
  },
  { rule: "there are no globals but those", source: found(MISSING), gives: [[]] },
  {
    rule: "there are no methods of later editions, of locales or of one engine",
    source: found(MISSING_METHODS),
    gives: [[]],
  },
  {
    rule: "what ES2023 brought is there",
    source:
      "export default () => [[3, 1].toSorted(), [1, 2].toReversed(), [1].with(0, 2), [1, 2].toSpliced(0, 1), [1, 2].findLast(() => true), [1].at(-1), Object.hasOwn({ a: 1 }, 'a'), 'aa'.replaceAll('a', 'b'), /(?<x>a)/d.exec('a').indices.groups.x]",
    gives: [[[1, 3], [2, 1], [2], [2], 2, 1, true, "bb", [0, 1]]],
  },
  denied("eval is denied", 'eval("1")'),
  denied("indirect eval is denied", '(0, eval)("1")'),
  denied("the Function constructor is denied", 'Function("return 1")()'),
  denied("its instances lead to the same", '(() => {}).constructor("return this")()'),
  denied("so do built-in functions", '[].map.constructor("return this")()'),
  denied("the constructor of generators is denied", '(function* () {}).constructor("yield 1")'),
  denied("the constructor of async functions is denied", '(async () => {}).constructor("return 1")'),
  denied(
    "the constructor of async generators is denied",
    'Object.getPrototypeOf(async function* () {}).constructor("yield 1")',
  ),
  denied("constructing one is denied as well", 'Reflect.construct(Function, ["return 1"], Object)'),
  {
    rule: "a denial that is caught is the program's own business",
    source: "export default () => { try { eval('1') } catch (error) { return error.message } }",
    gives: ["eval is not available here"],
  },
  {
    rule: "functions are functions all the same",
    source:
      "export default () => [(() => {}) instanceof Function, Function.prototype === Object.getPrototypeOf(() => {}), typeof Function]",
    gives: [[true, true, "function"]],
  },
  {
    rule: "time stands still at 1970-01-01T00:00:00Z",
    source:
      "export default () => { for (let i = 0; i < 1e5; i += 1); return [Date.now(), new Date().getTime(), Date(), typeof Date()] }",
    gives: [[0, 0, "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)", "string"]],
  },
  {
    rule: "local time is UTC",
    source:
      "const d = new Date(2024, 1, 29, 12, 34, 56, 789); export default () => [d.toISOString(), d.getTimezoneOffset(), d.getHours(), d.getDay(), d.getFullYear(), d.setHours(25), d.toJSON(), String(d), d.toDateString(), d.toTimeString(), d.toUTCString(), +d]",
    gives: [
      [
        "2024-02-29T12:34:56.789Z",
        0,
        12,
        4,
        2024,
        1709256896789,
        "2024-03-01T01:34:56.789Z",
        "Fri Mar 01 2024 01:34:56 GMT+0000 (Coordinated Universal Time)",
        "Fri Mar 01 2024",
        "01:34:56 GMT+0000 (Coordinated Universal Time)",
        "Fri, 01 Mar 2024 01:34:56 GMT",
        1709256896789,
      ],
    ],
  },
  {
    rule: "dates are read alike",
    source:
      "const texts = ['2024', '2024-02', '2024-02-29', '2024-02-29T01:02', '2024-02-29T01:02:03Z', '2024-02-29T01:02:03.4567+02:00', '+012024-01-01T00:00:00Z', '-000001-01-01', '-000000-01-01', 'Thu, 29 Feb 2024 01:02:03 GMT', 'Thu Feb 29 2024 01:02:03 GMT+0000 (Coordinated Universal Time)', 'Thu Feb 29 2024', '2024-13-01', '2024-02-29T24:00', '2024-02-29T24:01', '2024-02-30', 'tomorrow', '2/29/2024', '']; export default () => texts.map((text) => { const at = Date.parse(text); return at === at ? at : null })",
    gives: [
      [
        1704067200000,
        1706745600000,
        1709164800000,
        1709168520000,
        1709168523000,
        1709161323456,
        317273587200000,
        -62198755200000,
        null,
        1709168523000,
        1709168523000,
        1709164800000,
        null,
        1709251200000,
        null,
        null,
        null,
        null,
        null,
      ],
    ],
  },
  {
    rule: "dates are made and copied as ever",
    source:
      "class Mine extends Date {} export default () => [new Date(5).getTime(), +new Date(new Date(7)), +new Date('2024-01-01'), +new Date(99, 0), new Date(NaN).getTime() !== 0, String(new Date(NaN)), Date.UTC(2024, 0), new Mine(3) instanceof Mine, +new Mine(3), Date.length, Date.name, new Date(0).constructor === Date, +new Date(null), +new Date(8.64e15)]",
    gives: [
      [
        5,
        7,
        1704067200000,
        915148800000,
        true,
        "Invalid Date",
        1704067200000,
        true,
        3,
        7,
        "Date",
        true,
        0,
        8.64e15,
      ],
    ],
  },
  {
    rule: "years before 1000 and after 9999 are printed with their digits",
    source:
      "export default () => [-1, 0, 33, 999, 12345].map((y) => { const d = new Date(0); d.setFullYear(y); return d.toDateString() })",
    gives: [
      ["Fri Jan 01 -0001", "Sat Jan 01 0000", "Sat Jan 01 0033", "Tue Jan 01 0999", "Mon Jan 01 12345"],
    ],
  },
];
