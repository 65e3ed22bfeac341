import { NodeflowError } from "../../../protocol/index.ts";
import { mayPass } from "../http/failure.ts";
import { retryAfterMs } from "../http/retry-after.ts";

/** As far as the library's errors are read here. They also hold what was sent, so they never travel on as a cause. */
interface LibraryError {
  readonly message?: unknown;
  readonly statusCode?: unknown;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

const MAX_CHARS = 1_024;

/** What a node is told when a model doesn't answer, or not to its end. */
export function chatFailure(error: unknown, origin: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof NodeflowError) return error;
  const { message, statusCode, responseHeaders } = (error ?? {}) as LibraryError;
  const said = typeof message === "string" ? message.slice(0, MAX_CHARS) : "it failed";
  if (typeof statusCode !== "number" || statusCode < 300) {
    return new NodeflowError("UPSTREAM_ERROR", `The model at ${origin} broke off: ${said}`);
  }
  const after = retryAfterMs(new Headers(responseHeaders), Date.now());
  return new NodeflowError("UPSTREAM_ERROR", `The model at ${origin} answered ${statusCode}: ${said}`, {
    retryable: mayPass(statusCode),
    details: { status: statusCode, ...(after !== null && { retryAfterMs: after }) },
  });
}
