/**
 * Time and the event loop, as the engine sees them. Hosts implement it on real timers, tests on virtual ones.
 * On a host whose clock stands still while it computes (Cloudflare Workers), `now` may return the same value for long;
 * nothing in the engine depends on it to make progress.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once, not before `ms` have passed. */
  setTimer(callback: () => void, ms: number): Timer;
  /** Resolves after the event loop has had a turn: I/O, timers and other runs were served. */
  turn(): Promise<void>;
}

export interface Timer {
  /** Never throws; after it, the callback isn't called. */
  cancel(): void;
}

/** Unpredictable bytes, for execution ids and seeds. */
export type Random = (bytes: number) => Uint8Array;
