import metered from "../../../node_modules/.cache/quickjs/metered.wasm";
import { createQuickjsSandbox } from "../quickjs/quickjs.ts";
import type { Sandbox } from "../sandbox.ts";

/** An isolate has 128 MB for everything that it serves. */
const PLACES = 2;
const MAX_MEMORY_MB = 24;

/** Programs on Workers: on QuickJS, in this isolate. `turn` lets the isolate answer others meanwhile. */
export function createWorkersSandbox(turn: () => Promise<void>): Sandbox {
  return createQuickjsSandbox({ module: metered, places: PLACES, maxMemoryMb: MAX_MEMORY_MB, turn });
}
