import { NodeflowError } from "../../../protocol/index.ts";
import { readOutcome } from "../outcome.ts";
import type { Pulled, Source } from "../pulls.ts";
import type { Job, LogLevel } from "../sandbox.ts";
import { pack } from "../values.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { Call } from "./call.ts";
import type { Image } from "./image.ts";
import { MachineError } from "./machine.ts";
import { RuntimeError, type WasmModule } from "./web-assembly.ts";

export interface JobOptions {
  readonly module: WasmModule;
  readonly image: Promise<Image>;
  readonly memoryMb: number;
  readonly maxValueBytes: number;
  readonly budget: BudgetOptions;
  /** Called once: the job's place is free. */
  readonly onEnd: () => void;
  readonly onWaits: (waits: boolean) => void;
}

const LEVELS: ReadonlySet<string> = new Set<LogLevel>(["debug", "info", "warn", "error"]);
/** A job on a machine of its own, which begins with the first pull. */
export class QuickjsJob implements Source {
  readonly #job: Job;
  readonly #options: JobOptions;
  readonly #budget: Budget;
  #call: Promise<Call> | undefined;
  #ended = false;

  constructor(job: Job, options: JobOptions) {
    this.#job = job;
    this.#options = options;
    this.#budget = new Budget(job, () => this.#ended, options.budget);
  }

  waits(waits: boolean): void {
    this.#options.onWaits(waits);
  }

  end(): void {
    this.#ended = true;
    this.#call = undefined;
    this.#options.onEnd();
  }

  async pull(): Promise<Pulled> {
    let call: Call | undefined;
    try {
      this.#call ??= this.#begin();
      call = await this.#call;
      this.#budget.resume();
      const taken = await call.step();
      this.#budget.pause();
      const outcome = readOutcome(taken, this.#options.maxValueBytes);
      return outcome.done ? outcome : { ...outcome, last: !this.#job.stream };
    } catch (cause) {
      throw this.#errorOf(cause, call);
    }
  }

  async #begin(): Promise<Call> {
    const { module, memoryMb, image } = this.#options;
    const { program, inputs, stream, seed } = this.#job;
    const call = await Call.create({
      module,
      image: await image,
      memoryMb,
      log: (level, message) => this.#log(level, message),
      refuel: (mayWait) => this.#budget.refuel(mayWait),
    });
    this.#budget.resume();
    await call.begin(program.script, pack({ inputs, stream, seed, wasm: program.wasm }));
    this.#budget.pause();
    return call;
  }

  #log(level: string, message: string): void {
    if (!this.#ended && LEVELS.has(level)) this.#job.log(level as LogLevel, message);
  }

  #exhausted(): NodeflowError {
    return new NodeflowError(
      "RESOURCE_EXHAUSTED",
      `The program needs more than ${this.#options.memoryMb} MiB`,
    );
  }

  /** What was thrown out of a machine: by the budget, by the guest, or by WebAssembly itself. */
  #errorOf(cause: unknown, call: Call | undefined): unknown {
    if (cause instanceof NodeflowError) return cause;
    if (cause instanceof RangeError) {
      return new NodeflowError("RESOURCE_EXHAUSTED", "The program calls itself too deep", { cause });
    }
    if (call?.isFull) return this.#exhausted();
    if (cause instanceof MachineError) {
      if (/out of memory|stack overflow/.test(cause.message)) return this.#exhausted();
      return new NodeflowError("NODE_FAILED", cause.message, { retryable: false });
    }
    if (cause instanceof RuntimeError) {
      return new NodeflowError("SANDBOX_VIOLATION", "The program broke its sandbox", { cause });
    }
    return cause;
  }
}
