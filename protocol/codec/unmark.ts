import { NodeflowError } from "../error.ts";
import type { Steps } from "../steps.ts";
import { fromBase64 } from "./base64.ts";
import { markerKey, Secret, type Wire } from "./marker.ts";
import { locate, pointerTo } from "./pointer.ts";

export interface UnmarkOptions {
  readonly wire: Wire;
  /** Whether secrets may be named here. */
  readonly secrets?: boolean;
  /** Where the value stands in what was posted, for errors. */
  readonly pointer?: string;
}

/** Elements looked at between two pauses. */
const SLICE = 2_048;

/**
 * Reads markers: turns a value from the wire into a value. It takes the value over and changes it in place, since it has
 * just been parsed and nobody else has it. Throws `INVALID_REQUEST` with the place for a marker that stands for nothing, a
 * secret where there can be none, and the key `__proto__`, which would change a prototype somewhere sooner or later.
 */
export function unmark(value: unknown, options: UnmarkOptions): unknown {
  const walk = new Walk(value, options);
  walk.advance(Number.POSITIVE_INFINITY);
  return walk.root;
}

/** The same in steps, for large values. */
export function* unmarkSteps(value: unknown, options: UnmarkOptions): Steps<unknown> {
  const walk = new Walk(value, options);
  while (!walk.advance(SLICE)) yield;
  return walk.root;
}

class Walk {
  readonly root: unknown;
  readonly #options: UnmarkOptions;
  /** Objects and lists that are still to be looked into; of lists, from which element on. */
  readonly #pending: object[] = [];
  readonly #from: number[] = [];

  constructor(value: unknown, options: UnmarkOptions) {
    this.#options = options;
    this.root = value;
    if (typeof value !== "object" || value === null) return;
    this.root = this.#resolve(value, value);
  }

  /** Looks at about `elements` more; true once there are no more. */
  advance(elements: number): boolean {
    let left = elements;
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      const from = this.#from.pop()!;
      if (left <= 0) {
        this.#push(next, from);
        return false;
      }
      left -= Array.isArray(next) ? this.#list(next, from, left) : this.#object(next);
    }
    return true;
  }

  #push(object: object, from: number): void {
    this.#pending.push(object);
    this.#from.push(from);
  }

  #list(list: unknown[], from: number, most: number): number {
    const end = Math.min(list.length, from + most);
    // The rest waits beneath what is found here.
    if (end < list.length) this.#push(list, end);
    for (let i = from; i < end; i++) {
      const inner = list[i];
      if (typeof inner === "object" && inner !== null) list[i] = this.#resolve(inner, list, i);
    }
    return end - from + 1;
  }

  #object(object: object): number {
    const own = object as Record<string, unknown>;
    const keys = Object.keys(own);
    for (const key of keys) {
      if (key === "__proto__") throw this.#fault(object, key, "the key __proto__ is refused");
      const inner = own[key];
      if (typeof inner === "object" && inner !== null) own[key] = this.#resolve(inner, object, key);
    }
    return keys.length + 1;
  }

  /** What an object stands for; if it stands for itself, it is looked into later. */
  #resolve(inner: object, holder: object, key?: string | number): unknown {
    if (inner instanceof Uint8Array) return inner;
    const found = Array.isArray(inner) ? null : markerKey(inner, this.#options.wire);
    if (found === null) {
      this.#push(inner, 0);
      return inner;
    }
    const content = (inner as Record<string, unknown>)[found];
    if (found.startsWith("$$")) {
      const own = { [found.slice(1)]: content };
      this.#push(own, 0);
      return own;
    }
    if (found === "$bytes") {
      const bytes = typeof content === "string" ? fromBase64(content) : null;
      if (bytes === null) throw this.#fault(holder, key, "$bytes is not followed by base64 text");
      return bytes;
    }
    if (this.#options.secrets !== true)
      throw this.#fault(holder, key, "a secret can be named only in a node's data");
    if (typeof content !== "string" || content === "" || content.length > 256) {
      throw this.#fault(holder, key, "$secret is not followed by a name");
    }
    return new Secret(content);
  }

  #fault(holder: object, key: string | number | undefined, what: string): NodeflowError {
    const inside = locate(this.root, (inner) => inner === holder) ?? "";
    const base = (this.#options.pointer ?? "") + inside;
    const path = key === undefined ? base : pointerTo(base, key);
    return new NodeflowError("INVALID_REQUEST", `${path === "" ? "/" : path}: ${what}`, {
      details: [{ path, message: what }],
    });
  }
}

/** Where a secret stands inside a value, as a JSON Pointer relative to it, or null if there is none. */
export function findSecret(value: unknown): string | null {
  return locate(value, (inner) => inner instanceof Secret);
}
