const SECONDS = /^\s*(\d{1,9})\s*$/;
const DATE = /^\s*[A-Za-z]{3,9}, \d{2}[ -][A-Za-z]{3}[ -]\d{2,4} [\d:]{8} GMT\s*$/;

/** How long a `Retry-After` asks to wait (RFC 9110, section 10.2.3): seconds, or a date; null without one. */
export function retryAfterMs(headers: Pick<Headers, "get">, now: number): number | null {
  const header = headers.get("retry-after");
  if (header === null) return null;
  const [, seconds] = SECONDS.exec(header) ?? [];
  if (seconds !== undefined) return Number(seconds) * 1000;
  // JavaScript reads dates in many texts that aren't any.
  const until = DATE.test(header) ? Date.parse(header) : Number.NaN;
  if (Number.isNaN(until)) return null;
  // The date is by the server's clock, and so is the one it answered at.
  const theirs = Date.parse(headers.get("date") ?? "");
  return Math.max(0, until - (Number.isNaN(theirs) ? now : theirs));
}
