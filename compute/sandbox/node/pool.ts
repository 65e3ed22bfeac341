import type { Child } from "./child.ts";

export interface PoolOptions {
  /** Jobs that compute at once. */
  readonly children: number;
  /** Processes at once, with those whose jobs wait for their readers. */
  readonly maxProcesses: number;
  /** What children that are kept warm are for. */
  readonly warmMemoryMb: number;
  readonly create: (memoryMb: number) => Child;
  /** A child could not start. */
  readonly failed: (cause: unknown) => void;
}

interface Waiter {
  readonly group: string;
  readonly memoryMb: number;
  take(child: Child): void;
  fail(cause: unknown): void;
}

/** A child of another kind than the warm ones is kept for so long after its last job. */
const KEPT_MS = 10_000;
/** A group that hasn't come back after so long is probably done: whoever comes next needn't wait for a fresh isolate. */
const REFRESHED_MS = 20;
/** Jobs of the group that a child knows already may overtake others so often. */
const MAX_OVERTAKING = 32;

/** Children by what they are doing, and the jobs that wait for one. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: Child[] = [];
  readonly #starting = new Set<Child>();
  readonly #all = new Set<Child>();
  readonly #waiting: Waiter[] = [];
  readonly #expiry = new Map<Child, NodeJS.Timeout>();
  readonly #refreshing = new Map<Child, NodeJS.Timeout>();
  #computing = 0;
  #overtaken = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Starts children until there are as many as may compute. Resolves once they can be given jobs. */
  async warm(): Promise<void> {
    const missing = this.#options.children - this.#all.size;
    for (let n = 0; n < missing; n += 1) this.#spawn(this.#options.warmMemoryMb);
    await Promise.allSettled([...this.#starting].map((child) => child.ready));
  }

  /** Takes a child for a job. It counts as computing until `pause`, `release` or `discard`. */
  take(group: string, memoryMb: number, signal: AbortSignal): Promise<Child> {
    signal.throwIfAborted();
    if (this.#closed) return Promise.reject(new Error("The sandbox is closed"));
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        group,
        memoryMb,
        take(child) {
          signal.removeEventListener("abort", abort);
          resolve(child);
        },
        fail(cause) {
          signal.removeEventListener("abort", abort);
          reject(cause);
        },
      };
      signal.addEventListener("abort", abort);
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  /** The child's job waits for its reader. */
  pause(): void {
    this.#computing -= 1;
    this.#serve();
  }

  /** It computes again, whether or not there is a place: it has its memory already. */
  resume(): void {
    this.#computing += 1;
  }

  /** The child's job has ended, and did no harm. `computed`: its place was counted. */
  release(child: Child, computed: boolean): void {
    if (computed) this.#computing -= 1;
    if (this.#closed) child.kill();
    if (child.dead) {
      this.discard(child, false);
      return;
    }
    this.#rest(child);
    this.#serve();
  }

  /** The child is of no more use. One that is warm takes its place. */
  discard(child: Child, computed: boolean): void {
    if (computed) this.#computing -= 1;
    child.kill();
    this.#forget(child);
    this.#serve();
    if (!this.#closed) void this.warm();
  }

  get pids(): number[] {
    return [...this.#all].flatMap(({ pid }) => pid ?? []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.fail(new Error("The sandbox is closed"));
    const all = [...this.#all];
    for (const child of all) {
      child.kill();
      this.#forget(child);
    }
    await Promise.all(all.map((child) => child.gone));
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#computing < this.#options.children) {
      const child = this.#fitting();
      if (!child) break;
      const waiter = this.#choose(child);
      if (!waiter) break;
      this.#idle.splice(this.#idle.indexOf(child), 1);
      this.#keep(child);
      this.#computing += 1;
      waiter.take(child);
    }
    this.#spawnForWaiting();
  }

  /** An idle child for the first who waits: best one of its group, else a fresh one, else any of its kind. */
  #fitting(): Child | undefined {
    const [first] = this.#waiting;
    const fits = this.#idle.filter((child) => child.memoryMb === first?.memoryMb);
    return (
      fits.find((child) => child.group === first?.group) ??
      fits.find((child) => child.group === null) ??
      fits.find((child) => !this.#waiting.some((waiter) => waiter.group === child.group)) ??
      fits[0]
    );
  }

  /** Who gets it: one whose group it knows, but not for ever. */
  #choose(child: Child): Waiter | undefined {
    const known = this.#waiting.findIndex(
      (waiter) => waiter.group === child.group && waiter.memoryMb === child.memoryMb,
    );
    const overtakes = known > 0 && this.#overtaken < MAX_OVERTAKING;
    this.#overtaken = overtakes ? this.#overtaken + 1 : 0;
    return this.#waiting.splice(overtakes ? known : 0, 1)[0];
  }

  /** Whoever waits and could compute gets a process of the kind that is missing. */
  #spawnForWaiting(): void {
    const { children, maxProcesses } = this.#options;
    const places = children - this.#computing - this.#starting.size;
    for (const { memoryMb } of this.#waiting.slice(0, Math.max(0, places))) {
      if (this.#all.size >= maxProcesses && !this.#evict()) return;
      this.#spawn(memoryMb);
    }
  }

  #evict(): boolean {
    const [oldest] = this.#idle;
    if (!oldest) return false;
    oldest.kill();
    this.#forget(oldest);
    return true;
  }

  #spawn(memoryMb: number): Child {
    const child = this.#options.create(memoryMb);
    this.#all.add(child);
    this.#starting.add(child);
    child.ready.then(
      () => {
        this.#starting.delete(child);
        if (child.dead) return;
        this.#rest(child);
        child.gone.then(() => this.#forget(child));
        this.#serve();
      },
      (cause: unknown) => {
        this.#forget(child);
        if (this.#closed) return;
        this.#options.failed(cause);
        // Whoever waits would wait for ever.
        this.#waiting.shift()?.fail(cause);
      },
    );
    return child;
  }

  #rest(child: Child): void {
    this.#idle.push(child);
    this.#refreshing.set(child, setTimeout(() => child.refresh(), REFRESHED_MS).unref());
    if (child.memoryMb === this.#options.warmMemoryMb && this.#idle.length <= this.#options.children) return;
    const timer = setTimeout(() => {
      child.kill();
      this.#forget(child);
    }, KEPT_MS);
    this.#expiry.set(child, timer.unref());
  }

  /** It isn't idle any more. */
  #keep(child: Child): void {
    clearTimeout(this.#refreshing.get(child));
    this.#refreshing.delete(child);
    clearTimeout(this.#expiry.get(child));
    this.#expiry.delete(child);
  }

  #forget(child: Child): void {
    this.#keep(child);
    this.#all.delete(child);
    this.#starting.delete(child);
    const at = this.#idle.indexOf(child);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
