/** Which of the numbers 0, 1, 2 … have been seen. Takes room only for those that came before a smaller one. */
export class Indices {
  /** All below it have been seen. */
  #next = 0;
  #ahead: Set<number> | null = null;

  /** Notes a number; false if it had been seen. */
  add(index: number): boolean {
    if (index < this.#next || this.#ahead?.has(index)) return false;
    if (index === this.#next) {
      this.#next += 1;
      while (this.#ahead?.delete(this.#next)) this.#next += 1;
    } else {
      this.#ahead ??= new Set();
      this.#ahead.add(index);
    }
    return true;
  }
}
