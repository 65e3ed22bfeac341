/** The outgoing connections of one run: so many at once, the rest wait in the order in which they asked. */
export class Connections {
  readonly #most: number;
  readonly #waiting = new Set<(connection: Disposable) => void>();
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** One at once, if there is room. */
  take(): Disposable | null {
    return this.#open < this.#most ? this.#connection() : null;
  }

  /** One as soon as there is room. `giveUp` leaves the queue, and gives back what was handed over in between. */
  whenFree(): { readonly connection: Promise<Disposable>; giveUp(): void } {
    const { promise, resolve } = Promise.withResolvers<Disposable>();
    this.#waiting.add(resolve);
    return {
      connection: promise,
      giveUp: () => {
        // Whoever is no longer in the queue has one, or will have it in a moment.
        if (!this.#waiting.delete(resolve)) void promise.then((connection) => connection[Symbol.dispose]());
      },
    };
  }

  #connection(): Disposable {
    this.#open += 1;
    let closed = false;
    return {
      [Symbol.dispose]: () => {
        if (closed) return;
        closed = true;
        this.#open -= 1;
        this.#next();
      },
    };
  }

  #next(): void {
    const [next] = this.#waiting;
    if (!next) return;
    this.#waiting.delete(next);
    next(this.#connection());
  }
}
