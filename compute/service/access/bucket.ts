import type { Clock } from "../../engine/index.ts";

/** A token bucket: so many requests a second over time, so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Principals remembered at once. Beyond, the one seen longest ago is forgotten, which only refills its bucket. */
const MAX_PRINCIPALS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Counts requests per principal. */
export class Buckets {
  readonly #rate: Rate;
  readonly #clock: Clock;
  /** In the order of last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes one token. Gives 0, or the milliseconds until there will be one. */
  take(principal: string): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const known = this.#buckets.get(principal);
    const elapsed = known ? Math.max(0, now - known.at) : 0;
    const tokens = known ? Math.min(burst, known.tokens + (elapsed * perSecond) / 1000) : burst;
    const enough = tokens >= 1;
    this.#buckets.delete(principal);
    this.#buckets.set(principal, { tokens: enough ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > MAX_PRINCIPALS) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return enough ? 0 : ((1 - tokens) * 1000) / perSecond;
  }
}
