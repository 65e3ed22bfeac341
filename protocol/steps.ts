/**
 * Work that can be interrupted: a generator that yields whenever it may pause. On a server, long synchronous work (parsing,
 * planning or hashing a graph of 100,000 nodes) would keep every other run waiting.
 */
export type Steps<T> = Generator<void, T, void>;

/** Runs steps to their end without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
