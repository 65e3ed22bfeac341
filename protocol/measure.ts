import { NodeflowError } from "./error.ts";

/** What a scalar other than text counts, in bytes. */
const SCALAR = 8;

/**
 * The size of a value: UTF-16 units of text, bytes of bytes, 8 for every other scalar, nothing for structure.
 * Throws `NODE_FAILED` (not retryable) for what isn't a value, `OUTPUT_TOO_LARGE` for nesting beyond `maxDepth` (which
 * is also what ends a cycle) and for more than `maxSize`: a value that holds itself twice at each of 100 levels is
 * small in memory and has 2^100 elements. `name` begins the place that messages tell, e.g. `out.rows[3].when`.
 */
export function measure(
  value: unknown,
  maxDepth: number,
  maxSize = Number.POSITIVE_INFINITY,
  name = "value",
  tally?: Tally,
): number {
  if (typeof value === "string") {
    if (value.length > maxSize) throw tooLarge(name, maxSize);
    if (tally) tally.weight = value.length;
    return value.length;
  }
  const budget = { size: 0, structure: 0, maxSize };
  const fault = walk(value, maxDepth, budget);
  if (fault === null) {
    if (tally) tally.weight = budget.size + budget.structure;
    return budget.size;
  }
  const place = name + fault.place.reverse().join("");
  if (fault.what === "large") throw tooLarge(name, maxSize);
  if (fault.what === "deep") {
    throw new NodeflowError("OUTPUT_TOO_LARGE", `${shorten(place)} is nested deeper than ${maxDepth} levels`);
  }
  throw new NodeflowError("NODE_FAILED", `${shorten(place)} is ${fault.what}, which is not a value`, {
    retryable: false,
  });
}

/** What a value weighs in memory and on the wire: its size, and its structure too. */
export interface Tally {
  weight: number;
}

/** What an element of a list or a key of an object adds to the weight, beside itself. */
const ELEMENT = 4;

interface Budget {
  size: number;
  /** Lists, objects and their keys have no size, but they take room and work. */
  structure: number;
  readonly maxSize: number;
}

interface Fault {
  readonly what: string;
  /** From the innermost segment outwards. */
  readonly place: string[];
}

const TOO_LARGE: Fault = { what: "large", place: [] };

function walk(value: unknown, depth: number, budget: Budget): Fault | null {
  switch (typeof value) {
    case "string":
      budget.size += value.length;
      break;
    case "number":
      if (!Number.isFinite(value)) return { what: String(value), place: [] };
      budget.size += SCALAR;
      break;
    case "boolean":
      budget.size += SCALAR;
      break;
    case "object":
      if (value !== null) return walkObject(value, depth, budget);
      budget.size += SCALAR;
      break;
    case "undefined":
      return { what: "undefined", place: [] };
    default:
      return { what: `a ${typeof value}`, place: [] };
  }
  return budget.size + budget.structure > budget.maxSize ? TOO_LARGE : null;
}

function walkObject(value: object, depth: number, budget: Budget): Fault | null {
  if (value instanceof Uint8Array) {
    budget.size += value.byteLength;
    return budget.size > budget.maxSize ? TOO_LARGE : null;
  }
  if (budget.size + budget.structure > budget.maxSize) return TOO_LARGE;
  if (depth <= 0) return { what: "deep", place: [] };
  if (Array.isArray(value)) {
    budget.structure += ELEMENT * value.length;
    for (let i = 0; i < value.length; i++) {
      const fault = walk(value[i], depth - 1, budget);
      if (fault !== null) return at(fault, `[${i}]`);
    }
    return null;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { what: `an instance of ${nameOf(value)}`, place: [] };
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    if (key === "__proto__") return { what: "an object with the key __proto__", place: [] };
    budget.structure += ELEMENT + key.length;
    const fault = walk(object[key], depth - 1, budget);
    if (fault !== null) return at(fault, /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
  }
  return null;
}

function at(fault: Fault, segment: string): Fault {
  if (fault !== TOO_LARGE) fault.place.push(segment);
  return fault;
}

function nameOf(value: object): string {
  const made = value.constructor;
  return typeof made === "function" && made.name !== "" ? made.name : "a class";
}

function tooLarge(name: string, maxSize: number): NodeflowError {
  return new NodeflowError("OUTPUT_TOO_LARGE", `${name} is larger than ${maxSize} bytes`);
}

function shorten(place: string): string {
  return place.length <= 200 ? place : `${place.slice(0, 120)}…${place.slice(-60)}`;
}
