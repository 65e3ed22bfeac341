import { NodeflowError } from "../../../protocol/index.ts";
import { retryAfterMs } from "./retry-after.ts";

/** What an error tells of the body that came with it. */
const EXCERPT_BYTES = 2_048;

/** Statuses other than 5xx that may be another one next time. */
const PASSING = [408, 425, 429];

/** What an answer says whose status isn't 2xx. */
export async function answerFailure(response: Response, what: string): Promise<NodeflowError> {
  const { status, headers } = response;
  const wait = retryAfterMs(headers, Date.now());
  const body = await excerpt(response);
  return new NodeflowError("UPSTREAM_ERROR", `${what} answered ${status}`, {
    retryable: status >= 500 || PASSING.includes(status),
    details: { status, ...(body !== "" && { body }), ...(wait !== null && { retryAfterMs: wait }) },
  });
}

/** The beginning of a body, or as much of it as comes before it breaks off. */
async function excerpt({ body }: Response): Promise<string> {
  if (!body) return "";
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  let left = EXCERPT_BYTES;
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      text += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.byteLength;
    }
  } catch {
    // The status says enough.
  } finally {
    reader.cancel().catch(() => undefined);
  }
  return text;
}
