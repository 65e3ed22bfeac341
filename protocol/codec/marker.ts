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
