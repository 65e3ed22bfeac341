import type { Mode, Value } from "../value.ts";

/**
 * The value of one output handle while it is being emitted. Adding to it costs the same however much there is: pieces are
 * joined when somebody looks.
 */
export class HandleFold {
  /** What a `set` gave, or what the pieces so far were joined to. */
  #value: Value | undefined;
  #chunks: Uint8Array[] = [];
  #items: Value[] | null = null;
  /** The place of each item, where items came with one. */
  #indexes: number[] | null = null;
  #snapshot: readonly Value[] | null = null;

  add(mode: Mode, value: Value, index?: number): void {
    if (mode === "set") this.#set(value);
    else if (mode === "item") this.#addItem(value, index);
    else this.#append(value);
  }

  /** The fold so far. It is never changed afterwards: a later look gives another list. */
  get value(): Value {
    if (this.#items !== null) {
      this.#snapshot ??= inOrder(this.#items, this.#indexes);
      return this.#snapshot;
    }
    if (this.#chunks.length > 0) {
      this.#value = join(this.#value, this.#chunks);
      this.#chunks = [];
    }
    return this.#value ?? null;
  }

  #set(value: Value): void {
    this.#value = value;
    this.#chunks = [];
    this.#items = null;
    this.#indexes = null;
    this.#snapshot = null;
  }

  #append(value: Value): void {
    // Engines keep appended text as a rope, so this doesn't copy what is there.
    if (typeof value === "string")
      this.#value = typeof this.#value === "string" ? this.#value + value : value;
    else if (value instanceof Uint8Array) this.#chunks.push(value);
  }

  #addItem(value: Value, index: number | undefined): void {
    if (this.#items === null) this.#items = Array.isArray(this.#value) ? this.#value.slice() : [];
    if (index !== undefined) {
      this.#indexes ??= this.#items.map((_, at) => at);
      this.#indexes.push(index);
    } else {
      this.#indexes?.push(Number.POSITIVE_INFINITY);
    }
    this.#items.push(value);
    this.#snapshot = null;
  }
}

function inOrder(items: readonly Value[], indexes: readonly number[] | null): readonly Value[] {
  if (indexes === null) return items.slice();
  const places = items.map((_, at) => at).sort((a, b) => indexes[a]! - indexes[b]! || a - b);
  return places.map((at) => items[at]!);
}

function join(head: Value | undefined, chunks: readonly Uint8Array[]): Uint8Array {
  const all = head instanceof Uint8Array ? [head, ...chunks] : chunks;
  if (all.length === 1) return all[0]!;
  const joined = new Uint8Array(all.reduce((size, chunk) => size + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of all) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}
