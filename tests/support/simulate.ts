import { createEngine, type Execution, type NodeType, type NodeTypes } from "../../compute/engine/index.ts";
import { localRunner } from "../../compute/engine/runner.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import {
  DEFAULT_LIMITS,
  ExecuteRequest,
  type ExecuteRequestInput,
  type ExecutionUpdate,
  isTerminal,
  type Limits,
} from "../../protocol/index.ts";
import { VirtualClock } from "./clock.ts";
import { Ledger, testNodes } from "./nodes.ts";
import { Prng } from "./random.ts";

/** When and how a run is stopped: at the so-manieth update. */
export interface Stop {
  readonly after: number;
  /** `signal`: the caller's signal is aborted. `cancel`: `cancel()`. `leave`: the iteration is ended early. */
  readonly by: "signal" | "cancel" | "leave";
}

export interface SimulateOptions {
  readonly seed?: number;
  readonly mode?: "running" | "workers";
  readonly limits?: Partial<Limits>;
  readonly stop?: Stop;
  /** Further node types. */
  readonly types?: readonly NodeType[];
  /** What the reader does between two updates. */
  readonly pause?: (clock: VirtualClock, update: ExecutionUpdate) => Promise<void>;
  /** Where to go on writing, if the run goes on from others. */
  readonly ledger?: Ledger;
  /** Reads in batches, as a server does. */
  readonly batches?: boolean;
}

export interface Simulated {
  readonly updates: readonly ExecutionUpdate[];
  readonly ledger: Ledger;
  /** What went wrong beside the stream: a deadlock, something left behind, something seen by a node. */
  readonly problems: readonly string[];
}

/** An abort signal that knows how many listen to it. */
class CountedAbort {
  readonly controller = new AbortController();
  listeners = 0;

  constructor() {
    const { signal } = this.controller;
    const { addEventListener, removeEventListener } = signal;
    const known = new Set<unknown>();
    signal.addEventListener = (...args: unknown[]) => {
      known.add(args[1]);
      this.listeners = known.size;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      known.delete(args[1]);
      this.listeners = known.size;
      Reflect.apply(removeEventListener, signal, args);
    };
  }
}

const STUCK: unique symbol = Symbol("stuck");

/** Runs a workflow with built-in and test nodes in virtual time, to its end, and looks at what it leaves behind. */
export async function simulate(
  request: ExecuteRequestInput,
  options: SimulateOptions = {},
): Promise<Simulated> {
  const seed = options.seed ?? 1;
  const clock = new VirtualClock({ seed, mode: options.mode ?? "running" });
  const ledger = options.ledger ?? new Ledger();
  const types: NodeTypes = new Map([
    ...builtinNodes,
    ...[...testNodes(ledger), ...(options.types ?? [])].map((type) => [type.type, type] as const),
  ]);
  const engine = createEngine({
    runtime: "node",
    types,
    runner: localRunner,
    clock,
    random: new Prng(seed).bytes,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  });
  const abort = new CountedAbort();
  const updates: ExecutionUpdate[] = [];
  const problems: string[] = [];
  const orStuck = async <T>(work: Promise<T>): Promise<T | typeof STUCK> =>
    await Promise.race<T | typeof STUCK>([work, clock.idle().then((): typeof STUCK => STUCK)]);

  const prepared = await orStuck(engine.prepare(ExecuteRequest.parse(request)));
  if (prepared === STUCK) return { updates, ledger, problems: ["preparing never ends"] };
  const execution = prepared.start({ signal: abort.controller.signal });
  const read = await orStuck(consume(execution, updates, abort.controller, options, clock));
  if (read === STUCK) problems.push("deadlock: nothing is pending and the run has not ended");
  else if ((await orStuck(execution.closed)) === STUCK) problems.push("`closed` never resolves");

  const { timers } = clock.pending;
  if (timers > 0) problems.push(`left behind: ${timers} timers`);
  // A turn that was waited for comes soon by itself; what goes on taking turns does not end.
  await settled(clock);
  if (clock.pending.turns > 0) problems.push("left behind: something that goes on taking turns");
  if (ledger.open > 0) problems.push(`left behind: ${ledger.open} iterators`);
  if (ledger.disposed !== ledger.starts.length) {
    problems.push(`${ledger.starts.length} attempts and ${ledger.disposed} disposals`);
  }
  if (abort.listeners > 0) problems.push(`left behind: ${abort.listeners} listeners of the caller's signal`);
  if (options.stop?.by !== "leave" && !updates.some(isTerminal)) problems.push("no terminal update");
  clock.stop();
  return { updates, ledger, problems: [...problems, ...ledger.violations] };
}

const LAST_TURNS = 5;

async function settled(clock: VirtualClock): Promise<void> {
  for (let turn = 0; turn < LAST_TURNS && clock.pending.turns > 0; turn += 1) await new Promise(setImmediate);
}

async function consume(
  execution: Execution,
  updates: ExecutionUpdate[],
  abort: AbortController,
  { stop, batches, pause }: SimulateOptions,
  clock: VirtualClock,
): Promise<void> {
  const take = (update: ExecutionUpdate): boolean => {
    updates.push(update);
    if (updates.length !== stop?.after) return true;
    if (stop.by === "signal") abort.abort();
    else if (stop.by === "cancel") execution.cancel("shutdown");
    return stop.by !== "leave";
  };
  if (batches) {
    for await (const batch of execution.batches()) if (!batch.every(take)) return;
  } else {
    for await (const update of execution) {
      if (!take(update)) return;
      await pause?.(clock, update);
    }
  }
}
