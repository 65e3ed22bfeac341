import type { Value, ValueObject } from "../../../protocol/index.ts";
import type { Part } from "./evaluator.ts";
import { MAX_CHARS } from "./weight.ts";

/** What direct evaluation answers where it doesn't know: the evaluator is asked then. */
export const UNSURE: unique symbol = Symbol("unsure");

/** A result, undefined for nothing. Lists and objects in it may be those that it was given. */
export type Outcome = Value | undefined | typeof UNSURE;

/** A simple expression as a function. It gives what the evaluator would give, or doesn't know; it never throws. */
export type Direct = (root: Value, variables: Readonly<Record<string, Value>>) => Outcome;

const NEVER: Direct = () => UNSURE;

/** Elements of a list that is made, characters of a text that is compared: more is left to the evaluator, who counts. */
const MAX_ELEMENTS = 1_000;
const MAX_COMPARED = 10_000;

/**
 * Most expressions in workflows are short: a path, a comparison, some arithmetic. The evaluator takes microseconds for
 * each part of them, whatever it is. This makes functions of such trees that take nanoseconds, and give up where types
 * are mixed, lists are mapped over, or anything else happens that has rules of its own.
 */
export function direct(tree: Part): Direct {
  return known(tree) ?? NEVER;
}

/** Keys that say nothing about how a part is evaluated, those of our own marks among them. */
const NEUTRAL = new Set([
  "type",
  "value",
  "position",
  "walk",
  "extra",
  "compared",
  "groups",
  "changes",
  "consarray",
]);

/** Keys that the parts of each type have, besides those. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  string: [],
  number: [],
  value: [],
  variable: [],
  path: ["steps"],
  binary: ["lhs", "rhs"],
  unary: ["expression", "expressions", "lhs"],
  condition: ["condition", "then", "else"],
  block: ["expressions"],
};

function known(part: Part): Direct | null {
  const keys = KEYS[part.type];
  // A predicate, a group, an index: whatever else is there has the evaluator do more.
  if (keys === undefined || !Object.keys(part).every((key) => NEUTRAL.has(key) || keys.includes(key)))
    return null;
  switch (part.type) {
    case "string":
    case "number":
    case "value": {
      const value = part.value as Value;
      return () => value;
    }
    case "variable":
      return variable(part.value as string);
    case "path":
      return path(part["steps"] as readonly Part[]);
    case "binary":
      return binary(part);
    case "unary":
      return unary(part);
    case "condition":
      return condition(part);
    case "block": {
      const [only, ...others] = part["expressions"] as readonly Part[];
      return only !== undefined && others.length === 0 ? known(only) : null;
    }
    default:
      return null;
  }
}

function variable(name: string): Direct {
  if (name === "" || name === "$") return (root) => root;
  // A name without a value may be that of a function.
  return (_root, variables) => (Object.hasOwn(variables, name) ? variables[name] : UNSURE);
}

function path(steps: readonly Part[]): Direct | null {
  const [first, ...rest] = steps;
  const start = first?.type === "variable" ? known(first) : (root: Value) => root;
  const names = first?.type === "variable" ? rest : steps;
  if (start === null || !names.every((step) => step.type === "name" && isPlain(step))) return null;
  const keys = names.map((step) => step.value as string);
  return (root, variables) => {
    let value: Outcome = start(root, variables);
    for (const key of keys) {
      if (value === UNSURE || value === undefined) return value;
      if (typeof value !== "object" || value === null) return undefined;
      // Lists are mapped over and flattened, bytes are closed.
      if (Array.isArray(value) || value instanceof Uint8Array) return UNSURE;
      value = Object.hasOwn(value, key) ? (value as ValueObject)[key] : undefined;
    }
    return value;
  };
}

function isPlain(step: Part): boolean {
  return Object.keys(step).every((key) => NEUTRAL.has(key));
}

function binary(part: Part): Direct | null {
  const lhs = known(part["lhs"] as Part);
  const rhs = known(part["rhs"] as Part);
  const operator = part.value as string;
  if (lhs === null || rhs === null) return null;
  if (operator === "and" || operator === "or") {
    const decided = operator === "or";
    return (root, variables) => {
      const left = truth(lhs(root, variables));
      if (left === UNSURE || left === decided) return left;
      return truth(rhs(root, variables));
    };
  }
  const operate = OPERATORS.get(operator);
  if (operate === undefined) return null;
  return (root, variables) => {
    const left = lhs(root, variables);
    if (left === UNSURE) return UNSURE;
    const right = rhs(root, variables);
    return right === UNSURE ? UNSURE : operate(left, right);
  };
}

type Operand = Value | undefined;

/** Numbers only; nothing gives nothing. What isn't finite is an error, if not here then where it is used. */
const arithmetic =
  (operate: (a: number, b: number) => number) =>
  (a: Operand, b: Operand): Outcome => {
    if (typeof a === "number" && typeof b === "number") {
      const result = operate(a, b);
      return Number.isFinite(result) ? result : UNSURE;
    }
    const sure = (a === undefined || typeof a === "number") && (b === undefined || typeof b === "number");
    return sure ? undefined : UNSURE;
  };

/** Two numbers or two texts; nothing gives nothing. */
const comparison =
  (compare: (order: number) => boolean) =>
  (a: Operand, b: Operand): Outcome => {
    if (isLong(a) || isLong(b)) return UNSURE;
    if (
      (typeof a === "number" && typeof b === "number") ||
      (typeof a === "string" && typeof b === "string")
    ) {
      return compare(a < b ? -1 : a > b ? 1 : 0);
    }
    return comparable(a) && comparable(b) && (a === undefined || b === undefined) ? undefined : UNSURE;
  };

function isLong(value: Operand): boolean {
  return typeof value === "string" && value.length > MAX_COMPARED;
}

function comparable(value: Operand): boolean {
  return value === undefined || typeof value === "number" || typeof value === "string";
}

const equality =
  (equal: boolean) =>
  (a: Operand, b: Operand): Outcome => {
    if (a === undefined || b === undefined) return false;
    if (isLong(a) && isLong(b)) return UNSURE;
    if (a !== null && b !== null && typeof a === "object" && typeof b === "object") return UNSURE;
    return (a === b) === equal;
  };

const OPERATORS: ReadonlyMap<string, (a: Operand, b: Operand) => Outcome> = new Map([
  ["+", arithmetic((a, b) => a + b)],
  ["-", arithmetic((a, b) => a - b)],
  ["*", arithmetic((a, b) => a * b)],
  ["/", arithmetic((a, b) => a / b)],
  ["%", arithmetic((a, b) => a % b)],
  ["<", comparison((order) => order < 0)],
  ["<=", comparison((order) => order <= 0)],
  [">", comparison((order) => order > 0)],
  [">=", comparison((order) => order >= 0)],
  ["=", equality(true)],
  ["!=", equality(false)],
  ["&", joined],
]);

function joined(a: Operand, b: Operand): Outcome {
  const left = text(a);
  const right = text(b);
  if (left === UNSURE || right === UNSURE || left.length + right.length > MAX_CHARS) return UNSURE;
  return left + right;
}

/** Fifteen digits of a number, as the evaluator prints them. */
function text(value: Operand): string | typeof UNSURE {
  switch (typeof value) {
    case "string":
      return value;
    case "undefined":
      return "";
    case "boolean":
      return String(value);
    case "number":
      return JSON.stringify(Number.isInteger(value) ? value : Number(value.toPrecision(15)));
    default:
      return value === null ? "null" : UNSURE;
  }
}

function unary(part: Part): Direct | null {
  if (part.value === "-") return negation(part);
  if (part.value === "[") return list(part);
  return part.value === "{" ? object(part) : null;
}

function negation(part: Part): Direct | null {
  const operand = known(part["expression"] as Part);
  if (operand === null) return null;
  return (root, variables) => {
    const value = operand(root, variables);
    if (typeof value === "number") return -value;
    return value === undefined ? undefined : UNSURE;
  };
}

function list(part: Part): Direct | null {
  const items: { readonly value: Direct; readonly whole: boolean }[] = [];
  for (const item of part["expressions"] as readonly Part[]) {
    const value = known(item);
    if (value === null) return null;
    // A list that is written down is an element; one that is found adds its elements.
    items.push({ value, whole: item.type === "unary" && item.value === "[" });
  }
  return (root, variables) => {
    const result: Value[] = [];
    for (const { value, whole } of items) {
      const element = value(root, variables);
      if (element === UNSURE) return UNSURE;
      if (element === undefined) continue;
      if (Array.isArray(element) && !whole) {
        if (result.length + element.length > MAX_ELEMENTS) return UNSURE;
        for (const inner of element as readonly Value[]) result.push(inner);
      } else {
        result.push(element);
      }
    }
    return result;
  };
}

function object(part: Part): Direct | null {
  const entries: { readonly key: string; readonly value: Direct }[] = [];
  const keys = new Set<string>(["_jsonata_lambda", "_jsonata_function"]);
  for (const [key, value] of part["lhs"] as readonly (readonly [Part, Part])[]) {
    const direct = known(value);
    if (key.type !== "string" || known(key) === null || direct === null) return null;
    if (keys.has(key.value as string)) return null;
    keys.add(key.value as string);
    entries.push({ key: key.value as string, value: direct });
  }
  return (root, variables) => {
    // A list is grouped by the keys, and not what this makes of it.
    if (Array.isArray(root)) return UNSURE;
    const result: [string, Value][] = [];
    for (const { key, value } of entries) {
      const property = value(root, variables);
      if (property === UNSURE) return UNSURE;
      if (property !== undefined) result.push([key, property]);
    }
    return Object.fromEntries(result);
  };
}

function condition(part: Part): Direct | null {
  const test = known(part["condition"] as Part);
  const then = known(part["then"] as Part);
  const otherwise = part["else"] === undefined ? () => undefined : known(part["else"] as Part);
  if (test === null || then === null || otherwise === null) return null;
  return (root, variables) => {
    const holds = truth(test(root, variables));
    if (holds === UNSURE) return UNSURE;
    return holds ? then(root, variables) : otherwise(root, variables);
  };
}

/** What counts as true, of what isn't a list or an object. */
function truth(value: Outcome): boolean | typeof UNSURE {
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return value.length > 0;
    case "number":
      return value !== 0;
    case "undefined":
      return false;
    default:
      return value === null ? false : UNSURE;
  }
}
