import process from "node:process";
import { NodeflowError } from "../../protocol/index.ts";
import { PoolProcess, type ProcessOptions } from "./node-pool-process.ts";

export interface PoolSize {
  /** Processes that compute at once. */
  readonly most: number;
  /** Once one has been needed, so many are kept although they have nothing to do … */
  readonly warm: number;
  /** … and the others for so long. */
  readonly idleMs: number;
}

/** With those whose attempts wait for others, there are at most so many times as many processes as may compute. */
const MOST_WITH_WAITING = 8;

interface Waiter {
  readonly resolve: (process: PoolProcess) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Processes that wait for attempts, and attempts that wait for a process, first come first served. None is started before
 * it is needed. How many wait is bounded by who asks: an attempt holds one of its run's slots while it does.
 */
export class ProcessPool {
  readonly #size: PoolSize;
  readonly #options: ProcessOptions;
  readonly #all = new Set<PoolProcess>();
  readonly #idle: { readonly process: PoolProcess; readonly timer: NodeJS.Timeout }[] = [];
  readonly #waiting = new Set<Waiter>();
  /** Those whose attempts wait for others. */
  readonly #resting = new Set<PoolProcess>();
  #starting = 0;
  #started = 0;
  #closed = false;

  constructor(size: PoolSize, options: ProcessOptions) {
    this.#size = size;
    this.#options = options;
  }

  /** A process for one attempt, to be given back with `release`. Rejects with the reason of the abort. */
  async acquire(signal: AbortSignal): Promise<PoolProcess> {
    signal.throwIfAborted();
    if (this.#closed) throw new NodeflowError("NODE_FAILED", "The pool is closed");
    const { promise, resolve, reject } = Promise.withResolvers<PoolProcess>();
    const waiter: Waiter = { resolve, reject };
    const giveUp = () => {
      this.#waiting.delete(waiter);
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp);
    this.#waiting.add(waiter);
    this.#serve();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Takes a process back; one that isn't reusable has been killed, and makes room for another. */
  release(process: PoolProcess, reusable: boolean): void {
    this.#resting.delete(process);
    if (reusable && !this.#closed) this.#free(process);
    else this.#remove(process);
  }

  /** The attempt in it waits for others, or goes on: at once, since it has its memory already. */
  rest(process: PoolProcess, rests: boolean): void {
    if (!rests) this.#resting.delete(process);
    else if (this.#all.has(process)) {
      this.#resting.add(process);
      this.#serve();
    }
  }

  /** Hands out whatever is idle, as long as there are not too many that compute, and starts what is missing. */
  #serve(): void {
    for (const waiter of this.#waiting) {
      const computing = this.#all.size - this.#starting - this.#idle.length - this.#resting.size;
      // The one that was busy last: its caches are warm, and the others may end.
      const idle = computing < this.#size.most ? this.#idle.pop() : undefined;
      if (!idle) break;
      clearTimeout(idle.timer);
      idle.process.hold(true);
      this.#waiting.delete(waiter);
      waiter.resolve(idle.process);
    }
    this.#grow(this.#waiting.size);
  }

  get #hasRoom(): boolean {
    const { most } = this.#size;
    return this.#all.size - this.#resting.size < most && this.#all.size < most * MOST_WITH_WAITING;
  }

  /** Kills all of them. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#all];
    for (const { reject } of this.#waiting) reject(new NodeflowError("NODE_FAILED", "The pool is closed"));
    this.#waiting.clear();
    for (const process of all) {
      // Whoever closes waits for the end of those, too, that had nothing to do.
      process.hold(true);
      process.kill();
      this.#remove(process);
    }
    await Promise.all(all.map(({ exited }) => exited));
  }

  /** Starts processes until so many are on their way. */
  #grow(wanted: number): void {
    for (let missing = wanted - this.#starting; missing > 0 && this.#hasRoom; missing -= 1) {
      if (!this.#closed) void this.#start();
    }
  }

  async #start(): Promise<void> {
    this.#starting += 1;
    this.#started += 1;
    let started: PoolProcess | null = null;
    try {
      started = new PoolProcess(String(this.#started), this.#options);
      if (this.#all.size === 0) process.on("exit", this.#killAll);
      this.#all.add(started);
      await started.ready;
      this.#starting -= 1;
      const running = started;
      void running.exited.then(() => this.#remove(running));
      this.#free(running);
    } catch (error) {
      this.#starting -= 1;
      const [waiter] = this.#waiting;
      if (waiter) this.#waiting.delete(waiter);
      started?.kill();
      if (started) this.#remove(started, false);
      waiter?.reject(error);
    }
  }

  #free(free: PoolProcess): void {
    if (!this.#all.has(free)) return;
    free.hold(false);
    const timer = setTimeout(() => this.#retire(free), this.#size.idleMs);
    timer.unref();
    this.#idle.push({ process: free, timer });
    this.#serve();
  }

  #retire(idle: PoolProcess): void {
    if (this.#all.size <= this.#size.warm) return;
    idle.kill();
    this.#remove(idle);
  }

  #remove(gone: PoolProcess, replace = true): void {
    this.#resting.delete(gone);
    if (!this.#all.delete(gone)) return;
    const index = this.#idle.findIndex(({ process }) => process === gone);
    for (const { timer } of index < 0 ? [] : this.#idle.splice(index, 1)) clearTimeout(timer);
    this.#serve();
    if (replace && this.#all.size < this.#size.warm) this.#grow(this.#starting + 1);
    if (this.#all.size === 0) process.off("exit", this.#killAll);
  }

  /** A process that computes wouldn't notice that nobody waits for it any more. */
  readonly #killAll = () => {
    for (const one of this.#all) one.kill();
  };
}
