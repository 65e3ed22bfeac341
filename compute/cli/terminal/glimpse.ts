import { isObject, type Value } from "../../../protocol/index.ts";
import { plural } from "./text.ts";

const MAX_FIELDS = 8;
const MAX_TEXT = 60;

/** A value in a few words. It looks at few of its fields, and into none, so that it costs the same for any value. */
export function glimpse(value: Value): string {
  if (!isObject(value)) return short(value);
  const names: string[] = [];
  let more = false;
  for (const name in value) {
    more = names.length === MAX_FIELDS;
    if (more) break;
    names.push(name);
  }
  const fields = names.map((name) => `${name.slice(0, MAX_TEXT)}: ${short(value[name] ?? null)}`);
  return `{${[...fields, ...(more ? ["…"] : [])].join(", ")}}`;
}

function short(value: Value): string {
  if (value instanceof Uint8Array) return plural(value.byteLength, "byte");
  if (Array.isArray(value)) return `[${value.length === 0 ? "" : "…"}]`;
  if (isObject(value)) return "{…}";
  return typeof value === "string" && value.length > MAX_TEXT
    ? `${JSON.stringify(value.slice(0, MAX_TEXT)).slice(0, -1)}…"`
    : JSON.stringify(value);
}
