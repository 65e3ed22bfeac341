const KEPT = 101;
const DIGITS = 100;

/** Times from the arrival of a request to the first bytes of its answer, the last hundred of them. */
export class Latency {
  readonly #times: number[] = [];
  #at = 0;

  add(ms: number): void {
    this.#times[this.#at] = ms;
    this.#at = (this.#at + 1) % KEPT;
  }

  /** Milliseconds; 0 before the first run, and on hosts whose clock stands still while they compute. */
  get median(): number {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return Math.round((sorted[sorted.length >> 1] ?? 0) * DIGITS) / DIGITS;
  }
}
