import { NodeflowError } from "../../../protocol/index.ts";
import type { Job } from "../sandbox.ts";
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

/** Who takes a child, and of which kind: the part of a job that matters here. */
type Taker = Pick<Job, "owner" | "group" | "memoryMb">;

interface Waiter extends Taker {
  /** It has waited long: if its group has no child at all, it gets one although all places are taken. */
  urgent: boolean;
  take(child: Child): void;
  fail(cause: unknown): void;
}

/** A child of another kind than the warm ones is kept for so long after its last job. */
const KEPT_MS = 10_000;
/** A group that hasn't come back after so long is probably done: whoever comes next needn't wait for a fresh isolate. */
const REFRESHED_MS = 20;
/** Jobs of the group that a child knows already may overtake others so often. */
const MAX_OVERTAKING = 32;
/** So long those who have no child at all wait for others to end. Programs may compute for minutes, all of one run. */
const PATIENCE_MS = 1_000;
/** An owner whose runs take places from each other gets so many beyond those that all compute in. */
const MAX_BEYOND = 2;

/** Children by what they are doing, and the jobs that wait for one. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: Child[] = [];
  readonly #starting = new Set<Child>();
  readonly #all = new Set<Child>();
  readonly #waiting: Waiter[] = [];
  /** Who has the children that have jobs. */
  readonly #taken = new Map<Child, Taker>();
  /** Children whose jobs wait for their readers, those first that have waited for longest. */
  readonly #paused = new Set<Child>();
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
  take({ owner, group, memoryMb }: Taker, signal: AbortSignal): Promise<Child> {
    signal.throwIfAborted();
    if (this.#closed) return Promise.reject(new Error("The sandbox is closed"));
    return new Promise((resolve, reject) => {
      const settled = () => {
        clearTimeout(patience);
        signal.removeEventListener("abort", abort);
      };
      const abort = () => {
        clearTimeout(patience);
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        owner,
        group,
        memoryMb,
        urgent: false,
        take(child) {
          settled();
          resolve(child);
        },
        fail(cause) {
          settled();
          reject(cause);
        },
      };
      const patience = setTimeout(() => {
        waiter.urgent = true;
        this.#serve();
      }, PATIENCE_MS);
      signal.addEventListener("abort", abort);
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  /** The child's job waits for its reader. */
  pause(child: Child): void {
    this.#computing -= 1;
    this.#paused.add(child);
    this.#serve();
  }

  /** It computes again, whether or not there is a place: it has its memory already. */
  resume(child: Child): void {
    this.#computing += 1;
    this.#paused.delete(child);
  }

  /** The child's job has ended, and did no harm. `computed`: its place was counted. */
  release(child: Child, computed: boolean): void {
    if (computed) this.#computing -= 1;
    this.#leave(child);
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
    for (let next = this.#next(); next; next = this.#next()) {
      const child = this.#fitting(next);
      if (!child) break;
      const waiter = this.#overtaking(child, next);
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      this.#idle.splice(this.#idle.indexOf(child), 1);
      this.#keep(child);
      this.#computing += 1;
      this.#taken.set(child, waiter);
      waiter.take(child);
    }
    this.#spawnForWaiting();
  }

  /** Whose turn it is: the owner's who has the fewest children, the run's of theirs that has, the first of those. */
  #next(): Waiter | undefined {
    const held = this.#held();
    const places = this.#computing < this.#options.children;
    return (places ? [...this.#waiting] : this.#urgent()).sort((a, b) => share(held, a) - share(held, b))[0];
  }

  /** The first of each group that has waited long and has no child, as far as its owner hasn't too many. */
  #urgent(): Waiter[] {
    const { owners, groups } = this.#held();
    const most = this.#options.children + MAX_BEYOND;
    const first = new Map<string, Waiter>();
    for (const waiter of this.#waiting) {
      const { owner, group, urgent } = waiter;
      if (!urgent || first.has(group) || groups.has(group)) continue;
      const held = owners.get(owner) ?? 0;
      if (held >= most) continue;
      owners.set(owner, held + 1);
      first.set(group, waiter);
    }
    return [...first.values()];
  }

  /** How many children each owner has, and each group. */
  #held(): Held {
    const owners = new Map<string, number>();
    const groups = new Map<string, number>();
    for (const { owner, group } of this.#taken.values()) {
      owners.set(owner, (owners.get(owner) ?? 0) + 1);
      groups.set(group, (groups.get(group) ?? 0) + 1);
    }
    return { owners, groups };
  }

  /** An idle child for whoever is next: best one of its group, else a fresh one, else any of its kind. */
  #fitting({ group, memoryMb }: Waiter): Child | undefined {
    const fits = this.#idle.filter((child) => child.memoryMb === memoryMb);
    return (
      fits.find((child) => child.group === group) ??
      fits.find((child) => child.group === null) ??
      fits.find((child) => !this.#waiting.some((waiter) => waiter.group === child.group)) ??
      fits[0]
    );
  }

  /** Who gets it: one whose group it knows, but not for ever. */
  #overtaking(child: Child, next: Waiter): Waiter {
    const known = this.#waiting.find(
      ({ group, memoryMb }) => group === child.group && memoryMb === child.memoryMb,
    );
    const overtakes = known && known.group !== next.group && !next.urgent && this.#overtaken < MAX_OVERTAKING;
    this.#overtaken = overtakes ? this.#overtaken + 1 : 0;
    return overtakes ? known : next;
  }

  /** Whoever waits and could compute gets a process of the kind that is missing. */
  #spawnForWaiting(): void {
    if (this.#waiting.length === 0) return;
    const { children, maxProcesses } = this.#options;
    const urgent = this.#urgent();
    const places = Math.max(children - this.#computing, urgent.length) - this.#starting.size;
    if (places <= 0) return;
    const waiting = [...urgent, ...this.#waiting.filter((waiter) => !urgent.includes(waiter))];
    for (const waiter of waiting.slice(0, places)) {
      if (this.#all.size >= maxProcesses && !this.#evict(waiter)) return;
      this.#spawn(waiter.memoryMb);
    }
  }

  /** Ends a process for another: an idle one, or for the urgent one of a run that keeps many waiting for its readers. */
  #evict({ urgent }: Waiter): boolean {
    const [oldest] = this.#idle;
    if (oldest) {
      oldest.kill();
      this.#forget(oldest);
      return true;
    }
    const held = this.#held();
    const paused = [...this.#paused].flatMap((child) => {
      const taker = this.#taken.get(child);
      return taker && (held.groups.get(taker.group) ?? 0) + (held.owners.get(taker.owner) ?? 0) > 2
        ? [{ child, share: share(held, taker) }]
        : [];
    });
    const most = Math.max(...paused.map(({ share }) => share));
    const victim = paused.find(({ share }) => share === most);
    // Its end serves those who wait.
    if (urgent && victim)
      victim.child.abandon(new NodeflowError("NODE_FAILED", "The program waited too long for its reader"));
    return false;
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

  #leave(child: Child): void {
    this.#paused.delete(child);
    this.#taken.delete(child);
  }

  #forget(child: Child): void {
    this.#leave(child);
    this.#keep(child);
    this.#all.delete(child);
    this.#starting.delete(child);
    const at = this.#idle.indexOf(child);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

interface Held {
  readonly owners: Map<string, number>;
  readonly groups: Map<string, number>;
}

/** How much somebody has already: children of the owner first, then those of the group. Never as many as 2 ** 16. */
function share({ owners, groups }: Held, { owner, group }: Taker): number {
  return (owners.get(owner) ?? 0) * 65_536 + (groups.get(group) ?? 0);
}
