import { availableParallelism } from "node:os";
import { DEFAULT_LIMITS, NodeflowError } from "../../../protocol/index.ts";
import type { Job, Sandbox, Values } from "../sandbox.ts";
import { Allowance } from "./allowance.ts";
import { Child } from "./child.ts";
import { BOUNDED, type EngineChoice, isolates } from "./launch.ts";
import { Pool } from "./pool.ts";
import { Run } from "./run.ts";

export interface NodeSandboxOptions {
  /** Jobs that compute at once: one for each core if absent. */
  readonly children?: number;
  /** What children that are kept warm are for, in MiB. */
  readonly memoryMb?: number;
  /** The quickest that is installed if absent. */
  readonly engine?: EngineChoice;
  /** Of one value, in or out. */
  readonly maxValueBytes?: number;
  readonly logger?: { info(message: string): void; error(message: string, cause: unknown): void };
}

export interface NodeSandbox extends Sandbox {
  /** Starts children before they are needed. Resolves once they can be given jobs. */
  warm(): Promise<void>;
  /** Ids of the processes there are. */
  readonly pids: readonly number[];
}

export const DEFAULT_MEMORY_MB = 64;
/** Processes beyond those that compute: for streams that wait for their readers. */
const WAITING_PROCESSES = 32;
/** A frame is a value, its parts' lengths, and a header. */
const FRAME_BYTES = 1_048_576;

/** Children of this process run programs, each in an isolate of V8, and are killed when they don't end. */
export function createNodeSandbox(options: NodeSandboxOptions = {}): NodeSandbox {
  const { children = availableParallelism(), memoryMb = DEFAULT_MEMORY_MB, logger } = options;
  const { maxValueBytes = DEFAULT_LIMITS.maxValueBytes, engine: choice = "quickest" } = options;
  const maxFrameBytes = 2 * maxValueBytes + FRAME_BYTES;
  const allowance = new Allowance(() => new Child(memoryMb, 0, maxFrameBytes, choice));
  let engine = choice === "quickest" && isolates() ? "isolated-vm" : "QuickJS";
  const pool = new Pool({
    children,
    maxProcesses: children + WAITING_PROCESSES,
    warmMemoryMb: memoryMb,
    create(memoryMb) {
      const child = new Child(memoryMb, allowance.of(memoryMb), maxFrameBytes, choice);
      child.ready.then(
        (name) => {
          engine = name;
        },
        () => undefined,
      );
      return child;
    },
    failed: (cause) => logger?.error("A sandbox could not start", cause),
  });
  return {
    get engine() {
      return engine;
    },
    get notes() {
      return notes(engine);
    },
    get pids() {
      return pool.pids;
    },
    async start(job: Job, signal: AbortSignal): Promise<Values> {
      await allowance.known();
      const child = await taken(pool, job, signal);
      return new Run(job, child, pool, maxValueBytes);
    },
    async warm() {
      await allowance.known();
      await pool.warm();
    },
    close: () => pool.close(),
  };
}

async function taken(pool: Pool, job: Job, signal: AbortSignal): Promise<Child> {
  try {
    return await pool.take(job, signal);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new NodeflowError("NODE_FAILED", "There is no sandbox to run the program in", { cause });
  }
}

function notes(engine: string): string[] {
  const bounded = BOUNDED
    ? []
    : ["Memory of programs is bounded by their engine alone: this system doesn't bound that of a process."];
  const slow =
    engine === "QuickJS"
      ? ["Without isolated-vm programs run 30 to 100 times slower, and `wasm` fails: install it."]
      : [];
  return [
    `Programs run in ${engine}, in processes that are killed when they don't end.`,
    ...slow,
    ...bounded,
  ];
}
