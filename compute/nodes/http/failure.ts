import { NodeflowError } from "../../../protocol/index.ts";
import { retryAfterMs } from "./retry-after.ts";

/** What an error tells of the body that came with it. */
const EXCERPT_BYTES = 2_048;

/** Statuses other than 5xx that may be another one next time. */
const PASSING = [408, 425, 429];

/** Whether asking again, unchanged, may get another status. */
export function mayPass(status: number): boolean {
  return status >= 500 || PASSING.includes(status);
}

/** How long the body of such an answer is waited for: its status says the most. */
const PATIENCE_MS = 1_000;

/** What an answer says whose status isn't 2xx. */
export async function answerFailure(
  response: Response,
  what: string,
  { sleep }: { readonly sleep: (ms: number) => Promise<void> },
): Promise<NodeflowError> {
  const { status, headers } = response;
  const wait = retryAfterMs(headers, Date.now());
  const body = await excerpt(response, sleep(PATIENCE_MS));
  return new NodeflowError("UPSTREAM_ERROR", `${what} answered ${status}`, {
    retryable: mayPass(status),
    details: { status, ...(body !== "" && { body }), ...(wait !== null && { retryAfterMs: wait }) },
  });
}

/** The beginning of a body, or as much of it as comes in time and before it breaks off. */
async function excerpt({ body }: Response, late: Promise<void>): Promise<string> {
  if (!body) return "";
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  const read = async () => {
    for (let left = EXCERPT_BYTES; left > 0; ) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.byteLength;
    }
  };
  try {
    await Promise.race([read(), late]);
  } catch {
    // The status says enough.
  } finally {
    reader.cancel().catch(() => undefined);
  }
  return text;
}
