/** A process of the pool: takes attempts one after another, from the process that has started it. */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { type NodeType, serveAttempt, type ToFar, type ToNear } from "../engine/index.ts";
import { builtinNodes } from "../nodes/index.ts";
import type { Down, Up } from "./node-pool-process.ts";
import { webClock } from "./web.ts";

function tell(message: Up): void {
  process.send?.(message);
}

async function typesOf(url: string | undefined): Promise<ReadonlyMap<string, NodeType>> {
  const types = new Map(builtinNodes);
  if (url === undefined) return types;
  const { nodeTypes: own } = (await import(url)) as { readonly nodeTypes?: Iterable<NodeType> };
  if (!own || !(Symbol.iterator in own))
    throw new TypeError(`${url} exports no list of node types named nodeTypes`);
  for (const type of own) types.set(type.type, type);
  return types;
}

/** Serves one attempt after the other; what comes for one that is over is dropped. */
function serve(types: ReadonlyMap<string, NodeType>): void {
  const clock = webClock();
  let current = 0;
  let receive: ((message: ToFar) => void) | null = null;
  process.on("message", ({ attempt, message }: Down) => {
    if (attempt !== current) {
      current = attempt;
      const port = {
        send: (up: ToNear) => tell({ attempt, message: up }),
        listen: (listener: (message: ToFar) => void) => {
          receive = listener;
        },
        close: () => {
          if (current === attempt) receive = null;
        },
      };
      serveAttempt(port, types, clock);
    }
    receive?.(message);
  });
}

// A Ctrl-C goes to all processes of a terminal: what ends then is for the one that has started this to say.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
/** Looks from a thread of its own, since this one may be within a loop when its parent dies of a sudden. */
const WATCH = `
const parent = ${process.ppid};
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 500);
`;

// Without the process that has started it there is nobody to work for.
process.on("disconnect", () => process.exit());
new Worker(WATCH, { eval: true }).unref();
try {
  const types = await typesOf(process.argv[2]);
  serve(types);
  tell({ types: [...types.keys()] });
} catch (error) {
  tell({ failed: error instanceof Error ? error.message : String(error) });
  process.disconnect();
}
