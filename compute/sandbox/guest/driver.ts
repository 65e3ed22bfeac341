/**
 * What hosts call. Defines `begin(program, given)` and `step()`, `take()`.
 *
 * `given` is `[text, ...buffers]` of `{inputs, stream, seed, wasm}`, the last true for programs that are handed `WebAssembly`. `step()` sets off the computing of the next value; once the engine
 * has no more jobs to do, `take()` gives `[state, text, ...buffers]`: `value` and the packed value, `done`, `failed` and what the
 * program threw as JSON `{name, message, line?, violation}`, or `pending`: then it waits for what can never happen, since nothing
 * happens in here but what the program does.
 */
export const DRIVER = /* js */ `
let taken = ["pending", "null"];
let main = null;
let iterator = null;
let input = null;

function begin(program, given) {
  const { inputs, stream, seed, wasm } = unpack(given);
  seedRandom(seed);
  input = inputs;
  main = async () => {
    const exports = { __proto__: null, default: undefined };
    await apply(program, undefined, [exports, wasm === true ? webAssembly : undefined]);
    if (typeof exports.default !== "function") throw new Unfit("The default export must be a function");
    const result = await exports.default(input);
    input = null;
    if (!stream) {
      if (isIterator(result)) throw new Unfit("The default export is a generator: set \`stream\` to true to read it");
      return sealed(pack(result));
    }
    iterator = iterate(result);
    return null;
  };
}

function isIterator(value) {
  return typeof value === "object" && value !== null && !isArray(value) && typeof value.next === "function";
}

function iterate(value) {
  if (typeof value === "object" && value !== null) {
    const make = value[asyncIterator] || value[syncIterator];
    if (typeof make === "function") return apply(make, value, []);
  }
  throw new Unfit("With \`stream\` the default export must give something to iterate, e.g. be a generator");
}

// Promises ask what they are given for \`then\`, and programs may put one on all lists: this could be read and written there.
const sealed = (outcome) => ({ __proto__: null, outcome });

async function compute() {
  if (main !== null) {
    const start = main;
    main = null;
    const single = await start();
    if (single !== null) return single;
  }
  if (iterator === null) return sealed(["done", "null"]);
  const { done, value } = await iterator.next();
  if (done) return sealed(["done", "null"]);
  return sealed(pack(await value));
}

function step() {
  taken = ["pending", "null"];
  then(
    compute(),
    ({ outcome }) => { taken = outcome; },
    (error) => { taken = ["failed", describe(error)]; },
  );
}

function take() {
  return taken;
}

function describe(error) {
  let name = "Error";
  let message = "";
  let line;
  try {
    if (typeof error === "object" && error !== null) {
      name = cut(error.name, 128);
      message = cut(error.message, 4096);
      const at = exec(/code[.]js:(\\d+)/, text(error.stack));
      if (at !== null) line = +at[1];
    } else message = cut(error, 4096);
  } catch {
    // An error that can't be read: that it was thrown is all there is to say.
  }
  const violation = typeof error === "object" && error !== null && isViolation(error);
  return printJson({ __proto__: null, name, message, line, violation, unfit: isInstance(Unfit, error) });
}

const text = String;
const slice = uncurry(String.prototype.slice);
const exec = uncurry(RegExp.prototype.exec);
const cut = (value, length) => slice(text(value), 0, length);
const then = uncurry(Promise.prototype.then);
const asyncIterator = Symbol.asyncIterator;
const syncIterator = Symbol.iterator;
`;
/** Defines `console`, whose lines go to `log(level, message)`; at most 1,000 of 4,096 characters, the last of which says that there were more. */
export const CONSOLE = /* js */ `
const MAX_LINES = 999;
const MAX_CHARS = 4096;
let lines = 0;

function print(value) {
  if (typeof value === "string") return value;
  try {
    if (isInstance(Error, value)) return cut(value.name, 128) + ": " + cut(value.message, MAX_CHARS);
    const json = typeof value === "object" && value !== null ? printJson(value) : undefined;
    return json === undefined ? text(value) : json;
  } catch {
    return "[object]";
  }
}

function installConsole(log) {
  const write = (level) => (...values) => {
    if (lines > MAX_LINES) return;
    lines += 1;
    if (lines > MAX_LINES) return log("warn", "Further lines are dropped");
    let line = "";
    for (let i = 0; i < values.length && line.length < MAX_CHARS; i += 1) line += (i > 0 ? " " : "") + print(values[i]);
    log(level, slice(line, 0, MAX_CHARS));
  };
  const console = {};
  for (const [name, level] of [["debug", "debug"], ["log", "info"], ["info", "info"], ["warn", "warn"], ["error", "error"]]) {
    console[name] = write(level);
  }
  replace(globalThis, "console", console);
}
`;
