import { ERROR_CODES, type ErrorCode, type ErrorInfo, NodeflowError } from "../../../protocol/index.ts";

const MAX_MESSAGE = 4_096;

/** An error, as it can be sent. One that isn't ours says what it says. */
export function infoOf(error: unknown): ErrorInfo {
  if (error instanceof NodeflowError) return error.toJSON();
  const message =
    error instanceof Error && typeof error.message === "string" && error.message !== ""
      ? error.message
      : "The node failed";
  return new NodeflowError("NODE_FAILED", message.slice(0, MAX_MESSAGE)).toJSON();
}

/** The error that was sent. A code that isn't known here is that of a failed node. */
export function errorOf({ code, message, retryable, details }: ErrorInfo): NodeflowError {
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : "NODE_FAILED";
  return new NodeflowError(known, message, { retryable, ...(details !== undefined && { details }) });
}
