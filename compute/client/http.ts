import { ERROR_CODES, type ErrorCode, ErrorInfo, NodeflowError } from "../../protocol/index.ts";
import type { Clock } from "./clock.ts";
import { parseRetryAfter } from "./patience.ts";
import { Interruption } from "./transport.ts";

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** How services are reached. */
export interface HttpConfig {
  /** Where the services are; further ones are gone to when one fails. At least one. */
  readonly urls: readonly string[];
  readonly token?: string | undefined;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** One exchange with a service. Throws an `Interruption` where another try may succeed, else a `NodeflowError`. */
export async function call(
  config: HttpConfig,
  base: string,
  path: string,
  init: RequestInit,
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (config.token !== undefined) headers.set("authorization", `Bearer ${config.token}`);
  let response: Response;
  try {
    response = await config.fetch(base.replace(/\/+$/, "") + path, { ...init, headers });
  } catch (cause) {
    throw new Interruption(`${base} can't be reached${reasonOf(cause)}`, { cause });
  }
  if (!response.ok) throw await refusal(response, base, config.clock.now());
  return response;
}

/** The JSON that a service answers with. */
export async function callJson(
  config: HttpConfig,
  base: string,
  path: string,
  init: RequestInit,
): Promise<unknown> {
  const response = await call(config, base, path, init);
  try {
    return await response.json();
  } catch (cause) {
    throw new NodeflowError("UPSTREAM_ERROR", `${base}${path} did not answer with JSON`, { cause });
  }
}

/** Statuses of proxies and services that mean "not now", where the body doesn't say. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);
const MAX_ERROR_CHARS = 1_000_000;

async function refusal(response: Response, base: string, now: number): Promise<Error> {
  const error = await errorOf(response);
  const retryable = error?.retryable ?? TRANSIENT.has(response.status);
  const message = error?.message ?? `${base} answered ${response.status}`;
  if (retryable) {
    const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), now);
    return new Interruption(message, { retryAfterMs, ...(error && { error }) });
  }
  return new NodeflowError(codeOf(error, response.status), message, {
    retryable: false,
    details: error?.details,
  });
}

async function errorOf(response: Response): Promise<ErrorInfo | undefined> {
  try {
    const text = await response.text();
    if (text.length > MAX_ERROR_CHARS) return undefined;
    const body = JSON.parse(text) as { error?: unknown } | null;
    const parsed = ErrorInfo.safeParse(body?.error);
    return parsed.success ? parsed.data : undefined;
  } catch {
    // A proxy's page, or a body that broke off: the status alone must do.
    return undefined;
  }
}

function codeOf(error: ErrorInfo | undefined, status: number): ErrorCode {
  if (error && Object.hasOwn(ERROR_CODES, error.code)) return error.code as ErrorCode;
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  return codes.find((code) => ERROR_CODES[code].status === status) ?? "UPSTREAM_ERROR";
}

/** `fetch` hides the reason behind its own error. */
function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return "";
  const code = "code" in inner && typeof inner.code === "string" ? inner.code : inner.message;
  return `: ${code}`;
}
