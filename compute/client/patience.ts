/** How long the client keeps trying when a stream breaks or a service is busy. Times are milliseconds. */
export interface Patience {
  /** Tries in a row without a node completing, after which it gives up. */
  readonly tries: number;
  /** The first wait; each further one is twice as long … */
  readonly firstMs: number;
  /** … up to this. A service that asks for longer (`Retry-After`) is not waited for. */
  readonly longestMs: number;
}

export const DEFAULT_PATIENCE: Patience = { tries: 6, firstMs: 250, longestMs: 30_000 };

/**
 * The wait before the next try, or null to give up. `failures` counts those in a row, from 1; `random` is in [0, 1).
 * Half of each wait is random, so that the clients of a service that went away don't come back at once.
 */
export function nextWait(
  patience: Patience,
  failures: number,
  retryAfterMs: number | undefined,
  random: number,
): number | null {
  if (failures >= patience.tries) return null;
  const doubled = patience.firstMs * 2 ** Math.min(failures - 1, 30);
  const backoff = Math.min(doubled, patience.longestMs) * (0.5 + random / 2);
  if (retryAfterMs === undefined) return backoff;
  // What the service asks for is a lower bound: the jitter comes on top of it.
  return retryAfterMs > patience.longestMs ? null : retryAfterMs + backoff;
}

/** Reads a `Retry-After` header (RFC 9110, 10.2.3): seconds or a date. In milliseconds from `now`. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
