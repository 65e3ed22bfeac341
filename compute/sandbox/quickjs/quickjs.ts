import { DEFAULT_LIMITS } from "../../../protocol/index.ts";
import { Places } from "../places.ts";
import { Pulls } from "../pulls.ts";
import type { Job, Sandbox, Values } from "../sandbox.ts";
import type { BudgetOptions } from "./budget.ts";
import { type Image, takeImage } from "./image.ts";
import { QuickjsJob } from "./job.ts";
import { CAN_SUSPEND, type WasmModule } from "./web-assembly.ts";

export interface QuickjsOptions extends BudgetOptions {
  /** QuickJS as `meter` made it. */
  readonly module: WasmModule;
  /** Jobs that compute at once; others wait. As many again may be there whose readers have no room. */
  readonly places: number;
  /** Of one job, whatever it asks for. In MiB. */
  readonly maxMemoryMb: number;
  /** Of one value that a program gives. */
  readonly maxValueBytes?: number;
}

/**
 * Programs on QuickJS in WebAssembly, on this very thread: a new instance and a new memory for each job, the memory capped when
 * it is made, and every step counted, so that there is nothing that a program could do for ever.
 */
export function createQuickjsSandbox(options: QuickjsOptions): Sandbox {
  const { module, maxMemoryMb, maxValueBytes = DEFAULT_LIMITS.maxValueBytes } = options;
  const places = new Places({ computing: options.places, most: 2 * options.places });
  const running = new Set<Values>();
  let image: Promise<Image> | undefined;

  async function start(job: Job, signal: AbortSignal): Promise<Values> {
    signal.throwIfAborted();
    const place = await places.enter(signal);
    image ??= takeImage(module);
    const source = new QuickjsJob(job, {
      module,
      image,
      maxValueBytes,
      memoryMb: Math.min(job.memoryMb, maxMemoryMb),
      budget: options,
      onEnd: () => {
        running.delete(values);
        place.leave();
      },
      onWaits: place.lend,
    });
    const values: Values = new Pulls(source, signal);
    running.add(values);
    return values;
  }

  const notes = [
    `Programs run on QuickJS, 30 to 100 times slower than where V8 runs them; one has at most ${maxMemoryMb} MiB.`,
    ...(options.now ? [] : ["Time limits of programs are counted in steps, since the clock stands still."]),
    ...(CAN_SUSPEND ? [] : ["While a program computes its next value, nothing else is done here."]),
  ];
  return {
    engine: "quickjs",
    notes,
    start,
    async close() {
      await Promise.all([...running].map((values) => values.return?.()));
    },
  };
}
