import type { ExecutionUpdate, Mode, UpdateOf, Value } from "../../protocol/index.ts";
import type { Mapping } from "./mapped.ts";

/**
 * A piece of one handle's output. Applied in order, pieces give its value: `set` replaces, `append` extends text or bytes,
 * `item` adds an element to a list (at `index`, where items come out of order).
 */
export interface Piece {
  readonly mode: Mode;
  readonly value: Value;
  readonly index?: number;
}

const NOTHING: Mapping<Piece> = { items: [] };

/** Follows the output of one handle through the updates of a run. */
export class Follower {
  readonly #path: string;
  readonly #handle: string;
  /** What the output is when nothing has been emitted, as far as the mode of its pieces has told. */
  #empty: Value = null;
  #begun = false;

  constructor(path: string, handle: string) {
    this.#path = path;
    this.#handle = handle;
  }

  /** What there is so far. */
  begin(value: Value | undefined): readonly Piece[] {
    return value === undefined ? [] : [this.#tell({ mode: "set", value })];
  }

  /** What one update adds; `last` if nothing can follow. */
  follow(update: ExecutionUpdate): Mapping<Piece> {
    switch (update.type) {
      case "node-output":
        return update.nodeId === this.#path && update.handle === this.#handle
          ? { items: [this.#tell(piece(update))] }
          : NOTHING;
      case "node-reset":
        return this.#isUnder(update.nodeId) ? { items: this.#withdraw() } : NOTHING;
      case "node-failed":
        return update.nodeId === this.#path && !update.willRetry ? { items: this.#withdraw() } : NOTHING;
      // Only what is on top is final: whatever is inside a container can still be withdrawn with it.
      case "node-completed":
      case "node-reused":
      case "node-skipped":
        return !update.nodeId.includes("/") && this.#isUnder(update.nodeId)
          ? { items: [], last: true }
          : NOTHING;
      default:
        return NOTHING;
    }
  }

  #isUnder(path: string): boolean {
    return this.#path === path || this.#path.startsWith(`${path}/`);
  }

  #tell(piece: Piece): Piece {
    this.#begun = true;
    this.#empty = emptyOf(piece);
    return piece;
  }

  #withdraw(): readonly Piece[] {
    if (!this.#begun) return [];
    this.#begun = false;
    return [{ mode: "set", value: this.#empty }];
  }
}

function piece({ mode, value, index }: UpdateOf<"node-output">): Piece {
  return index === undefined ? { mode, value } : { mode, value, index };
}

function emptyOf({ mode, value }: Piece): Value {
  if (mode === "item" || Array.isArray(value)) return [];
  if (value instanceof Uint8Array) return new Uint8Array(0);
  return mode === "append" || typeof value === "string" ? "" : null;
}
