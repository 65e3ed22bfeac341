/**
 * Writes QuickJS as Workers have it: metered, since the platform compiles no WebAssembly at run time. wrangler runs it before it
 * bundles (`[build]` in wrangler.toml).
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { meter } from "../compute/sandbox/quickjs/meter.ts";

const from = fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
const to = fileURLToPath(new URL("../node_modules/.cache/quickjs/metered.wasm", import.meta.url));

await mkdir(dirname(to), { recursive: true });
// Another wrangler may read it at this moment: it finds the old file or the new one, whole.
const unfinished = `${to}.${process.pid}`;
await writeFile(unfinished, meter(await readFile(from)));
await rename(unfinished, to);
