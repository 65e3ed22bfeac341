import type { Setting } from "../../../../compute/nodes/expression/meter.ts";

/** What a node gives an evaluation. */
export function setting(seed = "seed"): Setting {
  return {
    seed,
    signal: new AbortController().signal,
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
}
