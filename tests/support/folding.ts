import type { UpdateOf, Value } from "../../protocol/index.ts";

type Output = Pick<UpdateOf<"node-output">, "mode" | "value" | "index">;

/** The value of one output handle, from its emissions: written a second time, to check `fold` with. */
export class Folding {
  #value: Value | undefined;
  #items: { readonly value: Value; readonly index: number }[] = [];

  add(output: Output): void {
    if (output.mode === "set") {
      this.#items = [];
      this.#value = output.value;
    } else if (output.mode === "item") {
      this.#value = undefined;
      this.#items.push({ value: output.value, index: output.index ?? this.#items.length });
    } else this.#value = extended(this.#value, output.value);
  }

  get value(): Value | undefined {
    if (this.#items.length === 0) return this.#value;
    return this.#items.toSorted((a, b) => a.index - b.index).map((item) => item.value);
  }
}

function extended(value: Value | undefined, by: Value): Value {
  if (value === undefined) return by;
  if (typeof value === "string" && typeof by === "string") return value + by;
  if (value instanceof Uint8Array && by instanceof Uint8Array) return Uint8Array.of(...value, ...by);
  throw new TypeError("append to what is neither text nor bytes");
}
