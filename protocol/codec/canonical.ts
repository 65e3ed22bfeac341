import { NodeflowError } from "../error.ts";
import { toBase64 } from "./base64.ts";
import { WRITE_DEPTH } from "./bounds.ts";
import { markerKey, Secret } from "./marker.ts";

/**
 * The one text of a value (RFC 8785, with the markers of the JSON wire): what hashes are made of. Lone surrogates, which
 * the RFC refuses, are written as escapes, as JSON.stringify does, so that every text has a hash. What JSON leaves out
 * (undefined, functions) is left out.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (depth > WRITE_DEPTH) throw new NodeflowError("INVALID_REQUEST", "A value is nested too deeply");
  if (Array.isArray(value)) {
    let out = "[";
    for (let i = 0; i < value.length; i++) out += (i === 0 ? "" : ",") + write(value[i], depth + 1);
    return `${out}]`;
  }
  if (value instanceof Uint8Array) return `{"$bytes":"${toBase64(value)}"}`;
  if (value instanceof Secret) return `{"$secret":${JSON.stringify(value.name)}}`;
  if ("toJSON" in value && typeof value.toJSON === "function") return write(value.toJSON(), depth + 1);
  return writeObject(value as Record<string, unknown>, depth);
}

function writeObject(object: Record<string, unknown>, depth: number): string {
  const escaped = markerKey(object, "json") !== null;
  let out = "{";
  for (const key of Object.keys(object).sort()) {
    const inner = object[key];
    if (inner === undefined || typeof inner === "function" || typeof inner === "symbol") continue;
    if (out.length > 1) out += ",";
    out += `${JSON.stringify(escaped ? `$${key}` : key)}:${write(inner, depth + 1)}`;
  }
  return `${out}}`;
}

function scalar(value: unknown): string {
  if (typeof value === "bigint") throw new NodeflowError("INVALID_REQUEST", "A bigint is not a value");
  return JSON.stringify(value) ?? "null";
}
