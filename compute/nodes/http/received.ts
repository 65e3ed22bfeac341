import type { NodeContext } from "../../engine/index.ts";

/** Of an answer whose length isn't known, progress is told each time so much more has come. */
const STEP_BYTES = 1024 * 1024;
/** Of one whose length is known, so many times. */
const STEPS = 100;

/** The pieces of an answer's body. Stopping early closes the connection. Tells progress in bytes. */
export async function* received(
  { body, headers }: Response,
  context: Pick<NodeContext, "progress">,
): AsyncGenerator<Uint8Array, void, void> {
  if (!body) return;
  const total = lengthOf(headers);
  const step = total === undefined ? STEP_BYTES : Math.max(1, total / STEPS);
  const reader = body.getReader();
  let bytes = 0;
  let told = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      if (bytes - told >= step) {
        told = bytes;
        context.progress(bytes, total);
      }
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** The length of what will be read; of what is compressed, only the compressed length is told. */
function lengthOf(headers: Headers): number | undefined {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") return undefined;
  const length = Number(headers.get("content-length") ?? Number.NaN);
  return Number.isSafeInteger(length) && length > 0 ? length : undefined;
}
