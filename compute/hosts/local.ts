/** `nodeflow/engine`: the engine in this very process, with everything that it takes to run a workflow in one call. */
import {
  DEFAULT_LIMITS,
  type ExecuteRequestInput,
  type ExecutionUpdate,
  type Limits,
  parseRequest,
  type Workflow,
} from "../../protocol/index.ts";
import {
  cooperate,
  createEngine,
  type Engine,
  type Execution,
  localRunner,
  type NodeTypes,
  type Runner,
  type Secrets,
} from "../engine/index.ts";
import { builtinNodes } from "../nodes/index.ts";
import { thisRuntime } from "./runtime.ts";
import { webClock, webRandom } from "./web.ts";

export * from "../engine/index.ts";
export { webClock, webRandom } from "./web.ts";

export interface LocalOptions {
  /** The built-in types if absent. */
  readonly types?: NodeTypes;
  /** Defaults where absent. */
  readonly limits?: Partial<Limits>;
  /** Where nodes run: in this thread if absent. */
  readonly runner?: Runner;
  /** What workflows may name; none if absent. */
  readonly secrets?: Secrets;
  /** Aborting it cancels the run with reason `client`. */
  readonly signal?: AbortSignal;
}

/**
 * A run in this process. Reading it drives it, once; leaving the loop early cancels it. What is wrong with the request rejects
 * the first read with a `NodeflowError`.
 */
export interface LocalExecution extends AsyncIterable<ExecutionUpdate> {
  /** Updates in batches, as many as are ready. Either this or the iteration, not both. */
  batches(): AsyncGenerator<readonly ExecutionUpdate[], void, void>;
  /** Ends the run with `execution-cancelled`, reason `client`. */
  cancel(): void;
}

/** The engine of this host on its own clock, randomness and thread. */
export function localEngine(options: Omit<LocalOptions, "signal" | "secrets"> = {}): Engine {
  return createEngine({
    runtime: thisRuntime(),
    types: options.types ?? builtinNodes,
    runner: options.runner ?? localRunner,
    clock: webClock(),
    random: webRandom,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  });
}

/**
 * Runs what could be posted to `POST /execute`: a request or a workflow itself. Values are values here: bytes are
 * `Uint8Array`, and nothing in them is read as a marker.
 */
export function execute(request: ExecuteRequestInput | Workflow, options: LocalOptions = {}): LocalExecution {
  const engine = localEngine(options);
  const { secrets } = options;
  const cancelling = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, cancelling.signal]) : cancelling.signal;

  async function begin(): Promise<Execution> {
    const parsed = await cooperate(parseRequest(request, { wire: null }), engine.config.clock);
    const prepared = await engine.prepare(parsed, secrets && { secrets });
    return prepared.start({ signal });
  }
  async function* batches(): AsyncGenerator<readonly ExecutionUpdate[], void, void> {
    yield* (await begin()).batches();
  }
  async function* updates(): AsyncGenerator<ExecutionUpdate, void, void> {
    yield* await begin();
  }
  return { batches, [Symbol.asyncIterator]: updates, cancel: () => cancelling.abort() };
}
