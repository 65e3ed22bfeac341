import jsonata from "jsonata";
import { RANGE, REFUSED } from "./builtins.ts";
import type { Part } from "./evaluator.ts";
import { linearPattern } from "./regex.ts";

const MAX_SOURCE = 32_768;
const MAX_PARTS = 10_000;
const MAX_DEPTH = 500;
/** Parameters of one function that may be left out. */
const MAX_OPTIONAL = 8;

/** Sorting with `^( )` copies half of what is left for each element: it is charged so that it stays small. */
const SORT_STEPS = 8;
/** The same for groups of what `@` and `#` have bound, where it can't be told how large a group is. */
const GROUP_STEPS = 50;

/** Operators that walk through all of their operands. */
const WALKING = new Set(["=", "!=", "<", "<=", ">", ">=", "in", "and", "or", "&"]);
/** Steps for each part of what is walked through … */
const WALK_STEPS = 1 / 16;
/** … and where an object is made for it. */
const TUPLE_STEPS = 1 / 2;

export interface Parsed {
  readonly expression: jsonata.Expression;
  readonly tree: Part;
  readonly usesRegex: boolean;
}

/**
 * Reads an expression and prepares its tree for evaluation: parts whose evaluation costs more than it seems are marked.
 * Throws a SyntaxError that says what is wrong, also with what is right but can't be evaluated safely.
 */
export function parse(source: string, options: jsonata.JsonataOptions): Parsed {
  if (source.length > MAX_SOURCE) throw new SyntaxError(`is longer than ${MAX_SOURCE} characters`);
  const expression = read(source, options);
  const tree = expression.ast() as unknown as Part;
  const bound = new Set<unknown>();
  const called: Part[] = [];
  let usesRegex = false;
  for (const part of partsOf(tree)) {
    mark(part);
    if (part.type === "regex") {
      usesRegex = true;
      allowPattern(part);
    } else if (part.type === "bind") {
      bound.add((part["lhs"] as Part).value);
    } else if (part.type === "lambda") {
      for (const parameter of part["arguments"] as readonly Part[]) bound.add(parameter.value);
      allowSignature(part);
    } else if (part.type === "function" || part.type === "partial") {
      called.push(part["procedure"] as Part);
    }
    for (const key of ["focus", "index"]) if (typeof part[key] === "string") bound.add(part[key]);
  }
  // The evaluator calls whatever has this name to copy what `~> | | |` changes.
  if (bound.has("clone")) throw new SyntaxError("$clone can't be given another meaning");
  for (const { type, value, position } of called) {
    if (type !== "variable" || typeof value !== "string" || bound.has(value)) continue;
    if (Object.hasOwn(REFUSED, value))
      throw new SyntaxError(`$${value}: ${REFUSED[value]}${place(position)}`);
  }
  return { expression, tree, usesRegex };
}

function read(source: string, options: jsonata.JsonataOptions): jsonata.Expression {
  try {
    return jsonata(source, options);
  } catch (error) {
    // Nesting is read by recursion: a stack that is too small for it is the expression's fault.
    if (error instanceof RangeError) throw new SyntaxError("is nested too deeply");
    const { message, position } = error as { message?: unknown; position?: unknown };
    throw new SyntaxError(`${typeof message === "string" ? message : "is no JSONata"}${place(position)}`);
  }
}

/** Every part of a tree. Throws if there are too many, or if they are nested too deeply. */
function* partsOf(tree: Part): Generator<Part, void, void> {
  const seen = new Set<object>();
  const open: { readonly value: object; readonly depth: number }[] = [{ value: tree, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (seen.has(value)) continue;
    seen.add(value);
    if (seen.size > MAX_PARTS) throw new SyntaxError(`has more than ${MAX_PARTS} parts`);
    if (depth > MAX_DEPTH) throw new SyntaxError("is nested too deeply");
    if (!Array.isArray(value)) yield value as Part;
    for (const inner of Object.values(value)) {
      if (typeof inner === "object" && inner !== null && !(inner instanceof RegExp)) {
        open.push({ value: inner, depth: depth + 1 });
      }
    }
  }
}

/** Marks what costs more than it seems, and puts a function that looks first in the place of the operator `..`. */
function mark(part: Part): void {
  for (const key of ["predicate", "stages"]) {
    for (const filter of (part[key] ?? []) as readonly Part[]) {
      if (typeof filter["expr"] === "object") (filter["expr"] as Part).walk = WALK_STEPS;
    }
  }
  const group = part["group"] as { readonly lhs: readonly (readonly Part[])[] } | undefined;
  const tuples = ((part["steps"] ?? []) as readonly Part[]).some((step) => step["tuple"] === true);
  for (const [key] of group?.lhs ?? []) {
    if (key === undefined) continue;
    if (tuples) key.extra = GROUP_STEPS;
    else key.groups = true;
  }
  for (const step of (part["steps"] ?? []) as readonly Part[]) step.walk = tuples ? TUPLE_STEPS : WALK_STEPS;
  switch (part.type) {
    case "sort":
      for (const { expression } of part["terms"] as readonly { readonly expression: Part }[]) {
        expression.extra = SORT_STEPS;
      }
      break;
    case "binary":
      if (part.value === "..") {
        Object.assign(part, {
          type: "function",
          procedure: { type: "variable", value: RANGE, position: part.position },
          arguments: [part["lhs"], part["rhs"]],
        });
      } else if (WALKING.has(part.value as string)) {
        for (const operand of [part["lhs"], part["rhs"]] as readonly Part[]) {
          operand.walk = WALK_STEPS;
          operand.compared = true;
        }
      }
      break;
    case "unary":
      if (part.value === "[")
        for (const item of part["expressions"] as readonly Part[]) item.walk = WALK_STEPS;
      break;
    case "condition":
      (part["condition"] as Part).walk = WALK_STEPS;
      break;
    case "transform":
      (part["update"] as Part).changes = true;
      break;
  }
}

/** The evaluator makes a regular expression of a signature, which tries each way to leave out what may be left out. */
function allowSignature(part: Part): void {
  const { definition = "" } = (part["signature"] ?? {}) as { readonly definition?: string };
  const optional = definition.split(/[?-]/).length - 1;
  const repeated = definition.split("+").length - 1;
  if (optional > MAX_OPTIONAL || repeated > 1) {
    throw new SyntaxError(`has a signature with too many optional parameters${place(part.position)}`);
  }
}

function allowPattern(part: Part): void {
  try {
    linearPattern(part.value as RegExp);
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new SyntaxError(
      `can't use the regular expression ${String(part.value).slice(0, 100)}: ${why}${place(part.position)}`,
    );
  }
}

function place(position: unknown): string {
  return typeof position === "number" ? ` (at character ${position})` : "";
}
