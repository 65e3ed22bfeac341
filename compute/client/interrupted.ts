import { type Checkpoint, NodeflowError } from "../../protocol/index.ts";

/**
 * A run whose end is unknown, and which the client doesn't take up by itself: it has tried often enough, or doing so
 * could repeat an effect. The checkpoint lets the caller do it.
 */
export class RunInterrupted extends NodeflowError {
  /** Absent if the run never began. */
  readonly checkpoint: Checkpoint | undefined;
  /** Nodes that began as effectful and have not completed: whether they had their effect isn't known. */
  readonly inDoubt: readonly string[];

  constructor(
    message: string,
    options: {
      readonly checkpoint: Checkpoint | undefined;
      readonly inDoubt: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super("UPSTREAM_ERROR", message, { retryable: true, cause: options.cause });
    this.checkpoint = options.checkpoint;
    this.inDoubt = options.inDoubt;
  }
}
