import { z } from "zod";
import { DEFAULT_LIMITS, encodeJson, NodeflowError, Secret, type Value } from "../../protocol/index.ts";
import { TextCache } from "./text-cache.ts";

/** A place to fill in: the handle, then keys and list positions. */
type Path = readonly [handle: string, ...keys: string[]];
/** Literal text and places, in order. */
export type Template = readonly (string | Path)[];

const OPEN = "{{";
const CLOSE = "}}";

const CACHED_CHARS = 1_048_576;
/** All texts of one node together. */
const MAX_CHARS = DEFAULT_LIMITS.maxValueBytes;

const parsed = new TextCache<Template>(CACHED_CHARS);

/**
 * Reads a text with places like `{{handle.key.0}}`. A place holds a path and nothing else: no code, no expressions.
 * Throws a SyntaxError that says what is wrong and where.
 */
export function parseTemplate(text: string): Template {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const parts: (string | Path)[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf(OPEN, at);
    if (open === -1) break;
    const close = text.indexOf(CLOSE, open);
    if (close === -1) throw new SyntaxError(`"{{" at character ${open + 1} has no "}}"`);
    if (open > at) parts.push(text.slice(at, open));
    parts.push(parsePath(text.slice(open + OPEN.length, close), open));
    at = close + CLOSE.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  parsed.set(text, parts);
  return parts;
}

function parsePath(text: string, open: number): Path {
  const [handle = "", ...keys] = text.split(".").map((key) => key.trim());
  if (handle === "" || keys.includes("") || text.includes("{")) {
    throw new SyntaxError(
      `"{{${text}}}" at character ${open + 1} is not a path like {{handle}} or {{handle.key.0}}`,
    );
  }
  return [handle, ...keys];
}

/** How a value is put into the text around it, e.g. percent-encoded in a URL. It may throw. */
export type Fill = (text: string) => string;

type Inputs = Readonly<Record<string, Value>>;

/** Room that is left for text: a short template can put the same large value in a thousand places. */
interface Room {
  chars: number;
}

/** The text with its places filled in. Values are put in as they are, never read as templates. */
export function renderText(template: Template, inputs: Inputs, fill?: Fill): string {
  return filledText(template, inputs, fill, { chars: MAX_CHARS });
}

/**
 * A value of `data` whose strings are templates. A string that is exactly one place gives the value itself; keys are left
 * as they are.
 */
export function renderValue(data: Value, inputs: Inputs, fill?: Fill): Value {
  return filledValue(data, inputs, fill, { chars: MAX_CHARS });
}

function filledValue(data: Value, inputs: Inputs, fill: Fill | undefined, room: Room): Value {
  if (typeof data === "string") {
    const template = parseTemplate(data);
    const [only] = template;
    if (template.length === 1 && typeof only === "object") return lookUp(only, inputs);
    return filledText(template, inputs, fill, room);
  }
  if (typeof data !== "object" || data === null || data instanceof Uint8Array || data instanceof Secret)
    return data;
  if (Array.isArray(data)) return data.map((item: Value) => filledValue(item, inputs, fill, room));
  return Object.fromEntries(
    Object.entries(data).map(([key, item]) => [key, filledValue(item, inputs, fill, room)]),
  );
}

function filledText(template: Template, inputs: Inputs, fill: Fill | undefined, room: Room): string {
  let out = "";
  for (const part of template) {
    let text = typeof part === "string" ? part : print(lookUp(part, inputs));
    if (fill !== undefined && typeof part !== "string") text = fill(text);
    room.chars -= text.length;
    if (room.chars < 0)
      throw new NodeflowError("OUTPUT_TOO_LARGE", `A template gives more than ${MAX_CHARS} characters`);
    out += text;
  }
  return out;
}

/** The value at a path. Only own properties exist: nothing of a prototype can be reached. */
function lookUp(path: Path, inputs: Inputs): Value {
  let value: Value = inputs as Value;
  for (const [depth, key] of path.entries()) {
    const inner = property(value, key);
    if (inner === undefined) {
      const where =
        depth === 0 ? "no such handle is connected" : `"${path.slice(0, depth).join(".")}" has no "${key}"`;
      throw new NodeflowError("EXPRESSION_ERROR", `{{${path.join(".")}}} is missing: ${where}`);
    }
    value = inner;
  }
  return value;
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

function property(value: Value, key: string): Value | undefined {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) return INDEX.test(key) ? value[Number(key)] : undefined;
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string, Value>>)[key] : undefined;
}

function print(value: Value): string {
  return typeof value === "string" ? value : encodeJson(value);
}

/** Why a text is no template, or null. */
export function templateProblem(text: string): string | null {
  try {
    parseTemplate(text);
    return null;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}

/** A string of `data` that is a template. */
export const templateText = z.string("must be a string").superRefine((text, context) => {
  const problem = templateProblem(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

/** Any value of `data` all of whose strings are templates. */
export const templateValue = z.unknown().superRefine((value, context) => {
  for (const { path, problem } of templateProblems(value, [])) {
    context.addIssue({ code: "custom", message: problem, path });
  }
});

function* templateProblems(
  value: unknown,
  path: (string | number)[],
): Generator<{ path: (string | number)[]; problem: string }> {
  if (typeof value === "string") {
    const problem = templateProblem(value);
    if (problem !== null) yield { path, problem };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* templateProblems(item, [...path, index]);
  } else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    for (const [key, item] of Object.entries(value)) yield* templateProblems(item, [...path, key]);
  }
}
