/**
 * Values cross the border as JSON text and a list of buffers; `{"$":3}` in the text is the fourth buffer, and an object whose
 * only key is made of `$` has one more. The same rule as in `compute/sandbox/values.ts`, on the other side.
 *
 * Defines `pack(value)` → `["value", text, ...buffers]` and `unpack([text, ...buffers])`. Everything is read once and copied, by the
 * program's own getters and proxies, in the program's own context: the host never touches an object of a program.
 */
export const VALUES = /* js */ `
const { parse: parseJson, stringify: printJson } = JSON;
const { isArray } = Array;
const { isFinite } = Number;
const { is, keys: namesOf, prototype: objectPrototype } = Object;
const isView = ArrayBuffer.isView;
const Bytes = Uint8Array;
const tagOf = uncurry(getOwnPropertyDescriptor(getPrototypeOf(Int8Array).prototype, Symbol.toStringTag).get);
const setBytes = uncurry(Bytes.prototype.set);
const marked = uncurry(RegExp.prototype.test).bind(null, /^[$]+$/);
const MAX_DEPTH = 128;
const EXOTIC = [
  [Map, "a Map", "Object.fromEntries"], [Set, "a Set", "Array.from"], [WeakMap, "a WeakMap"], [WeakSet, "a WeakSet"],
  [Promise, "a Promise", "await"], [RegExp, "a regular expression"], [ArrayBuffer, "an ArrayBuffer", "new Uint8Array"],
];
const isInstance = uncurry(Function.prototype[Symbol.hasInstance]);

class Unfit extends TypeError {}

function pack(value) {
  const packed = ["value", "null"];
  // Not spread: that would ask an iterator which the program may have replaced.
  packed[1] = printJson(copy(value, 0, packed));
  return packed;
}

function copy(given, depth, buffers) {
  if (depth > MAX_DEPTH) throw new Unfit("A value is nested deeper than " + MAX_DEPTH);
  let value = given;
  if (typeof value === "object" && value !== null && !isView(value) && typeof value.toJSON === "function") value = value.toJSON("");
  switch (typeof value) {
    case "undefined":
      return null;
    case "boolean":
    case "string":
      return value;
    case "number":
      if (isFinite(value)) return value;
      throw new Unfit(value + " is not a JSON value");
    case "object":
      if (value === null) return null;
      break;
    default:
      throw new Unfit("A " + typeof value + " is not a JSON value");
  }
  if (isView(value)) return bytesOf(value, buffers);
  if (isArray(value)) {
    const { length } = value;
    const list = [];
    // It has been asked: printing must not ask again, of a prototype that the program has changed.
    define(list, "toJSON", undefined);
    for (let i = 0; i < length; i += 1) define(list, i, copy(value[i], depth + 1, buffers));
    return list;
  }
  for (let i = 0; i < EXOTIC.length; i += 1) {
    const [constructor, name, hint] = EXOTIC[i];
    if (isInstance(constructor, value)) throw new Unfit(name + " is not a JSON value" + (hint ? "; try " + hint : ""));
  }
  const names = namesOf(value);
  const object = { __proto__: null };
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    if (name === "__proto__") throw new Unfit("A key can't be named __proto__");
    const part = value[name];
    if (part === undefined || typeof part === "function" || typeof part === "symbol") {
      if (part === undefined) continue;
      throw new Unfit("A " + typeof part + " is not a JSON value (" + name + ")");
    }
    define(object, names.length === 1 && marked(name) ? name + "$" : name, copy(part, depth + 1, buffers));
  }
  return object;
}

// Assigning would call setters that the program may have put on prototypes.
function define(object, key, value) {
  defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function bytesOf(view, buffers) {
  const tag = tagOf(view);
  if (tag !== "Uint8Array" && tag !== "Uint8ClampedArray") {
    throw new Unfit("Of typed arrays only Uint8Array is a value, not " + (tag || "DataView") + "; try new Uint8Array(x.buffer) or Array.from");
  }
  const own = new Bytes(view.length);
  setBytes(own, view);
  define(buffers, buffers.length, own.buffer);
  return { __proto__: null, $: buffers.length - 3 };
}

function unpack([text, ...buffers]) {
  const value = parseJson(text);
  return buffers.length === 0 && !text.includes('"$') ? value : revive(value, buffers);
}

function revive(value, buffers) {
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i += 1) value[i] = revive(value[i], buffers);
    return value;
  }
  const names = namesOf(value);
  if (names.length === 1 && marked(names[0])) {
    const part = value[names[0]];
    return names[0] === "$" ? new Bytes(buffers[part]) : { [names[0].slice(1)]: revive(part, buffers) };
  }
  for (const name of names) value[name] = revive(value[name], buffers);
  return value;
}
`;
