import type { Value } from "../../protocol/index.ts";
import type { Program } from "./program.ts";

/** What a sandbox is asked to run: one call of one program, in a context of its own. */
export interface Job {
  readonly program: Program;
  /** Copied in. What the program's default export is called with. */
  readonly inputs: Readonly<Record<string, Value>>;
  /** True: the default export gives an iterable, whose elements are pulled one by one. False: it gives one value. */
  readonly stream: boolean;
  /** Of `Math.random`: equal seeds give equal numbers on every host. */
  readonly seed: string;
  /** Jobs of one group may follow each other in one isolate, never in one context. Of different groups, never in either. */
  readonly group: string;
  /** Whose job it is: places are shared among owners first, then among groups. */
  readonly owner: string;
  /** Everything that the program allocates, in MiB. Beyond: `RESOURCE_EXHAUSTED`. */
  readonly memoryMb: number;
  /** Time that the program computes, in ms; waiting for whoever reads doesn't count. Beyond: `NODE_TIMEOUT`. */
  readonly timeoutMs: number;
  /** What the program writes with `console`. Called at most 1,000 times a job, with at most 4,096 characters. */
  readonly log: (level: LogLevel, message: string) => void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A job under way: its values, pulled one by one. `return()` ends it at once, whatever it computes. */
export interface Values extends AsyncIterableIterator<Value, undefined> {
  /** Told when whoever reads has no room for more, and when there is room again. */
  waits?(waits: boolean): void;
}

/**
 * Where programs of strangers run and can be stopped. What a program does reaches nothing but its own result.
 *
 * Errors that reading `Values` rejects with: `NODE_FAILED` (the program threw; its message, and the line), `NODE_TIMEOUT`,
 * `RESOURCE_EXHAUSTED`, `SANDBOX_VIOLATION` (it reached for what isn't there to be had), `OUTPUT_TOO_LARGE`.
 */
export interface Sandbox {
  /** How programs are kept apart here, e.g. `isolated-vm`. */
  readonly engine: string;
  /** What this host can't promise, one sentence each, for `GET /capabilities`. */
  readonly notes: readonly string[];
  /** Resolves once there is a place, and the job has it. Rejects with the signal's reason if that comes first. */
  start(job: Job, signal: AbortSignal): Promise<Values>;
  /** Ends every job and every place. */
  close(): Promise<void>;
}
