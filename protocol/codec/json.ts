import { NodeflowError } from "../error.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { ExecutionUpdate } from "../update.ts";
import type { Value } from "../value.ts";
import type { ReadLimits } from "./bounds.ts";
import { readJson } from "./json-reader.ts";
import { mark } from "./mark.ts";
import { unmark } from "./unmark.ts";
import { readUpdate } from "./update.ts";
import { updateText } from "./update-text.ts";

/** A value as JSON, with markers. Values without bytes and without keys that look like markers aren't copied. */
export function encodeJson(value: Value): string {
  return JSON.stringify(mark(value, "json"));
}

/** The value that a JSON text stands for. Throws `INVALID_REQUEST` or `PAYLOAD_TOO_LARGE`. */
export function decodeJson(text: string | Uint8Array, limits: ReadLimits = DEFAULT_LIMITS): Value {
  return unmark(readJson(text, limits), { wire: "json" }) as Value;
}

/** An update as one line of JSON. */
export function updateToJson(update: ExecutionUpdate): string {
  return updateText(update);
}

/** The update that a line of JSON stands for; null for types of later versions. Throws `INVALID_REQUEST`. */
export function updateFromJson(text: string): ExecutionUpdate | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new NodeflowError("INVALID_REQUEST", "An update is not JSON", { cause });
  }
  return readUpdate(raw, "json");
}
