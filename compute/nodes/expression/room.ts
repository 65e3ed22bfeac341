import type { Value, ValueObject } from "../../../protocol/index.ts";
import type { Part } from "./evaluator.ts";

/** What may be touched or made between two turns of the event loop, in values: a few milliseconds. */
const MOST = 20_000;
/** The same for pairs, which are looked at one by one, with turns in between. */
const MOST_PAIRS = 100_000;
const MOST_INPUTS = 10_000;
/** This many characters count as a value. */
const CHARS_PER_VALUE = 32;
const MAX_SOURCE = 1_000;
const MAX_LITERAL = 16;

/** Functions that look at each part of their arguments a few times, and whose result is no larger than those. */
const LINEAR = new Set(
  (
    "sum average max min count uppercase lowercase trim length substring substringBefore substringAfter string number " +
    "floor ceil round abs sqrt power boolean not exists type keys lookup append merge reverse distinct shuffle spread " +
    "zip join contains base64encode base64decode encodeUrl encodeUrlComponent decodeUrl decodeUrlComponent random " +
    "formatBase map filter each sift single sort"
  ).split(" "),
);
/** … if their second argument, how something is written, stands there. */
const PICTURED = new Set(["formatNumber", "formatInteger", "parseInteger", "fromMillis", "toMillis"]);

const NEUTRAL = new Set([
  ..."type value position walk extra compared groups changes consarray keepArray keepSingletonArray".split(
    " ",
  ),
  // What is looked at by itself.
  ..."steps lhs rhs expression expressions condition then else arguments procedure name".split(" "),
  ..."stages predicate expr terms descending body group thunk".split(" "),
]);

interface Place {
  /** Inside how many parts that are evaluated once for each element of something. */
  readonly depth: number;
  /** Names of the parameters of functions around it: what they stand for is a part of the context. */
  readonly parameters: ReadonlySet<string>;
}

class Far extends Error {}

/**
 * How much its inputs may weigh for an expression to be evaluated on a thread that serves others: its syntax alone proves
 * that it won't take long. Zero for expressions of which nothing can be proven; they have the meter, which stops them late.
 */
export function roomOf(source: string, tree: Part): number {
  if (source.length > MAX_SOURCE) return 0;
  const walk = new Walk();
  try {
    walk.part(tree, { depth: 0, parameters: new Set() });
  } catch (error) {
    if (error instanceof Far) return 0;
    throw error;
  }
  const readings = Math.max(1, walk.readings);
  if (!walk.squares) return Math.min(MOST_INPUTS, MOST / readings);
  return walk.splits ? 0 : Math.sqrt(MOST_PAIRS / readings);
}

class Walk {
  /** How often it names something of its inputs. */
  readings = 0;
  /** Whether it may look at all of something for each element of something. */
  squares = false;
  /** Makes many values of one text. */
  splits = false;

  part(part: Part, place: Place): void {
    if (!Object.keys(part).every((key) => NEUTRAL.has(key))) throw new Far();
    for (const key of ["stages", "predicate"]) this.#filters(part[key], place);
    if (part["group"]) {
      this.squares = true;
      this.#pairs((part["group"] as Part)["lhs"], inner(place));
    }
    switch (part.type) {
      case "string":
      case "number":
      case "value":
        break;
      case "name":
      case "wildcard":
        this.readings += 1;
        break;
      case "descendant":
        this.readings += 1;
        this.squares = true;
        break;
      case "variable":
        this.#variable(part.value as string, place);
        break;
      case "path":
        this.#steps(part["steps"] as readonly Part[], place);
        break;
      case "binary":
        this.part(part["lhs"] as Part, place);
        this.part(part["rhs"] as Part, place);
        break;
      case "unary":
        if (part["expression"]) this.part(part["expression"] as Part, place);
        for (const item of (part["expressions"] ?? []) as readonly Part[]) this.part(item, place);
        if (part["lhs"]) this.#pairs(part["lhs"], inner(place));
        break;
      case "condition":
        for (const key of ["condition", "then", "else"]) if (part[key]) this.part(part[key] as Part, place);
        break;
      case "block":
        for (const item of part["expressions"] as readonly Part[]) this.part(item, place);
        break;
      case "sort":
        this.squares = true;
        for (const { expression } of part["terms"] as readonly { readonly expression: Part }[]) {
          this.part(expression, inner(place));
        }
        break;
      case "apply":
        this.#apply(part["lhs"] as Part, part["rhs"] as Part, place);
        break;
      case "function":
        this.#call(part["procedure"] as Part, part["arguments"] as readonly Part[], place);
        break;
      case "lambda":
        // The evaluator wraps what a function calls last.
        if (part["thunk"] !== true) throw new Far();
        this.part(part["body"] as Part, place);
        break;
      default:
        // Functions of its own, bindings, regular expressions, changes, and whatever else there may be.
        throw new Far();
    }
  }

  #variable(name: string, { depth, parameters }: Place): void {
    this.readings += 1;
    if (name === "" || parameters.has(name) || depth === 0) return;
    // The whole of something for each element of something: twice would be a cube.
    if (depth > 1) throw new Far();
    this.squares = true;
  }

  #steps([first, ...rest]: readonly Part[], place: Place): void {
    if (first) this.part(first, place);
    for (const step of rest) this.part(step, inner(place));
  }

  #filters(filters: unknown, place: Place): void {
    for (const filter of (filters ?? []) as readonly Part[]) {
      if (filter.type !== "filter") throw new Far();
      this.part(filter["expr"] as Part, inner(place));
    }
  }

  #pairs(pairs: unknown, place: Place): void {
    for (const pair of pairs as readonly (readonly Part[])[]) for (const part of pair) this.part(part, place);
  }

  #apply(value: Part, procedure: Part, place: Place): void {
    if (procedure.type === "variable") this.#call(procedure, [value], place);
    else if (procedure.type !== "function") throw new Far();
    else {
      const args = [value, ...(procedure["arguments"] as readonly Part[])];
      this.#call(procedure["procedure"] as Part, args, place);
    }
  }

  #call({ type, value }: Part, args: readonly Part[], place: Place): void {
    const name = value as string;
    if (type !== "variable" || place.parameters.has(name)) throw new Far();
    if (name === "split") this.splits = true;
    else if (PICTURED.has(name)) {
      if (args.length > 1 && args[1]?.type !== "string") throw new Far();
    } else if (name === "replace") {
      if (!args.slice(1).every(isShort)) throw new Far();
    } else if (!LINEAR.has(name)) throw new Far();
    for (const arg of args) {
      if (arg.type === "lambda") this.#function(arg, place);
      else if (arg.type === "variable" && isBuiltin(arg.value as string)) throw new Far();
      else this.part(arg, place);
    }
  }

  /** A function that is given to another, which calls it for each element with a part of it and its place. */
  #function(lambda: Part, place: Place): void {
    const names = (lambda["arguments"] as readonly Part[]).map(({ value }) => value as string);
    if (names.length > 2 || lambda["signature"] !== undefined) throw new Far();
    const parameters = new Set([...place.parameters, ...names]);
    this.part(lambda["body"] as Part, { depth: place.depth + 1, parameters });
  }
}

const inner = (place: Place): Place => ({ ...place, depth: place.depth + 1 });

function isShort(part: Part): boolean {
  return part.type === "string" && (part.value as string).length <= MAX_LITERAL;
}

function isBuiltin(name: string): boolean {
  return (
    LINEAR.has(name) || PICTURED.has(name) || ["split", "replace", "reduce", "pad", "match"].includes(name)
  );
}

/** Whether inputs weigh no more than an expression has room for. It looks at no more of them than that. */
export function isWithin(inputs: Readonly<Record<string, Value>>, room: number): boolean {
  let left = room;
  for (const handle in inputs) {
    left = remaining(inputs[handle] as Value, left);
    if (left < 0) return false;
  }
  return true;
}

/** The room that a value leaves; below zero, it may be anything. Values are never deeper than the limit of depth. */
function remaining(value: Value, room: number): number {
  let left = room - 1;
  if (typeof value === "string") return left - value.length / CHARS_PER_VALUE;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return left;
  if (Array.isArray(value)) {
    if (value.length > left) return -1;
    for (let index = 0; index < value.length && left >= 0; index++) left = remaining(value[index], left);
    return left;
  }
  for (const key in value) {
    left = remaining((value as ValueObject)[key] as Value, left);
    if (left < 0) break;
  }
  return left;
}
