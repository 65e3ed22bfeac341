import { z } from "zod";

interface CodeEntry {
  /** HTTP status when the error answers a request. */
  readonly status: number;
  /** Whether trying again, unchanged, can succeed. */
  readonly retryable: boolean;
}

/**
 * Every error code there is, once: its HTTP status and whether trying again can help.
 * Codes of a run travel in updates; their status is used only by answers in one JSON object.
 */
export const ERROR_CODES = {
  // Requests
  INVALID_REQUEST: { status: 400, retryable: false },
  UNAUTHENTICATED: { status: 401, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false },
  INVALID_WORKFLOW: { status: 422, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  CAPACITY_EXCEEDED: { status: 503, retryable: true },
  DRAINING: { status: 503, retryable: true },
  INTERNAL: { status: 500, retryable: false },
  // Runs
  NODE_FAILED: { status: 422, retryable: true },
  NODE_TIMEOUT: { status: 422, retryable: true },
  EXECUTION_TIMEOUT: { status: 422, retryable: false },
  INVALID_INPUT: { status: 422, retryable: false },
  OUTPUT_TOO_LARGE: { status: 422, retryable: false },
  ITERATION_LIMIT: { status: 422, retryable: false },
  EXPRESSION_ERROR: { status: 422, retryable: false },
  SANDBOX_VIOLATION: { status: 422, retryable: false },
  RESOURCE_EXHAUSTED: { status: 422, retryable: false },
  UPSTREAM_ERROR: { status: 422, retryable: true },
  SECRET_NOT_FOUND: { status: 422, retryable: false },
  PEER_LOST: { status: 422, retryable: true },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What can be wrong with a workflow. All issues of a workflow are reported at once. */
export const ISSUE_CODES = [
  "INVALID_NODE_ID",
  "DUPLICATE_NODE_ID",
  "UNKNOWN_NODE_TYPE",
  "INVALID_NODE_DATA",
  "INVALID_EDGE_SOURCE",
  "INVALID_EDGE_TARGET",
  "UNKNOWN_HANDLE",
  "HANDLE_OCCUPIED",
  "INCOMPATIBLE_HANDLES",
  "REQUIRED_INPUT_MISSING",
  "INPUT_MISSING",
  "UNKNOWN_INPUT",
  "DUPLICATE_OUTPUT_NAME",
  "CYCLE_DETECTED",
  "GRAPH_TOO_LARGE",
  "UNSUPPORTED_ON_HOST",
] as const;

export type IssueCode = (typeof ISSUE_CODES)[number];

/** One thing that is wrong with a workflow, and where. */
export const Issue = z.object({
  code: z.enum(ISSUE_CODES),
  message: z.string(),
  /** JSON Pointer (RFC 6901) into the request, e.g. `/workflow/nodes/3/data/to`. */
  path: z.string(),
  nodeId: z.string().optional(),
  edgeId: z.string().optional(),
  handle: z.string().optional(),
});
export type Issue = z.infer<typeof Issue>;

/** An error as it travels: in updates, in answers, between peers. Unknown codes of later versions are kept. */
export const ErrorInfo = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  nodeId: z.string().optional(),
  attempt: z.number().int().optional(),
  details: z.unknown().optional(),
});
export type ErrorInfo = z.infer<typeof ErrorInfo>;

export interface ErrorOptions {
  readonly retryable?: boolean;
  readonly nodeId?: string;
  readonly attempt?: number;
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** The one error class. `retryable` follows the table unless the thrower knows better. */
export class NodeflowError extends Error {
  override readonly name = "NodeflowError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly nodeId?: string;
  readonly attempt?: number;
  readonly details?: unknown;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    if (options.nodeId !== undefined) this.nodeId = options.nodeId;
    if (options.attempt !== undefined) this.attempt = options.attempt;
    if (options.details !== undefined) this.details = options.details;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  toJSON(): ErrorInfo {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.nodeId !== undefined && { nodeId: this.nodeId }),
      ...(this.attempt !== undefined && { attempt: this.attempt }),
      ...(this.details !== undefined && { details: this.details }),
    };
  }
}

/** The error for a workflow with issues: all of them, and a message that names the first. */
export function invalidWorkflow(issues: readonly Issue[]): NodeflowError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  const message = first ? `${first.message}${more}` : "The workflow is invalid";
  return new NodeflowError("INVALID_WORKFLOW", message, { details: issues });
}
