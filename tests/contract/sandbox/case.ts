import type { Job, LogLevel, Sandbox } from "../../../compute/sandbox/index.ts";
import { compileProgram } from "../../../compute/sandbox/index.ts";
import { type ErrorCode, NodeflowError, type Value } from "../../../protocol/index.ts";

/** One program, what it is given, and what must come of it on every host. Data only, so that pages and workers can run it too. */
export interface SandboxCase {
  readonly rule: string;
  readonly source: string;
  readonly inputs?: Readonly<Record<string, Value>>;
  readonly stream?: boolean;
  readonly seed?: string;
  readonly timeoutMs?: number;
  /** The values it gives, in order, before it ends or fails. */
  readonly gives?: readonly Value[];
  readonly fails?: {
    readonly code: ErrorCode | readonly ErrorCode[];
    /** The whole message, or a part of it where engines word it differently. */
    readonly message?: string;
    readonly says?: string;
    readonly retryable?: boolean;
  };
  readonly logs?: readonly (readonly [LogLevel, string])[];
}

/** What came of a case. */
export interface SandboxResult {
  readonly values: Value[];
  readonly logs: [LogLevel, string][];
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

export const SEED = "a seed";
export const MEMORY_MB = 64;
export const TIMEOUT_MS = 5_000;

export type JobOptions = Partial<Omit<Job, "program">> & { readonly source: string };

/** A job as the suite asks for it, unless it says otherwise. */
export function jobOf({ source, ...options }: JobOptions): Job {
  return {
    program: compileProgram(source),
    inputs: {},
    stream: false,
    seed: SEED,
    owner: "somebody",
    group: "group",
    memoryMb: MEMORY_MB,
    timeoutMs: TIMEOUT_MS,
    log: () => undefined,
    ...options,
  };
}

/** Runs a case to its end. */
export async function runCase(sandbox: Sandbox, given: SandboxCase): Promise<SandboxResult> {
  const values: Value[] = [];
  const logs: [LogLevel, string][] = [];
  const { source, inputs = {}, stream = false, seed = SEED, timeoutMs = TIMEOUT_MS } = given;
  try {
    const log = (level: LogLevel, message: string) => void logs.push([level, message]);
    const job = jobOf({ source, inputs, stream, seed, timeoutMs, log });
    for await (const value of await sandbox.start(job, new AbortController().signal)) values.push(value);
    return { values, logs };
  } catch (error) {
    if (!(error instanceof NodeflowError)) throw error;
    const { code, message, retryable } = error;
    return { values, logs, error: { code, message, retryable } };
  }
}
