/**
 * Markers: how bytes and secrets are written where the wire has no type for them. An object with the single key `$bytes`
 * or `$secret` is a marker; a user's own object with such a key, or with the same key behind more dollars, is written
 * with one more `$` and read with one less. MessagePack has bytes, so only secrets are markers there.
 */
export type Wire = "json" | "msgpack";

const JSON_KEY = /^\$+(?:bytes|secret)$/;
const MSGPACK_KEY = /^\$+secret$/;
const DOLLAR = 36;

/**
 * A secret named in posted data, to be filled in by the host. It is a class of its own so that no value can pass for it:
 * what users write as an object stays an object.
 */
export class Secret {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get name(): string {
    return this.#name;
  }

  toJSON(): { readonly $secret: string } {
    return { $secret: this.#name };
  }
}

/** The single key of an object, if it is one that a marker could have; else null. */
export function markerKey(object: object, wire: Wire): string | null {
  let found: string | null = null;
  for (const key in object) {
    if (found !== null || key.charCodeAt(0) !== DOLLAR) return null;
    found = key;
  }
  return found !== null && (wire === "json" ? JSON_KEY : MSGPACK_KEY).test(found) ? found : null;
}

/** The JSON Pointer (RFC 6901) of a key or index inside `pointer`. */
export function pointerTo(pointer: string, key: string | number): string {
  return typeof key === "number"
    ? `${pointer}/${key}`
    : `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Where a secret stands inside a value, as a JSON Pointer relative to it, or null if there is none. */
export function findSecret(value: unknown): string | null {
  const pending: [value: unknown, pointer: string][] = [[value, ""]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [inner, pointer] = next;
    if (inner instanceof Secret) return pointer;
    if (typeof inner !== "object" || inner === null || inner instanceof Uint8Array) continue;
    for (const [key, child] of Object.entries(inner)) {
      if (typeof child !== "object" || child === null) continue;
      pending.push([child, pointerTo(pointer, key)]);
    }
  }
  return null;
}
