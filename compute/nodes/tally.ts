/** Reports may follow each other closely at first; then each waits for this share more. */
const STEP = 0.01;

/**
 * Progress over a number of items that is known only at the end: a report for each of the first hundred, then one for
 * each further percent. There is no clock in nodes, so that reports are rationed by count.
 */
export class Tally {
  readonly #report: (completed: number, total?: number) => void;
  #completed = 0;
  #due = 1;

  constructor(report: (completed: number, total?: number) => void) {
    this.#report = report;
  }

  count(): void {
    this.#completed += 1;
    if (this.#completed < this.#due) return;
    this.#due = this.#completed + Math.max(1, Math.floor(this.#completed * STEP));
    this.#report(this.#completed);
  }

  /** All there was to count has been counted. */
  end(total: number): void {
    if (total > 0) this.#report(total, total);
  }
}
