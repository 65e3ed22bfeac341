import { NodeflowError } from "../../../protocol/index.ts";

function tooLarge(maxBytes: number): NodeflowError {
  return new NodeflowError("PAYLOAD_TOO_LARGE", `The body is larger than ${maxBytes} bytes`);
}

/**
 * A body that says it is no longer than `mostBytes`, in one piece, which is quicker; null if it is longer, or doesn't say.
 * `content-length` only spares reading what says itself that it is too large, and is believed in nothing else. Rejects with
 * `PAYLOAD_TOO_LARGE`, or `INVALID_REQUEST` where the body breaks off.
 */
export async function wholeBody(
  request: Request,
  mostBytes: number,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (!(declared <= mostBytes)) return null;
  const whole = new Uint8Array(await unbroken(request.arrayBuffer()));
  if (whole.length > maxBytes) throw tooLarge(maxBytes);
  return whole;
}

/** The pieces of a body as they arrive, counted. Rejects as `wholeBody` does. */
export async function* piecesOf(request: Request, maxBytes: number): AsyncGenerator<Uint8Array, void, void> {
  if (!request.body) return;
  const reader = request.body.getReader();
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await unbroken(reader.read());
      if (done) return;
      read += value.length;
      if (read > maxBytes) throw tooLarge(maxBytes);
      yield value;
    }
  } finally {
    // Also after an error: the rest of the body isn't wanted. Its sender may be gone, which changes nothing.
    reader.cancel().catch(() => {});
  }
}

async function unbroken<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new NodeflowError("INVALID_REQUEST", "The body broke off", { cause });
  }
}
