import { NodeflowError } from "../../../protocol/index.ts";
import { readOutcome } from "../outcome.ts";
import type { Pulled, Source } from "../pulls.ts";
import type { Job, LogLevel } from "../sandbox.ts";
import { SCRIPT_NAME } from "../script-name.ts";
import { pack } from "../values.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { type Image, PAGE_BYTES, restore } from "./image.ts";
import { Machine, MachineError, type Pointer } from "./machine.ts";
import { RuntimeError, type WasmModule } from "./web-assembly.ts";

export interface JobOptions {
  readonly module: WasmModule;
  readonly image: Promise<Image>;
  readonly memoryMb: number;
  readonly maxValueBytes: number;
  readonly budget: BudgetOptions;
  /** Called once: the job's place is free. */
  readonly onEnd: () => void;
}

const LEVELS: ReadonlySet<string> = new Set<LogLevel>(["debug", "info", "warn", "error"]);
/** A memory that has grown so far can't give what a program asked for last: QuickJS grows it by a twentieth at least. */
const NEARLY_FULL = 0.9;

/** A job on a machine of its own, which begins with the first pull. */
export class QuickjsJob implements Source {
  readonly #job: Job;
  readonly #options: JobOptions;
  readonly #budget: Budget;
  #machine: Promise<{ readonly machine: Machine; readonly image: Image }> | undefined;
  #maxBytes = 0;
  #ended = false;

  constructor(job: Job, options: JobOptions) {
    this.#job = job;
    this.#options = options;
    this.#budget = new Budget(job, () => this.#ended, options.budget);
  }

  end(): void {
    this.#ended = true;
    this.#machine = undefined;
    this.#options.onEnd();
  }

  async pull(): Promise<Pulled> {
    let machine: Machine | undefined;
    try {
      this.#machine ??= this.#begin();
      const begun = await this.#machine;
      machine = begun.machine;
      const taken = await this.#compute(machine, begun.image);
      if (isSpeechless(taken) && this.#isFull(machine)) throw this.#exhausted();
      const outcome = readOutcome(taken, this.#options.maxValueBytes);
      return outcome.done ? outcome : { ...outcome, last: !this.#job.stream };
    } catch (cause) {
      throw this.#errorOf(cause, machine);
    }
  }

  async #begin(): Promise<{ readonly machine: Machine; readonly image: Image }> {
    const { module, memoryMb } = this.#options;
    const image = await this.#options.image;
    const maxPages = image.pages + Math.ceil((memoryMb * 1_048_576) / PAGE_BYTES);
    this.#maxBytes = maxPages * PAGE_BYTES;
    const machine = await Machine.create({
      module,
      initialPages: image.pages,
      maxPages,
      tell: (level, message) => this.#tell(level, message),
      refuel: (mayWait) => this.#budget.refuel(mayWait),
    });
    restore(machine, image);
    machine.drain();
    this.#budget.resume();
    const { program, inputs, stream, seed } = this.#job;
    const compiled = await machine.evaluate(program.script, SCRIPT_NAME);
    const [text, ...buffers] = pack({ inputs, stream, seed, wasm: program.wasm });
    const given = [machine.newText(text), ...buffers.map((buffer) => machine.newBuffer(buffer))];
    await machine.call(image.begin, compiled, ...given);
    for (const value of given) machine.release(value);
    this.#budget.pause();
    return { machine, image };
  }

  async #compute(machine: Machine, image: Image): Promise<unknown[]> {
    this.#budget.resume();
    machine.release(await machine.call(image.step));
    await machine.settle();
    const taken = await machine.call(image.take);
    this.#budget.pause();
    const parts: Pointer[] = [];
    for (let index = 0; index < machine.length(taken); index += 1) parts.push(machine.element(taken, index));
    const read = parts.map((part, index) => (index < 2 ? machine.text(part) : machine.buffer(part)));
    for (const part of [...parts, taken]) machine.release(part);
    return read;
  }

  #tell(level: string, message: string): void {
    const read: unknown = JSON.parse(message);
    if (!this.#ended && LEVELS.has(level) && typeof read === "string") this.#job.log(level as LogLevel, read);
  }

  #isFull(machine: Machine): boolean {
    return machine.memory.buffer.byteLength > NEARLY_FULL * this.#maxBytes;
  }

  #exhausted(): NodeflowError {
    return new NodeflowError(
      "RESOURCE_EXHAUSTED",
      `The program needs more than ${this.#options.memoryMb} MiB`,
    );
  }

  /** What was thrown out of a machine: by the budget, by the guest, or by WebAssembly itself. */
  #errorOf(cause: unknown, machine: Machine | undefined): unknown {
    if (cause instanceof NodeflowError) return cause;
    if (cause instanceof RangeError) {
      return new NodeflowError("RESOURCE_EXHAUSTED", "The program calls itself too deep", { cause });
    }
    if (machine && this.#isFull(machine)) return this.#exhausted();
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

/** Nothing was said, or null was thrown: as QuickJS does when there is no room even for an error. */
function isSpeechless([state, text]: readonly unknown[]): boolean {
  return state === "pending" || (state === "failed" && String(text).includes('"message":"null"'));
}
