import { DEFAULT_LIMITS } from "../../../protocol/index.ts";
import { Places } from "../places.ts";
import { Pulls } from "../pulls.ts";
import type { Job, Sandbox, Values } from "../sandbox.ts";
import type { FrameWorker } from "./frame.ts";
import { BrowserJob } from "./job.ts";
import { Workshop } from "./workshop.ts";

export interface BrowserSandboxOptions {
  /** Programs that compute at once, each in a thread of its own; others wait. As many as there are cores if absent. */
  readonly places?: number;
  /** Of one value that a program gives. */
  readonly maxValueBytes?: number;
}

/** Programs whose readers have no room, each with its worker. */
const MAX_WAITING = 16;

const NOTES = [
  "Memory of programs isn't capped: browsers end a tab, or a frame in it, that takes too much.",
  "A program is stopped by ending its worker. Inside a single built-in operation without end that works only once no other program runs; until then it keeps a core busy.",
  "Time limits of programs are looked at once a second, or less often, while the page is hidden.",
];

/** Programs in workers of a frame that has an origin of its own and no network. For pages: workers have no frames. */
export function createBrowserSandbox(options: BrowserSandboxOptions = {}): Sandbox {
  if (typeof document === "undefined") {
    throw new TypeError(
      "Programs need a frame, which only pages have; workers and service workers have no place for them",
    );
  }
  const { maxValueBytes = DEFAULT_LIMITS.maxValueBytes } = options;
  const computing = options.places ?? Math.max(2, navigator.hardwareConcurrency);
  const places = new Places({ computing, most: computing + MAX_WAITING });
  const running = new Set<Values>();
  const workshop = new Workshop(() => running.size === 0);

  async function start(job: Job, signal: AbortSignal): Promise<Values> {
    signal.throwIfAborted();
    const place = await places.enter(signal);
    let worker: FrameWorker;
    try {
      worker = await workshop.take();
      if (signal.aborted) worker.kill();
      signal.throwIfAborted();
    } catch (error) {
      place.leave();
      throw error;
    }
    const onEnd = (computing: boolean) => {
      running.delete(values);
      place.leave();
      workshop.left(computing);
    };
    const values: Values = new Pulls(
      new BrowserJob(job, { worker, maxValueBytes, onEnd, onWaits: place.lend }),
      signal,
    );
    running.add(values);
    return values;
  }

  return {
    engine: "worker in a sandboxed frame",
    notes: NOTES,
    start,
    async close() {
      await Promise.all([...running].map((values) => values.return?.()));
      workshop.close();
    },
  };
}
