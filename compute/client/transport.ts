import {
  ERROR_CODES,
  type ErrorCode,
  type ErrorInfo,
  type ExecuteRequest,
  type ExecutionUpdate,
  NodeflowError,
} from "../../protocol/index.ts";

/**
 * The way to one executor: a service over HTTP, the engine in this process, a mesh. It knows nothing of resuming.
 */
export interface Transport {
  /**
   * Begins a run and gives its updates as they come; not reading is back pressure, and ending the iteration early or
   * aborting `signal` cancels the run. Throws an `Interruption` where another try may succeed, else a `NodeflowError`.
   */
  execute(request: ExecuteRequest, signal: AbortSignal): AsyncIterable<Arrival>;
  /** Asks to end a run with a terminal update. False where only closing the connection does that. Never rejects. */
  cancel(executionId: string): Promise<boolean>;
}

/** An update as it arrived. Those of types that this version doesn't know are null; they count in `seq` all the same. */
export interface Arrival {
  readonly seq: number;
  readonly update: ExecutionUpdate | null;
}

/** The way broke, or was not free: the run may be all right, and another try may succeed. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  /** What the service asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What the service said, if it said something. */
  readonly error: ErrorInfo | undefined;

  constructor(
    message: string,
    options: {
      readonly cause?: unknown;
      readonly retryAfterMs?: number | undefined;
      readonly error?: ErrorInfo;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
    this.error = options.error;
  }
}

/** For callers that don't try again. */
export function asError(interruption: Interruption): NodeflowError {
  const { error, message } = interruption;
  const code = error && Object.hasOwn(ERROR_CODES, error.code) ? (error.code as ErrorCode) : "UPSTREAM_ERROR";
  return new NodeflowError(code, message, { retryable: true, cause: interruption });
}
