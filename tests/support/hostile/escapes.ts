import type { SandboxCase } from "../../contract/sandbox/case.ts";

/** A program that looks for a way out, and gives what it found: nothing, or it fails. */
export interface Escape extends Pick<SandboxCase, "source" | "inputs" | "stream"> {
  readonly name: string;
}

/**
 * Defines `look(...things)`: walks everything that can be reached from them, and gives what isn't of this world: objects whose
 * prototypes end elsewhere, makers of functions, names that only hosts have.
 */
const LOOK = `
const own = new Set([Object.prototype, null]);
const HOST = /^(process|require|module|global|Buffer|ivm|isolate|__dirname|fetch|document|window|self|postMessage|Isolate|Reference|ExternalCopy|guest|finish|begin|step|take|Deno|Bun|caches)$/;
function look(...things) {
  const found = [];
  const seen = new Set();
  const open = things.map((thing) => [thing, "given"]);
  while (open.length > 0 && seen.size < 20000) {
    const [thing, way] = open.pop();
    if ((typeof thing !== "object" && typeof thing !== "function") || thing === null || seen.has(thing)) continue;
    seen.add(thing);
    let at = thing;
    try { while (at !== null && at !== Object.prototype) at = Object.getPrototypeOf(at); } catch { at = null; }
    if (!own.has(at)) found.push("a foreign object at " + way);
    if (typeof thing === "function") {
      try { const made = thing.constructor("return this")(); found.push("a maker of functions at " + way + typeof made); } catch {}
    }
    let keys = [];
    try { keys = Reflect.ownKeys(thing); } catch {}
    for (const key of keys) {
      const name = String(key);
      if (HOST.test(name) && thing !== RegExp.prototype) found.push(name + " at " + way);
      let part;
      try { part = Object.getOwnPropertyDescriptor(thing, key); } catch { continue; }
      if (!part) continue;
      for (const inner of [part.value, part.get, part.set]) open.push([inner, (way + "." + name).slice(-100)]);
      try { open.push([thing[key], (way + "." + name).slice(-100)]); } catch (error) { open.push([error, "error of " + way]); }
    }
    try { open.push([Object.getPrototypeOf(thing), way + ".[[Prototype]]"]); } catch {}
  }
  return found;
}
`;

const way = (name: string, body: string, more: Partial<Escape> = {}): Escape => ({
  name,
  source: `${LOOK}\nexport default ${body.startsWith("function") || body.startsWith("async") ? body : `(inputs) => { ${body} }`}`,
  ...more,
});

const trying = (name: string, expression: string) =>
  way(
    name,
    `try { const made = ${expression}; return made === globalThis || typeof made === 'function' || made instanceof Promise || 'value' in made ? ['made'] : look(made) } catch (error) { return look(error) }`,
  );

/** Ways to a function that turns text into a program. */
const CONSTRUCTORS: readonly Escape[] = [
  trying("the constructor of a constructor", '({}).constructor.constructor("return globalThis")()'),
  trying("the constructor of an async function", '(async () => {}).constructor("return globalThis")()'),
  trying("the constructor of a generator", '(function* () {}).constructor("yield globalThis")().next()'),
  trying("a subclass of Function", 'new (class extends (() => {}).constructor {})("return globalThis")()'),
  trying(
    "a constructor with another target",
    'Reflect.construct(Function, ["return globalThis"], class {})()',
  ),
  trying("a bound constructor", 'Function.bind(null, "return globalThis")()()'),
  trying(
    "the constructor by its descriptor",
    'Object.getOwnPropertyDescriptor(Function.prototype, "constructor").value("return globalThis")()',
  ),
  trying(
    "the constructor by a species",
    '[].map.call({ __proto__: Array.prototype, length: 1, constructor: { [Symbol.species]: Function } }, () => "x")',
  ),
  trying(
    "a constructor put back",
    '(delete Function.prototype.constructor, Object.defineProperty(Function.prototype, "constructor", { value: Object }), (() => {}).constructor("x"))',
  ),
  trying("indirect eval", '[eval][0]("globalThis")'),
  trying("eval in a template", "eval`globalThis`"),
  trying("eval as a callback", '["globalThis"].map(eval)'),
];

/** What comes from outside, or goes there. */
const HANDED: readonly Escape[] = [
  way(
    "everything that is there",
    "return look(globalThis, inputs, (() => {}), (async () => {})(), (function* () {})(), new Proxy({}, {}), Symbol.iterator)",
  ),
  way("the inputs", "return look(inputs, inputs.bytes, inputs.bytes.buffer, inputs.list)", {
    inputs: { bytes: Uint8Array.of(1), list: [{ a: 1 }] },
  }),
  way(
    "the console",
    'return look(console, console.log, console.log.constructor, console.log("x"), console.log.call(null, "y"))',
  ),
  way(
    "the caller",
    "function (inputs) { const found = []; for (const of of [() => arguments.callee, () => look.caller, () => look.arguments, () => (function f() { return f.caller })()]) { try { found.push(...look(of())) } catch (error) { found.push(...look(error)) } } return found }",
  ),
  way("the arguments of the module", "return look(outer)", {}),
  way(
    "this, everywhere",
    "return look((function () { return this })() ?? {}, (() => this)() ?? {}, [1].map(function () { return this }, undefined)[0] ?? {}, new (class { v = this })())",
  ),
  way(
    "a thenable given to the host",
    "async function (inputs) { let found = []; await { then(...given) { found = look(...given); given[0]() } }; return { then(...given) { given[0](look(...given).concat(found)) } } }",
  ),
  way(
    "a proxy given to the host",
    "const found = []; const trap = (name) => (...given) => { found.push(...look(...given.slice(1))); return Reflect[name](...given) }; const all = new Proxy([], Object.fromEntries(['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'defineProperty', 'set'].map((name) => [name, trap(name)]))); return [all, { get late() { return found } }]",
  ),
  way(
    "getters run while the result is read",
    "return { get a() { return look(this, new Error('x')) }, toString() { return 'x' } }",
  ),
  way("toJSON run while the result is read", "return { toJSON(...given) { return look(...given, this) } }"),
  way(
    "errors thrown by the engine",
    "const errors = []; for (const f of [() => null.x, () => new Array(-1), () => 1n / 0n, () => decodeURI('%'), () => 'x'.repeat(-1), () => Symbol() + '', () => new Proxy({}, null), () => JSON.parse('{'), () => x, () => new ArrayBuffer(1e12), () => 'x'.normalize('y'), () => structuredClone(1)]) { try { f() } catch (error) { errors.push(error) } } return look(...errors)",
  ),
  way(
    "errors thrown for want of stack",
    "const errors = []; const f = () => { try { f() } catch (error) { errors.push(error); console.log('x'); throw error } }; try { f() } catch (error) { errors.push(error) } return look(...errors.slice(0, 100))",
  ),
  way(
    "the console for want of stack",
    "const errors = []; const f = () => { try { console.log({ toJSON: f }) } catch (error) { errors.push(error) } }; const g = () => { try { g() } catch { f() } }; g(); return look(...errors.slice(0, 100))",
  ),
  way(
    "rejections",
    "async function (inputs) { const found = []; for (const p of [Promise.reject(new Error('x')), (async () => null.x)(), Promise.any([])]) await p.catch((error) => found.push(...look(error, error.errors))); return found }",
  ),
];

/** What reads the stack. */
const STACKS: readonly Escape[] = [
  way(
    "frames",
    "const found = []; Error.prepareStackTrace = (error, frames) => { found.push(...look(error, frames)); for (const frame of frames) for (const name of ['getThis', 'getFunction', 'getEvalOrigin', 'getPosition']) { try { found.push(...look(frame[name]())) } catch (error) { found.push(...look(error)) } } return 'x' }; String(new Error('x').stack); try { null.x } catch (error) { String(error.stack) } return found",
  ),
  {
    name: "frames while an error is described",
    source: `${LOOK}
let found = [];
Error.prepareStackTrace = (error, frames) => { found = look(error, frames, ...frames.map((frame) => frame.getFunction && frame.getFunction())); return found.join() };
export default () => { throw new Error("described: " + look().length) }`,
  },
  way(
    "a limit of frames that isn't a number",
    "Error.stackTraceLimit = { valueOf() { return 1e9 } }; try { null.x } catch (error) { return look(error) }",
  ),
  way(
    "getters of an error",
    "throw Object.defineProperty(new Error('x'), 'stack', { get() { return look(this, arguments).join() || 'nothing' } })",
  ),
];

/** What changes the world under the host's feet. */
const POLLUTION: readonly Escape[] = [
  ...["then", "toJSON", "get", "value", "done", "next", "$", "state", "type", "constructor", "length"].map(
    (key) =>
      way(
        `a polluted ${key}`,
        `Object.defineProperty(Object.prototype, ${JSON.stringify(key)}, { get() { return undefined }, set() {}, configurable: true }); Object.prototype.polluted = true; return []`,
      ),
  ),
  way(
    "an iterator of lists replaced",
    "Array.prototype[Symbol.iterator] = function* () { yield 'value'; yield '[\"forged\"]'; yield globalThis }; return []",
  ),
  way(
    "everything of JSON, Reflect and Promise replaced",
    "for (const of of [JSON, Reflect, Promise, Promise.prototype, Object, Array.prototype, String.prototype, RegExp.prototype]) for (const key of Reflect.ownKeys.call(null, of)) { try { of[key] = () => 'forged' } catch {} } return []",
  ),
  way(
    "instances faked",
    "for (const of of [Map, Set, Promise, Uint8Array, Error]) Object.defineProperty(of, Symbol.hasInstance, { value: () => true }); return []",
  ),
  way(
    "bytes faked",
    "class Fake extends Uint8Array { get length() { return 1e9 } get byteLength() { return 1e9 } get [Symbol.toStringTag]() { return 'Array' } } return [new Fake(4)].map((b) => b.byteOffset).filter(Boolean)",
  ),
  way("keys named __proto__", 'return [JSON.parse(\'{"__proto__":{"polluted":true}}\')]'),
  way(
    "a key __proto__ of its own",
    "return [Object.defineProperty({}, '__proto__', { value: { polluted: true }, enumerable: true })]",
  ),
];

/** What computes when nobody expects it. */
const LATER: readonly Escape[] = [
  way(
    "work left behind",
    "Promise.resolve().then(function again() { for (let i = 0; i < 1000; i += 1); console.log('left'); }); return []",
  ),
  way(
    "a stream left behind",
    "function* () { try { yield* look(globalThis.console) } finally { Promise.resolve().then(() => console.log('left')) } }",
    { stream: true },
  ),
  way(
    "WebAssembly",
    "return [typeof WebAssembly, typeof globalThis.WebAssembly].filter((type) => type !== 'undefined')",
  ),
];

export const ESCAPES: readonly Escape[] = [
  ...CONSTRUCTORS,
  ...HANDED.map((given) => ({
    ...given,
    source: given.source.replace(
      "export default",
      "const outer = typeof arguments === 'undefined' ? [] : arguments;\nexport default",
    ),
  })),
  ...STACKS,
  ...POLLUTION,
  ...LATER,
];
