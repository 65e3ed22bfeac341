import { createQuickjsSandbox } from "../../compute/sandbox/quickjs/quickjs.ts";
import { quickjsModule } from "../support/quickjs.ts";
import { endlessContract } from "./sandbox-endless.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

// Nothing is killed here: whatever took no steps would hang this very process.
endlessContract(
  "QuickJS, where the clock stands still",
  async () => createQuickjsSandbox({ module: await quickjsModule(), places: 2, maxMemoryMb: 24, turn }),
  { timeoutMs: 100, withinMs: 3_000, memoryMb: 24 },
);
