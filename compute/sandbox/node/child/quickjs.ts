import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Call } from "../../quickjs/call.ts";
import { takeImage } from "../../quickjs/image.ts";
import { meter } from "../../quickjs/meter.ts";
import { CAN_SUSPEND, compile } from "../../quickjs/web-assembly.ts";
import type { LogLevel } from "../../sandbox.ts";
import type { Engine, Log, Started, Taken } from "./engine.ts";

/** Steps between two looks at the channel. */
const SLICE = 1_000_000;

/** QuickJS, where V8's isolates can't be had: slow, but as closed. The process ends what takes too long, as it does for V8. */
export async function quickjsEngine(log: Log): Promise<Engine> {
  const path = fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
  const module = await compile(meter(await readFile(path)));
  const image = await takeImage(module);
  const refuel = (mayWait: boolean) => (mayWait && CAN_SUSPEND ? turn().then(() => SLICE) : SLICE);
  return {
    name: "QuickJS",
    async start({ script, given, memoryMb }) {
      // The last thing that hosts write; programs of `wasm` are ours.
      if (given[0].endsWith('"wasm":true}')) return withoutWasm;
      const written = (level: string, message: string) => log(level as LogLevel, message);
      const call = await Call.create({ module, image, memoryMb, log: written, refuel });
      let begun = false;
      return {
        async step() {
          try {
            if (!begun) await call.begin(script, given);
            begun = true;
            // The host checks what it is.
            return (await call.step()) as unknown as Taken;
          } catch (error) {
            if (call.isFull) throw new Error("There is no memory left", { cause: error });
            return ["failed", JSON.stringify(described(error))];
          }
        },
        end: () => undefined,
      };
    },
    refresh: async () => undefined,
  };
}

/** QuickJS knows no WebAssembly. */
const withoutWasm: Started = {
  step: async () => [
    "failed",
    JSON.stringify({
      unfit: true,
      message: "WebAssembly needs isolated-vm, which isn't installed on this host",
    }),
  ],
  end: () => undefined,
};

/** As a guest describes errors: of its own, or of the stack that WebAssembly ran out of. */
function described(error: unknown): { readonly name: string; readonly message: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
