import { Frame, type FrameWorker } from "./frame.ts";

/** Workers that wait for a program, started ahead: a start takes some milliseconds. */
const SPARE = 2;
/** How long programs wait for others to end, so that the process they share can end, in ms. */
const DRAIN_MS = 5_000;
/** What a browser takes to end a process that has no frame any more, in ms: a frame made before would keep it. */
const END_MS = 250;

/**
 * Gives workers, each used once. A worker that is ended while it computes may go on inside a built-in operation (as V8 looks at
 * no interrupt there), and only the end of the process stops that. Sandboxed frames have a process of their own, which ends with
 * the last of them: so after such an end the frame is replaced as soon as nothing else runs in it.
 */
export class Workshop {
  readonly #isIdle: () => boolean;
  readonly #spare: Promise<FrameWorker>[] = [];
  #frame: Frame | undefined;
  /** Something may go on in there. */
  #haunted = false;
  /** Settled when programs need wait no longer. */
  #renewed: PromiseWithResolvers<void> | undefined;
  #closed = false;

  /** `isIdle`: whether no worker that was taken is still in use. */
  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
    this.#prepare();
  }

  async take(): Promise<FrameWorker> {
    await this.#renewed?.promise;
    this.#prepare();
    const worker = this.#spare.shift() as Promise<FrameWorker>;
    this.#prepare();
    return await worker;
  }

  /** A worker has been ended. */
  left(computing: boolean): void {
    if (computing && !this.#haunted) {
      this.#haunted = true;
      const renewed = Promise.withResolvers<void>();
      this.#renewed = renewed;
      void after(DRAIN_MS).then(renewed.resolve);
      void this.#renewIfDead();
    }
    if (this.#haunted && this.#isIdle()) void this.#renew();
  }

  close(): void {
    this.#closed = true;
    this.#discard();
  }

  #prepare(): void {
    if (this.#closed) return;
    this.#frame ??= new Frame();
    while (this.#spare.length < SPARE) {
      const worker = this.#frame.spawn();
      // Whoever takes it sees that it failed.
      worker.catch(() => undefined);
      this.#spare.push(worker);
    }
  }

  #discard(): void {
    this.#frame?.remove();
    this.#frame = undefined;
    this.#spare.length = 0;
  }

  async #renew(): Promise<void> {
    this.#haunted = false;
    this.#discard();
    const renewed = this.#renewed;
    await after(END_MS);
    this.#prepare();
    if (this.#renewed === renewed) this.#renewed = undefined;
    renewed?.resolve();
  }

  /** A program that takes too much ends the process, and all that is in it. */
  async #renewIfDead(): Promise<void> {
    const suspect = this.#frame;
    if (suspect && !(await suspect.isAlive()) && this.#frame === suspect) await this.#renew();
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
