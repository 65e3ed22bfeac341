import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ERROR_CODES, type ErrorCode, NodeflowError } from "../../protocol/index.ts";
import type { ServiceEnv } from "./config.ts";

export interface AnswerOptions {
  /** Instead of the status of the code in the table. */
  readonly status?: ContentfulStatusCode;
  readonly executionId?: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
}

/** Whole seconds, at least one, for `Retry-After`. */
export function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** Answers a request with an error: one envelope for everything that can go wrong before a stream starts. */
export function answerError(
  c: Context<ServiceEnv>,
  error: NodeflowError,
  options: AnswerOptions = {},
): Response {
  const traceId = c.get("traceId");
  if (options.retryAfter !== undefined) c.header("retry-after", String(options.retryAfter));
  c.header("cache-control", "no-store");
  return c.json(
    {
      error: {
        ...error.toJSON(),
        ...(options.executionId !== undefined && { executionId: options.executionId }),
        ...(traceId !== undefined && { traceId }),
      },
    },
    options.status ?? (ERROR_CODES[error.code].status as ContentfulStatusCode),
  );
}

/** Throwing this answers the request; middleware and routes use it alike. */
export class Refusal extends NodeflowError {
  readonly options: AnswerOptions;

  constructor(code: ErrorCode, message: string, options: AnswerOptions = {}) {
    super(code, message);
    this.options = options;
  }
}
