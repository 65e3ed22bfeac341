import type { Value } from "../../protocol/index.ts";
import type { LiveInput } from "../engine/index.ts";

/**
 * The items that a live input stands for: those of an items handle as they come, a list from a `value` handle element
 * by element, null as none, anything else as one. Text and bytes come whole, as one item.
 */
export async function* itemsOf(input: LiveInput | undefined): AsyncGenerator<Value, void, void> {
  if (input === undefined) return;
  if (input.kind === "items") {
    yield* input;
    return;
  }
  for await (const value of input) {
    if (input.kind !== "value") yield value;
    else if (Array.isArray(value)) yield* value as readonly Value[];
    else if (value !== null) yield value;
  }
}
