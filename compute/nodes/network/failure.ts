import { NodeflowError } from "../../../protocol/index.ts";

/** Trying the same again would fail in the same way. */
const FINAL = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_INVALID_ARG",
]);

/**
 * What a node is told when there is no answer. Of the host's error only its code is passed on, and never the error itself:
 * it may hold what was sent.
 */
export function networkFailure(error: unknown, { origin }: URL, signal: AbortSignal): unknown {
  return failure(error, signal, (code) => `${origin} can't be reached: ${code}`);
}

/** The same for an answer that ends before its end. */
export function brokenOff(error: unknown, origin: string, signal: AbortSignal): unknown {
  return failure(error, signal, (code) => `The answer of ${origin} broke off: ${code}`);
}

function failure(error: unknown, signal: AbortSignal, say: (code: string) => string): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof NodeflowError) return error;
  const code = codeOf(error) ?? "network error";
  return new NodeflowError("UPSTREAM_ERROR", shortened(say(code)), { retryable: !FINAL.has(code) });
}

const MAX_CHARS = 500;

/** A message, which may have a host's name in it that is as long as a server likes. */
export function shortened(message: string): string {
  return message.length <= MAX_CHARS
    ? message
    : `${message.slice(0, MAX_CHARS / 2)}…${message.slice(-MAX_CHARS / 2)}`;
}

/** The code of an error, or of what caused it. */
function codeOf(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if ("code" in at && typeof at.code === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(at.code)) return at.code;
    at = at instanceof AggregateError && at.cause === undefined ? at.errors[0] : at.cause;
  }
  return null;
}
