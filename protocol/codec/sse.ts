import { createParser } from "eventsource-parser";
import { NodeflowError } from "../error.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import type { ExecutionUpdate } from "../update.ts";
import { updateFromJson, updateToJson } from "./json.ts";

const utf8 = new TextEncoder();

/** An update as one Server-Sent Event: `id`, `event`, and `data` of one line. */
export function encodeSse(update: ExecutionUpdate): string {
  return `id: ${update.seq}\nevent: ${update.type}\ndata: ${updateToJson(update)}\n\n`;
}

/** Several updates as one piece, for one write. */
export function encodeSseBatch(updates: readonly ExecutionUpdate[]): Uint8Array {
  let text = "";
  for (const update of updates) text += encodeSse(update);
  return utf8.encode(text);
}

/** What breaks the silence of a stream: a comment, which readers ignore. */
export const SSE_HEARTBEAT: Uint8Array = utf8.encode(":\n\n");

export interface SseEvent {
  readonly id?: string;
  /** Absent is `message`. */
  readonly event?: string;
  readonly data: string;
}

/**
 * Reads Server-Sent Events in pieces of any size, cut anywhere. What is buffered of an event that has not ended is bounded
 * by `maxUpdateBytes`.
 */
export class SseReader {
  readonly #decoder = new TextDecoder();
  readonly #parser;
  #events: SseEvent[] = [];
  #overrun = false;

  constructor(limits: Pick<Limits, "maxUpdateBytes"> = DEFAULT_LIMITS) {
    this.#parser = createParser({
      maxBufferSize: limits.maxUpdateBytes + 1_024,
      onEvent: ({ id, event, data }) => {
        this.#events.push({ ...(id !== undefined && { id }), ...(event !== undefined && { event }), data });
      },
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") this.#overrun = true;
      },
    });
  }

  /** Takes the next piece and gives the events that have become complete. Throws `PAYLOAD_TOO_LARGE`. */
  push(chunk: Uint8Array): SseEvent[] {
    if (!this.#overrun) this.#parser.feed(this.#decoder.decode(chunk, { stream: true }));
    if (this.#overrun)
      throw new NodeflowError("PAYLOAD_TOO_LARGE", "An event is larger than an update can be");
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** Reads a stream of updates. Types of later versions are left out; a half event at the end is no event. */
export class SseUpdates {
  readonly #reader: SseReader;

  constructor(limits: Pick<Limits, "maxUpdateBytes"> = DEFAULT_LIMITS) {
    this.#reader = new SseReader(limits);
  }

  push(chunk: Uint8Array): ExecutionUpdate[] {
    const updates: ExecutionUpdate[] = [];
    for (const event of this.#reader.push(chunk)) {
      const update = updateFromJson(event.data);
      if (update !== null) updates.push(update);
    }
    return updates;
  }
}
