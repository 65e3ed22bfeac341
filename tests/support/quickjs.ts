import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { meter } from "../../compute/sandbox/quickjs/meter.ts";
import { compile } from "../../compute/sandbox/quickjs/web-assembly.ts";

/** QuickJS, metered, as hosts that may compile have it. */
export async function quickjsModule(): Promise<object> {
  const path = fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
  return await compile(meter(await readFile(path)));
}
