import type { ExecutionUpdate, Metrics, Value } from "../../protocol/index.ts";

/** The metrics of a run as its reader can count them, for runs that end without telling any. */
export class Tally {
  readonly #nodes = { completed: 0, failed: 0, skipped: 0, reused: 0 };
  #began: number | null = null;
  #retries = 0;
  #emissions = 0;
  #bytes = 0;

  note(update: ExecutionUpdate, bytes: number): void {
    this.#began ??= update.timestamp;
    if (update.type === "node-completed") this.#nodes.completed += 1;
    else if (update.type === "node-reused") this.#nodes.reused += 1;
    else if (update.type === "node-skipped") this.#nodes.skipped += 1;
    else if (update.type === "node-failed") {
      if (update.willRetry) this.#retries += 1;
      else this.#nodes.failed += 1;
    } else if (update.type === "node-output") {
      this.#emissions += 1;
      this.#bytes += bytes;
    }
  }

  get completed(): number {
    return this.#nodes.completed;
  }

  metrics(now: number): Metrics {
    return {
      durationMs: this.#began === null ? 0 : Math.max(0, now - this.#began),
      nodes: { ...this.#nodes },
      retries: this.#retries,
      emissions: this.#emissions,
      bytes: this.#bytes,
      calls: 0,
    };
  }
}

const SCALAR = 8;

/** The size of a value: length of text and bytes, 8 for every other scalar. */
export function sizeOf(value: Value): number {
  let size = 0;
  const pending: Value[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === "string") size += next.length;
    else if (next instanceof Uint8Array) size += next.byteLength;
    else if (typeof next !== "object" || next === null) size += SCALAR;
    else for (const inner of Object.values(next)) pending.push(inner);
  }
  return size;
}
