import { encodeJson, type Value } from "../../../protocol/index.ts";
import { failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { isCallable } from "./weight.ts";

/** Copying this many values costs a step. */
const VALUES_PER_STEP = 32;
const MAX_DEPTH = 256;
/** The evaluator takes objects with these keys for its own functions. */
const RESERVED = ["_jsonata_lambda", "_jsonata_function"];

/**
 * Bytes inside an expression: an object without keys. Two are equal if their bytes are, since equality looks at the one
 * property that enumeration doesn't show.
 */
export class Opaque {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    Object.defineProperty(this, "$bytes", { get: () => encodeJson(bytes) });
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** What `$string` shows. */
  toJSON(): unknown {
    return JSON.parse(encodeJson(this.#bytes));
  }
}

/**
 * A copy for the evaluator, which marks, extends and changes lists and objects that it is given: values are shared, so
 * it never gets hold of one.
 */
export function copyIn(value: Value | undefined, meter: Meter): unknown {
  const count = { values: 0 };
  const copy = copyInAt(value, 0, count);
  meter.charge(count.values / VALUES_PER_STEP);
  return copy;
}

function copyInAt(value: Value | undefined, depth: number, count: { values: number }): unknown {
  count.values += 1;
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) throw failure(`A value is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value as readonly Value[]) list.push(copyInAt(item, depth + 1, count));
    return list;
  }
  if (value instanceof Uint8Array) return new Opaque(value);
  const object: Record<string, unknown> = {};
  const given = value as Readonly<Record<string, Value>>;
  for (const key of Object.keys(given)) {
    if (key.startsWith("_jsonata_") && RESERVED.includes(key)) {
      throw failure(`An input has the key "${key}", which expressions can't read`);
    }
    set(object, key, copyInAt(given[key], depth + 1, count));
  }
  return object;
}

/** The value that a result stands for; undefined for nothing. What isn't a value is an error. */
export function copyOut(result: unknown): Value | undefined {
  return result === undefined ? undefined : copyOutAt(result, 0);
}

function copyOutAt(result: unknown, depth: number): Value {
  switch (typeof result) {
    case "string":
    case "boolean":
      return result;
    case "number":
      if (!Number.isFinite(result)) throw failure(`The result ${depth === 0 ? "is" : "contains"} ${result}`);
      return result;
    case "undefined":
      return null;
    case "object":
      break;
    default:
      throw failure(`The result ${depth === 0 ? "is" : "contains"} a function`);
  }
  if (result === null) return null;
  if (isCallable(result)) throw failure(`The result ${depth === 0 ? "is" : "contains"} a function`);
  if (depth > MAX_DEPTH) throw failure(`The result is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(result)) {
    const list: Value[] = [];
    for (const item of result) list.push(copyOutAt(item, depth + 1));
    return list;
  }
  if (result instanceof Opaque) return result.bytes;
  const object: Record<string, Value> = {};
  for (const [key, inner] of Object.entries(result)) {
    if (inner !== undefined) set(object, key, copyOutAt(inner, depth + 1));
  }
  return object;
}

/** Sets an own property whatever its name: assigning to `__proto__` would set the prototype. */
function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}
