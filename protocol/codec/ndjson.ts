import { NodeflowError } from "../error.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import type { ExecutionUpdate } from "../update.ts";
import { updateFromJson, updateToJson } from "./json.ts";

const utf8 = new TextEncoder();

/** Several updates as one piece: one line each. */
export function encodeNdjsonBatch(updates: readonly ExecutionUpdate[]): Uint8Array {
  let text = "";
  for (const update of updates) text += `${updateToJson(update)}\n`;
  return utf8.encode(text);
}

/** What breaks the silence of a stream: an empty line, which readers ignore. */
export const NDJSON_HEARTBEAT: Uint8Array = utf8.encode("\n");

/** Reads a stream of updates, a line each, in pieces of any size. Types of later versions are left out. */
export class NdjsonUpdates {
  readonly #maxLine: number;
  readonly #decoder = new TextDecoder();
  /** Pieces of a line that hasn't ended: joined once, when it has. */
  #parts: string[] = [];
  #length = 0;

  constructor(limits: Pick<Limits, "maxUpdateBytes"> = DEFAULT_LIMITS) {
    this.#maxLine = limits.maxUpdateBytes;
  }

  /** Takes the next piece and gives the updates that have become complete. Throws `PAYLOAD_TOO_LARGE`. */
  push(chunk: Uint8Array): ExecutionUpdate[] {
    const updates: ExecutionUpdate[] = [];
    const text = this.#decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#keep(text.slice(from, end));
      from = end + 1;
      const update = this.#line();
      if (update !== null) updates.push(update);
    }
    this.#keep(text.slice(from));
    return updates;
  }

  /** The last line, if it has no line break. */
  end(): ExecutionUpdate[] {
    this.#keep(this.#decoder.decode());
    const update = this.#line();
    return update === null ? [] : [update];
  }

  #keep(part: string): void {
    if (part === "") return;
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length <= this.#maxLine) return;
    throw new NodeflowError("PAYLOAD_TOO_LARGE", "A line is larger than an update can be");
  }

  #line(): ExecutionUpdate | null {
    const line = this.#parts.join("").trim();
    this.#parts = [];
    this.#length = 0;
    return line === "" ? null : updateFromJson(line);
  }
}
