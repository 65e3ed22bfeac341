import { DEFAULT_LIMITS } from "../../../protocol/index.ts";
import { Places } from "../places.ts";
import { Pulls } from "../pulls.ts";
import type { Job, Sandbox, Values } from "../sandbox.ts";
import { Frame, type FrameWorker } from "./frame.ts";
import { BrowserJob } from "./job.ts";

export interface BrowserSandboxOptions {
  /** Programs at once, each in a thread of its own; others wait. As many as there are cores if absent. */
  readonly places?: number;
  /** Of one value that a program gives. */
  readonly maxValueBytes?: number;
}

/** Workers that wait for a program, started ahead: a start takes some milliseconds. */
const SPARE = 2;

const NOTES = [
  "Memory of programs isn't capped: browsers end a tab, or a frame in it, that takes too much.",
  "A program is stopped by ending its worker, which may go on to the end of a single built-in operation, unseen.",
  "Time limits of programs are looked at once a second, or less often, while the page is hidden.",
];

/** Programs in workers of a frame that has an origin of its own and no network. For pages: workers have no frames. */
export function createBrowserSandbox(options: BrowserSandboxOptions = {}): Sandbox {
  if (typeof document === "undefined") {
    throw new TypeError(
      "Only pages can have frames; service workers and other workers run programs on QuickJS",
    );
  }
  const { maxValueBytes = DEFAULT_LIMITS.maxValueBytes } = options;
  const places = new Places(options.places ?? Math.max(2, navigator.hardwareConcurrency));
  const running = new Set<Values>();
  const spare: Promise<FrameWorker>[] = [];
  let frame: Frame | undefined;

  function prepare(): void {
    frame ??= new Frame();
    while (spare.length < SPARE) {
      const worker = frame.spawn();
      // Whoever takes it sees that it failed.
      worker.catch(() => undefined);
      spare.push(worker);
    }
  }

  function take(): Promise<FrameWorker> {
    prepare();
    const worker = spare.shift() as Promise<FrameWorker>;
    prepare();
    return worker;
  }

  /** A program that takes too much can end the frame's process, and takes all that is in it along. */
  async function replaceIfDead(): Promise<void> {
    const suspect = frame;
    if (suspect === undefined || (await suspect.isAlive()) || frame !== suspect) return;
    suspect.remove();
    frame = undefined;
    spare.length = 0;
    prepare();
  }

  async function start(job: Job, signal: AbortSignal): Promise<Values> {
    signal.throwIfAborted();
    const leave = await places.enter(signal);
    let worker: FrameWorker;
    try {
      worker = await take();
      if (signal.aborted) worker.kill();
      signal.throwIfAborted();
    } catch (error) {
      leave();
      throw error;
    }
    const onEnd = (late: boolean) => {
      running.delete(values);
      leave();
      if (late) void replaceIfDead();
    };
    const values: Values = new Pulls(new BrowserJob(job, { worker, maxValueBytes, onEnd }), signal);
    running.add(values);
    return values;
  }

  prepare();
  return {
    engine: "worker in a sandboxed frame",
    notes: NOTES,
    start,
    async close() {
      await Promise.all([...running].map((values) => values.return?.()));
      frame?.remove();
      frame = undefined;
      spare.length = 0;
    },
  };
}
