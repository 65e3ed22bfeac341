import { canonicalJson } from "./codec/canonical.ts";
import { isObject, type Value, type ValueObject } from "./value.ts";

const MAX_DEPTH = 32;
const TYPES = ["null", "boolean", "number", "integer", "string", "array", "object"];

type Check = (argument: Value, depth: number) => string | null;

const nonNegative: Check = (argument) =>
  typeof argument === "number" && Number.isInteger(argument) && argument >= 0 ? null : "must be a length";
const finite: Check = (argument) => (typeof argument === "number" ? null : "must be a number");

/** The keywords there are, and what each one's argument must be. A validator knows these and no others. */
const KEYWORDS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["type", checkType],
  ["enum", (argument) => (Array.isArray(argument) ? null : "must be a list")],
  ["const", () => null],
  ["required", (argument) => (isNames(argument) ? null : "must be a list of names")],
  ["properties", checkProperties],
  ["items", check],
  ["minimum", finite],
  ["maximum", finite],
  ["minLength", nonNegative],
  ["maxLength", nonNegative],
  ["minItems", nonNegative],
  ["maxItems", nonNegative],
]);

/**
 * Why a schema can't be used, or null if it can. Only the part of JSON Schema is used that can be checked in time that the
 * schema and the value bound: `type`, `enum`, `const`, `required`, `properties`, `items`, `minimum`, `maximum` and lengths.
 */
export function checkSchema(schema: Value): string | null {
  return check(schema, 0);
}

function check(schema: Value, depth: number): string | null {
  if (!isObject(schema)) return "a schema must be an object";
  if (depth >= MAX_DEPTH) return `a schema is nested deeper than ${MAX_DEPTH} levels`;
  for (const keyword of Object.keys(schema)) {
    const fault = KEYWORDS.get(keyword)?.(schema[keyword]!, depth + 1);
    if (fault === undefined) return `the keyword ${JSON.stringify(keyword)} is not supported`;
    if (fault !== null) return `${keyword}: ${fault}`;
  }
  return null;
}

function checkType(argument: Value): string | null {
  const types = isList(argument) ? argument : [argument];
  const known = types.every((type) => typeof type === "string" && TYPES.includes(type));
  return known && types.length > 0 ? null : "must be a type's name, or a list of them";
}

function checkProperties(argument: Value, depth: number): string | null {
  if (!isObject(argument)) return "must be an object";
  for (const name of Object.keys(argument)) {
    const fault = check(argument[name]!, depth);
    if (fault !== null) return `${name}: ${fault}`;
  }
  return null;
}

/** Why a value doesn't fit a schema that `checkSchema` has passed, or null if it does. Bytes are of no type. */
export function fits(value: Value, schema: Value): string | null {
  return mismatch(value, isObject(schema) ? schema : {}, "value");
}

function mismatch(value: Value, schema: ValueObject, place: string): string | null {
  const { type, minimum, maximum, minLength, maxLength } = schema;
  if (type !== undefined && !(isList(type) ? type : [type]).some((name) => isOf(value, name))) {
    return `${place} must be of type ${isList(type) ? type.join(" or ") : String(type)}`;
  }
  if (isList(schema["enum"]) && !schema["enum"].some((allowed) => equal(value, allowed))) {
    return `${place} must be one of ${canonicalJson(schema["enum"])}`;
  }
  if (schema["const"] !== undefined && !equal(value, schema["const"])) {
    return `${place} must be ${canonicalJson(schema["const"])}`;
  }
  if (typeof value === "number") return within(value, minimum, maximum, place);
  if (typeof value === "string" && (minLength ?? maxLength) !== undefined) {
    return within(codePoints(value), minLength, maxLength, `the length of ${place}`);
  }
  if (isList(value)) return mismatchInList(value, schema, place);
  return isObject(value) ? mismatchInObject(value, schema, place) : null;
}

function mismatchInList(list: readonly Value[], schema: ValueObject, place: string): string | null {
  const fault = within(list.length, schema["minItems"], schema["maxItems"], `the length of ${place}`);
  const { items } = schema;
  if (fault !== null || items === undefined || !isObject(items)) return fault;
  for (let i = 0; i < list.length; i++) {
    const inner = mismatch(list[i]!, items, `${place}[${i}]`);
    if (inner !== null) return inner;
  }
  return null;
}

function mismatchInObject(object: ValueObject, schema: ValueObject, place: string): string | null {
  const { required, properties } = schema;
  for (const name of isNames(required) ? required : []) {
    if (!Object.hasOwn(object, name)) return `${place} must have ${JSON.stringify(name)}`;
  }
  if (properties === undefined || !isObject(properties)) return null;
  for (const name of Object.keys(properties)) {
    if (!Object.hasOwn(object, name)) continue;
    const fault = mismatch(object[name]!, properties[name] as ValueObject, `${place}.${name}`);
    if (fault !== null) return fault;
  }
  return null;
}

function within(
  size: number,
  least: Value | undefined,
  most: Value | undefined,
  place: string,
): string | null {
  if (typeof least === "number" && size < least) return `${place} must be at least ${least}`;
  if (typeof most === "number" && size > most) return `${place} must be at most ${most}`;
  return null;
}

function isOf(value: Value, type: Value): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function equal(a: Value, b: Value): boolean {
  return a === b || (typeof a === "object" && typeof b === "object" && canonicalJson(a) === canonicalJson(b));
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function isNames(value: Value | undefined): value is readonly string[] {
  return isList(value) && value.every((name) => typeof name === "string");
}
