import type { CancelReason, ExecuteRequest, ExecutionUpdate, Issue, Limits } from "../../protocol/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { NodeTypes, Runtime } from "./node-type.ts";
import type { Runner } from "./runner.ts";
import type { Secrets } from "./secrets.ts";

/** What an engine stands on. Nothing of the platform reaches it in any other way. */
export interface EngineConfig {
  readonly runtime: Runtime;
  readonly types: NodeTypes;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  /** Told of faults in the engine itself, before the run that met one ends with `INTERNAL`. */
  readonly onInternalError?: (error: unknown) => void;
}

export interface PrepareOptions {
  /** Caps of this caller, where they are lower than the engine's. */
  readonly limits?: Partial<Limits>;
  /** The only node types this caller may use; others are `UNKNOWN_NODE_TYPE`. */
  readonly nodeTypes?: readonly string[];
  /** The secrets that this caller may use; none if absent. */
  readonly secrets?: Secrets;
  /** Of the request, for nodes to pass on. */
  readonly traceparent?: string;
  /** Who asks, as the host knows them: what is scarce is shared among callers. */
  readonly caller?: string;
  readonly signal?: AbortSignal;
}

export interface StartOptions {
  /** Aborting it cancels the run with reason `client`. */
  readonly signal?: AbortSignal;
  readonly traceId?: string;
}

/** A run that can begin: its graph is valid and planned. Begin it once. */
export interface Prepared {
  readonly executionId: string;
  start(options?: StartOptions): Execution;
}

/**
 * A run under way. Reading it drives it: unread updates hold it back. Ending the iteration early cancels the run with
 * reason `disconnect`. It is read once, one by one or in batches.
 */
export interface Execution extends AsyncIterable<ExecutionUpdate> {
  readonly executionId: string;
  /** Whatever updates are ready, at least one, in order; the last batch ends with the terminal update. */
  batches(): AsyncIterableIterator<readonly ExecutionUpdate[]>;
  /** The run ends with `execution-cancelled`, unless it has ended. */
  cancel(reason: CancelReason): void;
  /** Resolves when the terminal update has been made and nothing of the run is left behind. */
  readonly closed: Promise<void>;
}

export interface Validation {
  readonly valid: boolean;
  readonly issues: readonly Issue[];
  /** What is worth knowing and not wrong, e.g. a live edge that is read as settled. */
  readonly notes: readonly string[];
}

export interface Engine {
  readonly config: EngineConfig;
  /** Checks and plans a request, in slices. Rejects with `INVALID_WORKFLOW` and all issues. */
  prepare(request: ExecuteRequest, options?: PrepareOptions): Promise<Prepared>;
  /** The same checks without running. A missing input counts only where `inputs` is there. */
  validate(request: ExecuteRequest, options?: PrepareOptions): Promise<Validation>;
}
