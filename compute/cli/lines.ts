import { once } from "node:events";
import type { Writable } from "node:stream";
import { type ExecutionUpdate, updateToJson } from "../../protocol/index.ts";

/** One update a line on a stream that may be slow, or gone. */
export async function writeLines(
  updates: AsyncIterable<ExecutionUpdate>,
  out: Writable,
  gone: AbortSignal,
): Promise<void> {
  for await (const update of updates) {
    if (gone.aborted) return;
    if (out.write(`${updateToJson(update)}\n`)) continue;
    try {
      await once(out, "drain", { signal: gone });
    } catch {
      // Whoever read this has gone: leaving the loop cancels the run.
      return;
    }
  }
}
