import { createQuickjsSandbox } from "../../compute/sandbox/quickjs/quickjs.ts";
import { quickjsModule } from "../support/quickjs.ts";
import { sandboxContract } from "./sandbox.ts";
import { escapesContract } from "./sandbox-escapes.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

sandboxContract("QuickJS, where the clock stands still", async () =>
  createQuickjsSandbox({ module: await quickjsModule(), places: 2, maxMemoryMb: 64, turn }),
);

sandboxContract("QuickJS with a clock", async () =>
  createQuickjsSandbox({
    module: await quickjsModule(),
    places: 2,
    maxMemoryMb: 64,
    turn,
    now: () => performance.now(),
  }),
);

escapesContract("QuickJS", async () =>
  createQuickjsSandbox({
    module: await quickjsModule(),
    places: 2,
    maxMemoryMb: 64,
    turn,
    now: () => performance.now(),
  }),
);
