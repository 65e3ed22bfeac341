import metered from "../../../node_modules/.cache/quickjs/metered.wasm";
import { createQuickjsSandbox } from "../quickjs/quickjs.ts";
import type { Sandbox } from "../sandbox.ts";

/** An isolate has 128 MB for everything that it serves. */
const PLACES = 2;
const MAX_MEMORY_MB = 24;

export interface WorkersSandboxOptions {
  /** Lets the isolate answer others while a program computes. */
  readonly turn: () => Promise<void>;
  readonly maxValueBytes?: number;
}

/** Programs on Workers: on QuickJS, in this isolate. */
export function createWorkersSandbox(options: WorkersSandboxOptions): Sandbox {
  return createQuickjsSandbox({ module: metered, places: PLACES, maxMemoryMb: MAX_MEMORY_MB, ...options });
}
