/**
 * Work that can be interrupted: a generator that yields whenever it may pause. On a server, long synchronous work (parsing,
 * planning or hashing a graph of 100,000 nodes) would keep every other run waiting. A pause costs more than a look at one
 * node, so loops over nodes and edges pause every `NODES_A_STEP` of them, after about a tenth of a millisecond.
 */
export type Steps<T> = Generator<void, T, void>;

/** Nodes, edges or entries that are looked at between two pauses. */
export const NODES_A_STEP = 64;

/** Runs steps to their end without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
