import type { ExecutionUpdate, UpdateOf } from "../../protocol/index.ts";
import { Ledger } from "./ledger.ts";

type Reset = UpdateOf<"node-reset">;

/**
 * Sews the streams of several executors, which took up one run after another, into the one stream that the caller sees.
 * `seq` is not its business: whoever delivers the updates numbers them.
 *
 * - There is one `execution-started`, the first.
 * - What had begun and not completed is withdrawn by a `node-reset`, since the next executor starts it afresh.
 * - Attempts count on: an executor counts from 1, the caller sees that on top of what came before.
 * - What the caller has already is not told again (`node-reused`, `node-skipped`).
 */
export class Seam {
  readonly ledger = new Ledger();
  #started = false;
  /** Attempts of each path before the present executor, as far as it has named them. Null for the first executor. */
  #before: Map<string, number> | null = null;

  /** Another executor takes over. Gives the updates that withdraw what the last one left unfinished. */
  begin(timestamp: number): ExecutionUpdate[] {
    if (!this.#started) return [];
    this.#before = new Map();
    const resets = this.ledger.open().map((nodeId) => this.#reset(nodeId, timestamp));
    for (const reset of resets) this.ledger.note(reset);
    return resets;
  }

  /** What the caller sees of an update of the present executor. */
  accept(update: ExecutionUpdate): ExecutionUpdate[] {
    const sewn = this.#before === null ? [update] : this.#sew(update, this.#before);
    if (update.type === "execution-started") this.#started = true;
    for (const one of sewn) this.ledger.note(one);
    return sewn;
  }

  #sew(update: ExecutionUpdate, before: Map<string, number>): ExecutionUpdate[] {
    switch (update.type) {
      case "execution-started":
        return [];
      case "node-reused":
        return this.ledger.completed(update.nodeId) ? [] : [update];
      case "node-skipped":
        return this.ledger.skipped(update.nodeId) ? [] : [update];
      case "node-started": {
        const started = { ...update, attempt: update.attempt + this.#base(update.nodeId, before) };
        // The executor could not use what the caller has of this path, e.g. because an output had been withheld.
        const contradicts = update.attempt === 1 && this.ledger.standing(update.nodeId);
        return contradicts ? [this.#reset(update.nodeId, update.timestamp), started] : [started];
      }
      case "node-output":
      case "node-completed":
      case "node-reset":
        return [{ ...update, attempt: update.attempt + this.#base(update.nodeId, before) }];
      case "node-failed": {
        const attempt = update.attempt + this.#base(update.nodeId, before);
        const { error } = update;
        return [{ ...update, attempt, error: error.attempt === undefined ? error : { ...error, attempt } }];
      }
      default:
        return [update];
    }
  }

  #base(path: string, before: Map<string, number>): number {
    let base = before.get(path);
    if (base === undefined) {
      base = this.ledger.attempt(path);
      before.set(path, base);
    }
    return base;
  }

  #reset(nodeId: string, timestamp: number): Reset {
    return { type: "node-reset", seq: 1, timestamp, nodeId, attempt: this.ledger.attempt(nodeId) + 1 };
  }
}
