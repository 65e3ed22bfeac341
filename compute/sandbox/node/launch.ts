import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** In the repository sources run as they are; in the package they are compiled. */
const ENTRY = join(HERE, "child", import.meta.url.endsWith(".ts") ? "main.ts" : "main.js");
const SHELL = "/bin/sh";
/**
 * Sets limits that the process can't lift, then becomes the process. No core files: they would hold what strangers sent. Stacks
 * of threads count as private memory in full, and isolated-vm ends the process where there is none left for another thread.
 */
const LIMITED = 'ulimit -c 0; ulimit -s 2048; [ "$1" = 0 ] || ulimit -d "$1"; shift; exec "$@"';

/** Heap of the child itself, in MiB: it copies values, and computes nothing. */
const OWN_HEAP_MB = 128;

/** Whether the system bounds what a child allocates. macOS has `ulimit` and ignores it. */
export const BOUNDED = process.platform === "linux" && existsSync(SHELL);

/** QuickJS, or the quickest engine that is installed. */
export type EngineChoice = "quickjs" | "quickest";

export interface Launched {
  readonly process: ChildProcess;
  readonly channel: Duplex;
}

/** Starts a child that may do nothing but compute, for programs of `memoryMb`. `dataKiB` bounds its private memory; 0 doesn't. */
export function launch(memoryMb: number, dataKiB: number, engine: EngineChoice): Launched {
  const command = [process.execPath, ...nodeOptions(), ENTRY, String(memoryMb), engine];
  const limited = BOUNDED ? [SHELL, "-c", LIMITED, SHELL, String(dataKiB), ...command] : command;
  const [file = "", ...args] = limited;
  const child = spawn(file, args, {
    cwd: "/",
    // libuv's own threads would only take memory.
    env: { TZ: "UTC", UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    windowsHide: true,
  });
  return { process: child, channel: child.stdio[3] as Duplex };
}

function nodeOptions(): string[] {
  return [
    "--permission",
    "--allow-addons",
    ...readable().map((path) => `--allow-fs-read=${path}`),
    // isolated-vm asks for it.
    "--no-node-snapshot",
    "--no-warnings",
    "--v8-pool-size=1",
    `--max-old-space-size=${OWN_HEAP_MB}`,
  ];
}

/** What the child's own code needs: its files, the packages that it loads, and how much memory it has. */
function readable(): string[] {
  const sandbox = join(HERE, "..");
  return [
    join(sandbox, "*"),
    ...packages(["isolated-vm", "node-gyp-build", "@jitl/quickjs-wasmfile-release-sync"]),
    "/etc/alpine-release",
    "/proc/self/statm",
  ];
}

/** Whether the package is there that keeps programs apart: it is optional, and made for some systems only. */
export function isolates(): boolean {
  return packages(["isolated-vm"]).length > 0;
}

function packages(names: readonly string[]): string[] {
  const require = createRequire(import.meta.url);
  return names.flatMap((name) => {
    try {
      return join(dirname(require.resolve(`${name}/package.json`)), "*");
    } catch {
      // It isn't installed; the child will say so.
      return [];
    }
  });
}
