const SECONDS = /^\s*(\d{1,9})\s*$/;

/** How long a `Retry-After` asks to wait (RFC 9110, section 10.2.3): seconds, or a date; null without one. */
export function retryAfterMs(headers: Pick<Headers, "get">, now: number): number | null {
  const header = headers.get("retry-after");
  if (header === null) return null;
  const [, seconds] = SECONDS.exec(header) ?? [];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const until = Date.parse(header);
  if (Number.isNaN(until)) return null;
  // The date is by the server's clock, and so is the one it answered at.
  const theirs = Date.parse(headers.get("date") ?? "");
  return Math.max(0, until - (Number.isNaN(theirs) ? now : theirs));
}
