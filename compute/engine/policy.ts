import type { Retry } from "../../protocol/index.ts";
import { measure, NodeflowError } from "../../protocol/index.ts";
import type { Clock, Random, Timer } from "./clock.ts";

/** Whether a node may be tried again. */
export function retries(retry: Retry | undefined): boolean {
  return retry !== undefined && retry.maxAttempts > 1;
}

/** How long to wait before the attempt that follows `failures` failures, in milliseconds. */
export function retryDelay(retry: Retry, failures: number, random: Random): number {
  const delay = Math.min(retry.delayMs * retry.factor ** (failures - 1), retry.maxDelayMs);
  if (retry.jitter === 0) return delay;
  const [byte = 0] = random(1);
  return Math.round(delay * (1 - (retry.jitter * byte) / 256));
}

/** However long an upstream asks to be left alone, no retry waits longer for it. */
const MAX_RETRY_AFTER_MS = 600_000;

/** How long the next attempt must wait because whoever was called asked for it, in `details.retryAfterMs`. */
export function retryAfter({ details }: NodeflowError): number {
  if (typeof details !== "object" || details === null || !("retryAfterMs" in details)) return 0;
  const { retryAfterMs } = details;
  if (typeof retryAfterMs !== "number" || !(retryAfterMs >= 0) || retryAfterMs === Number.POSITIVE_INFINITY)
    return 0;
  return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
}

/** What an error may say, in UTF-16 units; and its details in bytes and levels. It travels in updates, as a whole. */
const MAX_MESSAGE = 4_096;
const MAX_DETAILS_BYTES = 16 * 1_024;
const MAX_DETAILS_DEPTH = 32;

/**
 * What went wrong, with its place. An error that isn't ours says what it says, and may go away by itself. Details that are
 * too large, or no value, are left out.
 */
export function nodeError(error: unknown, nodeId: string, attempt: number): NodeflowError {
  if (!(error instanceof NodeflowError)) {
    const message =
      error instanceof Error && typeof error.message === "string" && error.message !== ""
        ? error.message
        : "The node failed";
    return new NodeflowError("NODE_FAILED", message.slice(0, MAX_MESSAGE), { nodeId, attempt, cause: error });
  }
  if (error.nodeId !== undefined) return error;
  const { code, message, retryable, cause } = error;
  const details = isSmall(error.details) ? error.details : undefined;
  return new NodeflowError(code, message.slice(0, MAX_MESSAGE), {
    retryable,
    nodeId,
    attempt,
    details,
    cause,
  });
}

function isSmall(details: unknown): boolean {
  if (details === undefined) return true;
  const tally = { weight: 0 };
  try {
    measure(details, MAX_DETAILS_DEPTH, MAX_DETAILS_BYTES, "details", tally);
    return tally.weight <= MAX_DETAILS_BYTES;
  } catch {
    // It is no value, or it is too large.
    return false;
  }
}

/**
 * `timeoutMs` and `idleTimeoutMs` of one attempt: they run only while the node itself is waited for. It pauses and goes
 * on often, so its timer is left alone: one that comes too early is set again for the rest.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #expired: (error: NodeflowError) => void;
  readonly #idleMs: number;
  #left: number;
  #idleLeft: number;
  /** When it was last looked at, while it runs. */
  #since: number | null = null;
  #timer: Timer | null = null;
  /** Whether the timer comes too early. */
  #early = false;

  constructor(
    clock: Clock,
    timeoutMs: number | undefined,
    idleTimeoutMs: number | undefined,
    expired: (error: NodeflowError) => void,
  ) {
    this.#clock = clock;
    this.#expired = expired;
    this.#left = timeoutMs ?? Number.POSITIVE_INFINITY;
    this.#idleMs = idleTimeoutMs ?? Number.POSITIVE_INFINITY;
    this.#idleLeft = this.#idleMs;
  }

  resume(): void {
    if (this.#since !== null) return;
    this.#since = this.#clock.now();
    if (this.#timer) return;
    this.#early = false;
    const left = Math.max(0, Math.min(this.#idleLeft, this.#left));
    this.#timer = this.#clock.setTimer(() => this.#due(), left);
  }

  pause(): void {
    if (this.#since === null) return;
    const spent = this.#clock.now() - this.#since;
    this.#since = null;
    this.#left -= spent;
    this.#idleLeft -= spent;
    this.#early = true;
  }

  /** The node has emitted something. */
  emitted(): void {
    if (this.#idleMs === Number.POSITIVE_INFINITY) return;
    const running = this.#since !== null;
    this.pause();
    this.#idleLeft = this.#idleMs;
    if (running) this.resume();
  }

  /** It never expires. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #due(): void {
    this.#timer = null;
    if (this.#since === null) return;
    const early = this.#early;
    this.pause();
    if (early && this.#left > 0 && this.#idleLeft > 0) {
      this.resume();
      return;
    }
    const message =
      this.#idleLeft < this.#left
        ? `The node emitted nothing for ${this.#idleMs} ms`
        : "The node took longer than its timeoutMs";
    this.#expired(new NodeflowError("NODE_TIMEOUT", message));
  }
}
