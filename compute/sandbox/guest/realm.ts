/**
 * First thing in a fresh context: takes away what programs aren't promised, so that equal programs find equal things on every
 * engine, and replaces what would tell them of the world outside. Text, because it runs where the code of this module can't.
 *
 * Defines `targets(keep)`, `survey(list, everywhere)`, `prune(list, found, spared)`, `deny()` → the set of errors that mean a violation, `stopClock()`, `seedRandom(seed)`.
 */
export const REALM = /* js */ `
const { apply, construct, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const uncurry = (method) => (self, ...args) => apply(method, self, args);
const replace = (object, name, value) =>
  defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });

// Objects that have no name of their own.
const hidden = () => {
  const iterator = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));
  const typedArray = getPrototypeOf(Int8Array);
  const functions = [function* () {}, async function () {}, async function* () {}].map(getPrototypeOf);
  return [
    ["%Iterator%", iterator],
    ["%TypedArray%", typedArray],
    ["%TypedArray%#", typedArray.prototype],
    ["%MapIterator%", getPrototypeOf(new Map().entries())],
    ["%SetIterator%", getPrototypeOf(new Set().entries())],
    ["%ArrayIterator%", getPrototypeOf([].entries())],
    ["%StringIterator%", getPrototypeOf(""[Symbol.iterator]())],
    ["%RegExpStringIterator%", getPrototypeOf("".matchAll(/a/g))],
    ["%Generator%", functions[0].prototype],
    ["%AsyncGenerator%", functions[2].prototype],
    ["%AsyncIterator%", getPrototypeOf(functions[2].prototype)],
    ...functions.map((prototype) => ["%Function%#", prototype]),
  ];
};

// What is to be looked through: each object with the names that it keeps.
function targets(keep) {
  const list = [];
  // A host's global object has prototypes of its own, full of the host's things.
  for (let at = globalThis; at && at !== Object.prototype; at = getPrototypeOf(at)) {
    list.push([at, at === globalThis ? keep.globalThis : ""]);
  }
  for (const name of keep.globalThis.split(" ")) {
    const { value } = getOwnPropertyDescriptor(globalThis, name) || {};
    if (typeof value !== "function" && (typeof value !== "object" || value === null)) continue;
    if (value === globalThis) continue;
    list.push([value, keep[name]]);
    if (typeof value === "function" && value.prototype) list.push([value.prototype, keep[name + "#"]]);
  }
  for (const [name, object] of hidden()) list.push([object, keep[name]]);
  return list;
}

// What of the targets programs don't get, as [target, key] pairs in one flat list.
function survey(list, everywhere) {
  const always = new Set(everywhere.split(" "));
  const found = [];
  for (let i = 0; i < list.length; i += 1) {
    const [object, names] = list[i];
    const kept = new Set((names || "").split(" "));
    for (const key of ownKeys(object)) {
      if (typeof key === "string") {
        if (!kept.has(key) && (object === globalThis || !always.has(key))) found.push(i, key);
      } else if (key === Symbol.dispose || key === Symbol.asyncDispose) found.push(i, key === Symbol.dispose ? 0 : 1);
    }
  }
  return found;
}

function prune(list, found, spared) {
  const { dispose, asyncDispose } = Symbol;
  for (let i = 0; i < found.length; i += 2) {
    const key = found[i + 1];
    if (key !== spared) deleteProperty(list[found[i]][0], key === 0 ? dispose : key === 1 ? asyncDispose : key);
  }
}

// V8 keeps an object from which something was deleted in a slow form, in which Math.imul takes three times as long. What is a
// prototype it makes fast again, once something is read through it.
function hasten(list) {
  for (let i = 0; i < list.length; i += 1) {
    const heir = { __proto__: list[i][0] };
    for (let n = 0; n < 3; n += 1) heir.hasten;
  }
}

// Text becomes a program in one place only: where the host compiles it.
function deny() {
  const violations = new WeakSet();
  const add = uncurry(WeakSet.prototype.add);
  const denied = (what) =>
    function () {
      const error = new Error(what + " is not available here");
      add(violations, error);
      throw error;
    };
  replace(globalThis, "eval", denied("eval"));
  for (const made of [function () {}, function* () {}, async function () {}, async function* () {}]) {
    const prototype = getPrototypeOf(made);
    const constructor = denied("The constructor of functions");
    defineProperty(constructor, "prototype", { value: prototype, writable: false });
    defineProperty(prototype, "constructor", { value: constructor, writable: false, configurable: false });
    if (prototype === Function.prototype) replace(globalThis, "Function", constructor);
  }
  return violations;
}

// It is always 1970-01-01T00:00:00Z, and local time is UTC.
function stopClock() {
  const Real = Date;
  const utc = Real.UTC;
  const real = Real.prototype;
  const timeOf = uncurry(real.getTime);
  const exec = uncurry(RegExp.prototype.exec);
  const days = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const iso = /^([+-]\\d{6}|\\d{4})(?:-(\\d\\d)(?:-(\\d\\d))?)?(?:T(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d+))?)?(Z|[+-]\\d\\d:?\\d\\d)?)?$/;
  const said = /^[A-Z][a-z]{2},? (?:(\\d\\d) ([A-Z][a-z]{2})|([A-Z][a-z]{2}) (\\d\\d)) (-?\\d{4,6})(?: (\\d\\d):(\\d\\d):(\\d\\d) GMT(?:[+]0000)?(?: .*)?)?$/;
  const text = String;
  const indexOf = uncurry(Array.prototype.indexOf);
  const slice = uncurry(String.prototype.slice);

  function parse(value) {
    const given = text(value);
    const at = exec(iso, given);
    if (at) {
      const [, year, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = "", zone = "Z"] = at;
      if (year === "-000000" || month < 1 || month > 12 || day < 1 || day > 31 || minute > 59 || second > 59) return NaN;
      if (+hour + (+minute + +second + +fraction > 0 ? 1 : 0) > 24) return NaN;
      const ms = +slice(fraction + "000", 0, 3);
      const sign = slice(zone, 0, 1);
      const offset = sign === "Z" ? 0 : (sign === "-" ? -1 : 1) * (+slice(zone, 1, 3) * 60 + +slice(zone, -2));
      const date = new Real(utc(2000, 0, 1, 0, minute, second, ms));
      apply(real.setUTCFullYear, date, [+year, month - 1, +day]);
      if (apply(real.getUTCDate, date, []) !== +day) return NaN;
      return timeOf(date) + hour * 3600000 - offset * 60000;
    }
    const words = exec(said, given);
    if (!words) return NaN;
    const month = indexOf(months, words[2] || words[3]);
    if (month < 0) return NaN;
    const day = +(words[1] || words[4]);
    const date = new Real(utc(2000, month, day, +(words[6] || 0), +(words[7] || 0), +(words[8] || 0)));
    apply(real.setUTCFullYear, date, [+words[5], month, day]);
    return timeOf(date);
  }

  function Stopped(...parts) {
    if (!new.target) return apply(real.toString, new Real(0), []);
    let time = 0;
    if (parts.length > 1) time = apply(utc, undefined, parts);
    else if (parts.length === 1) {
      let [value] = parts;
      if (typeof value === "object" && value !== null) {
        try {
          value = timeOf(value);
        } catch {
          const primitive = value[Symbol.toPrimitive];
          value = primitive === undefined ? text(value) : apply(primitive, value, ["default"]);
        }
      }
      time = typeof value === "string" ? parse(value) : +value;
    }
    return construct(Real, [time], new.target);
  }
  defineProperty(Stopped, "name", { value: "Date", configurable: true });
  defineProperty(Stopped, "length", { value: 7, configurable: true });
  defineProperty(Stopped, "prototype", { value: real, writable: false });
  replace(real, "constructor", Stopped);
  replace(Stopped, "now", function now() { return 0; });
  replace(Stopped, "parse", function (value) { return parse(value); });
  replace(Stopped, "UTC", utc);
  for (const part of "FullYear Month Date Day Hours Minutes Seconds Milliseconds".split(" ")) {
    replace(real, "get" + part, real["getUTC" + part]);
    if (part !== "Day") replace(real, "set" + part, real["setUTC" + part]);
  }
  // Taken now: programs may change the prototype later.
  const read = {};
  for (const part of "FullYear Month Date Day Hours Minutes Seconds".split(" ")) read[part] = uncurry(real["getUTC" + part]);
  const two = (n) => (n < 10 ? "0" + n : "" + n);
  const yearText = (n) => {
    const digits = "" + (n < 0 ? -n : n);
    return (n < 0 ? "-" : "") + slice("000", digits.length < 4 ? digits.length - 1 : 3) + digits;
  };
  const dateText = (d) => days[read.Day(d)] + " " + months[read.Month(d)] + " " + two(read.Date(d)) + " " + yearText(read.FullYear(d));
  const timeText = (d) => two(read.Hours(d)) + ":" + two(read.Minutes(d)) + ":" + two(read.Seconds(d)) + " GMT+0000 (Coordinated Universal Time)";
  const printed = (name, print) =>
    replace(real, name, function () { const time = timeOf(this); return time === time ? print(this) : "Invalid Date"; });
  printed("toString", (d) => dateText(d) + " " + timeText(d));
  printed("toDateString", dateText);
  printed("toTimeString", timeText);
  replace(real, "getTimezoneOffset", function getTimezoneOffset() { const time = timeOf(this); return time === time ? 0 : NaN; });
  replace(globalThis, "Date", Stopped);
}

// sfc32 (Chris Doty-Humphrey, PractRand), seeded with four 32-bit hashes of the text.
function seedRandom(seed) {
  const { imul } = Math;
  const code = uncurry(String.prototype.charCodeAt);
  const hash = (start) => {
    let h = start;
    for (let i = 0; i < seed.length; i += 1) {
      h = imul(h ^ code(seed, i), 0x85ebca6b);
      h = (h << 13) | (h >>> 19);
    }
    h = imul(h ^ (h >>> 16), 0xc2b2ae35);
    return (h ^ (h >>> 15)) | 0;
  };
  let a = hash(0x243f6a88), b = hash(0x85a308d3), c = hash(0x13198a2e), d = hash(0x03707344);
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i += 1) next();
  replace(Math, "random", function random() { return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992; });
}
`;
