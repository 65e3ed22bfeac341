import type { Value } from "../../protocol/index.ts";

/** A value on its way over a border: JSON text, and the buffers that `{"$":i}` in it stands for. */
export type Packed = readonly [text: string, ...buffers: ArrayBuffer[]];

const MARKED = /^\$+$/;

/** Packs what a program is given. Bytes are copied, so that nothing is shared. */
export function pack(value: unknown): Packed {
  const buffers: ArrayBuffer[] = [];
  const text = JSON.stringify(value, (_name, part: unknown) => {
    if (part instanceof Uint8Array) {
      buffers.push(part.slice().buffer);
      return new Marker({ $: buffers.length - 1 });
    }
    return isMarked(part) ? escaped(part) : part;
  });
  return [text, ...buffers];
}

/** Not a plain object, so that it isn't escaped in its turn. */
class Marker {
  constructor(fields: Readonly<Record<string, unknown>>) {
    Object.assign(this, fields);
  }
}

function escaped(object: Record<string, unknown>): Marker {
  const [[name, value]] = Object.entries(object) as [[string, unknown]];
  return new Marker({ [`${name}$`]: value });
}

function isMarked(part: unknown): part is Record<string, unknown> {
  if (typeof part !== "object" || part === null || Array.isArray(part) || part instanceof Marker)
    return false;
  const [name, another] = Object.keys(part);
  return name !== undefined && another === undefined && MARKED.test(name);
}

/** Unpacks what a program gave: hostile, whatever it says. Throws a `SyntaxError` if it isn't what a guest packs. */
export function unpack([text, ...buffers]: Packed): Value {
  const value: unknown = JSON.parse(text);
  return buffers.length === 0 && !text.includes('"$') ? (value as Value) : revive(value, buffers);
}

function revive(value: unknown, buffers: readonly ArrayBuffer[]): Value {
  if (typeof value !== "object" || value === null) return value as Value;
  if (Array.isArray(value)) return value.map((element) => revive(element, buffers));
  const object = value as Record<string, unknown>;
  const names = Object.keys(object);
  const [name] = names;
  if (names.length === 1 && name !== undefined && MARKED.test(name)) {
    if (name !== "$") return { [name.slice(1)]: revive(object[name], buffers) };
    const buffer = buffers[object["$"] as number];
    if (!(buffer instanceof ArrayBuffer)) throw new SyntaxError("There is no such buffer");
    return new Uint8Array(buffer);
  }
  if (Object.hasOwn(object, "__proto__")) throw new SyntaxError("A key can't be named __proto__");
  for (const key of names) object[key] = revive(object[key], buffers);
  return object as Value;
}
