/** Where heavy nodes run on Node, so that they never hold up the event loop and can be stopped. */
import { availableParallelism } from "node:os";
import { localRunner, NearEnd, type Placement, type Runner, type Task } from "../engine/index.ts";
import { builtinNodes } from "../nodes/index.ts";
import { ProcessPool } from "./node-process-pool.ts";
import { webClock } from "./web.ts";

export interface PoolOptions {
  /**
   * A module that exports `nodeTypes`, a list of node types of your own. Processes of the pool load it. Without it only
   * built-in types run there.
   */
  readonly types?: URL;
  /** Processes that compute at once; as many as there are cores if absent. */
  readonly processes?: number;
  /** Memory of each, in MB, without what typed arrays hold. */
  readonly memoryMb?: number;
  /** Processes beyond the first end when they have had nothing to do for so long. */
  readonly idleMs?: number;
}

export interface PoolRunner extends Runner, AsyncDisposable {
  /** Ends the processes. Attempts that they run fail. */
  close(): Promise<void>;
}

const DEFAULT_MEMORY_MB = 1_024;
const DEFAULT_IDLE_MS = 30_000;

/** How long a node that is to stop has, before its process is killed. */
const GRACE_MS = 40;

/**
 * Runs heavy nodes in processes of their own, one attempt at a time, and everything else in this thread. Processes are
 * started when they are first needed. Attempts that find none free wait for one, holding their run's slot; so at most
 * `maxConcurrency` of each run wait. One whose attempt waits for others makes way for another: what it waits for may
 * be an attempt that has no process yet.
 */
export function poolRunner(options: PoolOptions = {}): PoolRunner {
  const size = {
    most: Math.max(1, options.processes ?? availableParallelism()),
    warm: 1,
    idleMs: options.idleMs ?? DEFAULT_IDLE_MS,
  };
  const memoryMb = options.memoryMb ?? DEFAULT_MEMORY_MB;
  const pool = new ProcessPool(size, { types: options.types, memoryMb });
  const clock = webClock();

  async function place(task: Task): Promise<Placement> {
    const { signal } = task.context;
    const process = await pool.acquire(signal);
    if (signal.aborted) {
      // Its run ended with the very attempt that has made room.
      pool.release(process, true);
      throw signal.reason;
    }
    if (!(await process.ready).has(task.node.type)) {
      pool.release(process, true);
      return await localRunner.start(task);
    }
    // The process may have ended its part long before its last emissions are read.
    let held = true;
    const port = process.open((reusable) => {
      held = false;
      pool.release(process, reusable);
    });
    return {
      executor: { kind: "pool", id: process.id },
      emissions: new NearEnd(task, port, clock, GRACE_MS),
      disposes: true,
      waits: (waits) => {
        if (held) pool.rest(process, waits);
      },
    };
  }

  /** Types of your own that the processes don't load run here, and so do those that are given secrets. */
  function belongsHere({ node, cost, placeable }: Task): boolean {
    if (cost !== "heavy" || !placeable || node.place || node.secrets) return true;
    return !options.types && builtinNodes.get(node.type) !== node;
  }

  return {
    start: (task) => (belongsHere(task) ? localRunner.start(task) : place(task)),
    close: () => pool.close(),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
