import { NodeflowError } from "../../../protocol/index.ts";
import { readOutcome } from "../outcome.ts";
import type { Pulled, Source } from "../pulls.ts";
import type { Job, LogLevel } from "../sandbox.ts";
import { pack } from "../values.ts";
import type { FrameWorker } from "./frame.ts";

export interface BrowserJobOptions {
  readonly worker: FrameWorker;
  readonly maxValueBytes: number;
  /** Called once, when the worker has been ended; whether it was computing. */
  readonly onEnd: (computing: boolean) => void;
  readonly onWaits: (waits: boolean) => void;
}

const LEVELS: ReadonlySet<unknown> = new Set<LogLevel>(["debug", "info", "warn", "error"]);
/** Guests write no more than that. */
const MAX_LINES = 1_000;

/** A job on a worker of its own. */
export class BrowserJob implements Source {
  readonly #job: Job;
  readonly #options: BrowserJobOptions;
  #given: readonly [string, ...ArrayBuffer[]] | null;
  #remainingMs: number;
  #lines = 0;
  #computing = false;
  #taken: PromiseWithResolvers<readonly unknown[]> | undefined;

  constructor(job: Job, options: BrowserJobOptions) {
    this.#job = job;
    this.#options = options;
    this.#remainingMs = job.timeoutMs;
    const { inputs, stream, seed, program } = job;
    this.#given = pack({ inputs, stream, seed, wasm: program.wasm });
    options.worker.port.onmessage = ({ data }) => this.#hear(data);
  }

  async pull(): Promise<Pulled> {
    const taken = Promise.withResolvers<readonly unknown[]>();
    this.#taken = taken;
    const deadline = setTimeout(() => {
      const { timeoutMs } = this.#job;
      taken.reject(new NodeflowError("NODE_TIMEOUT", `The program computed for more than ${timeoutMs} ms`));
    }, this.#remainingMs);
    try {
      this.#computing = true;
      this.#order();
      const answer = await taken.promise;
      this.#computing = false;
      const outcome = readOutcome(answer, this.#options.maxValueBytes);
      return outcome.done ? outcome : { ...outcome, last: !this.#job.stream };
    } finally {
      clearTimeout(deadline);
    }
  }

  waits(waits: boolean): void {
    this.#options.onWaits(waits);
  }

  end(): void {
    this.#options.worker.kill();
    this.#options.onEnd(this.#computing);
  }

  #order(): void {
    const given = this.#given;
    const { port } = this.#options.worker;
    if (given === null) {
      port.postMessage(["step"]);
      return;
    }
    this.#given = null;
    const [text, ...buffers] = given;
    port.postMessage(["begin", this.#job.program.script, text, ...buffers], buffers);
  }

  /** From a worker in which a program may have got hold of everything. */
  #hear(data: unknown): void {
    const [what, first, ...rest] = Array.isArray(data) ? (data as unknown[]) : [];
    if (what === "log" && LEVELS.has(first) && typeof rest[0] === "string") {
      this.#lines += 1;
      if (this.#lines <= MAX_LINES) this.#job.log(first as LogLevel, rest[0]);
    } else if (what === "taken" && typeof first === "number" && first >= 0) {
      this.#remainingMs = Math.max(1, this.#remainingMs - first);
      this.#taken?.resolve(rest);
    } else if (what === "broken" && typeof first === "string") {
      this.#taken?.reject(new NodeflowError("NODE_FAILED", first, { retryable: false }));
    } else {
      this.#taken?.reject(new NodeflowError("SANDBOX_VIOLATION", "The program tampered with its sandbox"));
    }
  }
}
