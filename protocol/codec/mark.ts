import { NodeflowError } from "../error.ts";
import { toBase64 } from "./base64.ts";
import { WRITE_DEPTH } from "./bounds.ts";
import { markerKey, Secret, type Wire } from "./marker.ts";

/**
 * A value as it is written on a wire: with markers for bytes and secrets, and users' own objects that look like markers
 * escaped. Without either it is the very same value: nothing is copied but what leads to a marker.
 */
export function mark(value: unknown, wire: Wire): unknown {
  return typeof value === "object" && value !== null ? markObject(value, wire, 0) : value;
}

function markObject(value: object, wire: Wire, depth: number): unknown {
  if (depth > WRITE_DEPTH) throw new NodeflowError("INVALID_REQUEST", "A value is nested too deeply");
  if (Array.isArray(value)) return markList(value, wire, depth);
  if (value instanceof Uint8Array) return wire === "json" ? { $bytes: toBase64(value) } : value;
  if (value instanceof Secret) return value.toJSON();
  const key = markerKey(value, wire);
  const object = value as Record<string, unknown>;
  if (key !== null) return { [`$${key}`]: markInner(object[key], wire, depth) };
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(object)) {
    const inner = object[name];
    if (typeof inner !== "object" || inner === null) continue;
    const marked = markObject(inner, wire, depth + 1);
    if (marked === inner) continue;
    copy ??= { ...object };
    copy[name] = marked;
  }
  return copy ?? value;
}

function markList(list: readonly unknown[], wire: Wire, depth: number): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (let i = 0; i < list.length; i++) {
    const inner = list[i];
    if (typeof inner !== "object" || inner === null) continue;
    const marked = markObject(inner, wire, depth + 1);
    if (marked === inner) continue;
    copy ??= list.slice();
    copy[i] = marked;
  }
  return copy ?? list;
}

function markInner(inner: unknown, wire: Wire, depth: number): unknown {
  return typeof inner === "object" && inner !== null ? markObject(inner, wire, depth + 1) : inner;
}

/** A record of values by name: its keys are names, so that the record itself is never taken for a marker. */
export function markRecord<T>(
  record: Readonly<Record<string, T>>,
  wire: Wire,
): Readonly<Record<string, unknown>> {
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(record)) {
    const marked = mark(record[name], wire);
    if (marked === record[name]) continue;
    copy ??= { ...record };
    copy[name] = marked;
  }
  return copy ?? record;
}
