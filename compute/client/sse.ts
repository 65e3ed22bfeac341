import { NodeflowError, SseReader, updateFromJson } from "../../protocol/index.ts";
import { type Arrival, Interruption } from "./transport.ts";

/** The updates that a stream of Server-Sent Events brings. Whatever isn't one breaks the stream. */
export async function* arrivals(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Arrival, void, void> {
  const reader = new SseReader();
  for await (const chunk of chunks) {
    for (const arrival of read(reader, chunk)) yield arrival;
  }
}

function read(reader: SseReader, chunk: Uint8Array): Arrival[] {
  try {
    return reader.push(chunk).map(({ id, data }) => {
      const update = updateFromJson(data);
      return { seq: update?.seq ?? Number(id), update };
    });
  } catch (cause) {
    if (!(cause instanceof NodeflowError)) throw cause;
    throw new Interruption(`The stream is damaged: ${cause.message}`, { cause });
  }
}
