import { type Executor, NodeflowError } from "../../protocol/index.ts";
import { Context } from "./context.ts";
import { emit, flush } from "./emit.ts";
import type { Emission, Emissions, Placement } from "./node-type.ts";
import type { Output } from "./output.ts";
import type { AttemptPart, NodePart, RunPart, ScopePart } from "./parts.ts";
import { Deadline } from "./policy.ts";
import type { Redaction } from "./redact/redaction.ts";

/** What nodes are told that still wait for something when their attempt has ended. Shared: making an error is slow. */
const ENDED = new NodeflowError("NODE_FAILED", "The attempt has ended");

const HERE: Executor = { kind: "local" };

/** One attempt of a node: pulls its emissions one by one, and between two of them waits for room. */
export class Attempt implements AttemptPart {
  readonly node: NodePart;
  readonly number: number;
  over = false;
  reason: unknown;
  startedAt = 0;
  halves: Map<string, string> | null = null;
  redaction: Redaction | null = null;
  readonly #run: RunPart;
  readonly #context: Context;
  readonly #deadline: Deadline | null;
  /** Whether it has one of the run's slots: containers never do. */
  #slot: boolean;
  /** Whether its start has been reported: it has a place. */
  #placed = false;
  /** Whether cleaning up is left to the engine. */
  #disposes = true;
  #waits = 0;
  #waitsForRoom = false;
  #children: Set<ScopePart> | null = null;
  #iterator: Iterator<Emission> | AsyncIterator<Emission> | null = null;
  #returned: unknown;
  #wake: (() => void) | null = null;
  #callbacks: Set<(reason: unknown) => void> | null = null;

  constructor(node: NodePart, number: number) {
    this.node = node;
    this.number = number;
    this.#run = node.scope.run;
    this.#slot = node.plan.nested === null;
    this.#context = new Context(this);
    const { timeoutMs, idleTimeoutMs } = node.plan.policy;
    this.#deadline =
      timeoutMs === undefined && idleTimeoutMs === undefined
        ? null
        : new Deadline(this.#run.clock, timeoutMs, idleTimeoutMs, (error) => this.#fail(error));
  }

  begin(): void {
    this.#run.attemptBegun();
    let placement: Placement | Promise<Placement>;
    try {
      placement = this.#place();
    } catch (error) {
      this.#unplaced(error);
      return;
    }
    if (placement instanceof Promise) {
      placement
        .then(
          (place) => this.#runAt(place),
          (error: unknown) => this.#unplaced(error),
        )
        .catch((error: unknown) => this.#run.broke(error));
    } else {
      this.#runAt(placement);
    }
  }

  #place(): Placement | Promise<Placement> {
    const { plan } = this.node;
    const wrong = plan.type.validate?.(this.#context.inputs, plan.data);
    if (wrong) throw new NodeflowError("INVALID_INPUT", wrong);
    return this.#run.config.runner.start({
      node: plan.type,
      placeable: plan.nested === null,
      placement: plan.policy.placement,
      cost: plan.cost,
      context: this.#context,
    });
  }

  #runAt({ executor, emissions, disposes }: Placement): void {
    if (disposes) this.#disposes = false;
    if (this.over) {
      // The place was found too late. Whoever gave it learns that it is free again.
      this.#return(() => iterate(emissions));
      this.#close();
      return;
    }
    this.#started(executor);
    this.#drive(emissions).catch((error: unknown) => this.#run.broke(error));
  }

  /** An attempt that finds no place was started all the same: it failed there. */
  #unplaced(error: unknown): void {
    if (!this.over) {
      this.#started(HERE);
      this.#fail(error);
    }
    this.#close();
  }

  #started(executor: Executor): void {
    this.#placed = true;
    const { effect, nested, type } = this.node.plan;
    const effectful = effect === "effectful" && nested === null && type.asks !== true;
    this.startedAt = this.#run.report.started(this.node.path, this.number, executor, effectful);
    this.#count();
  }

  async #drive(emissions: Emissions): Promise<void> {
    try {
      const iterator = iterate(emissions);
      this.#iterator = iterator;
      for (;;) {
        const pulled = iterator.next();
        const step = pulled instanceof Promise ? await pulled : pulled;
        if (this.over) break;
        if (step.done) {
          this.#iterator = null;
          if (this.halves || this.redaction) flush(this);
          this.#run.scheduler.withoutStarting(() => {
            this.#settle(ENDED);
            this.node.ended(this);
          });
          break;
        }
        this.#deadline?.emitted();
        const pause = this.#pause(emit(this, step.value));
        if (!pause) continue;
        await pause;
        if (this.over) break;
      }
    } catch (error) {
      if (this.over && this.reason === ENDED) this.#run.broke(error);
      this.#fail(error);
    }
    this.#close();
  }

  /** What to wait for before the next emission, if anything. */
  #pause(output: Output): Promise<void> | null {
    if (!output.full && this.#run.outbox.hasRoom && !this.#run.scheduler.spent()) return null;
    return this.#untilRoom(output);
  }

  async #untilRoom(output: Output): Promise<void> {
    const { outbox, scheduler } = this.#run;
    while (!this.over) {
      if (output.full) {
        await this.#waitForRoom((wake) => output.whenRoom(wake));
      } else if (!outbox.hasRoom) {
        // The reader comes back or the run ends: it goes on either way.
        scheduler.hold();
        await this.#waitForRoom((wake) => outbox.whenRoom(wake));
        scheduler.unhold();
      } else if (scheduler.spent()) {
        await scheduler.turn();
      } else {
        return;
      }
    }
  }

  #waitForRoom(subscribe: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#waitsForRoom = true;
      // Before the slot is given back: whoever gets it may make room at once.
      subscribe(() => {
        this.#waitsForRoom = false;
        this.endWait(resolve);
      });
      this.beginWait();
    });
  }

  beginWait(): void {
    this.#waits += 1;
    this.#count();
    if (!this.#slot) {
      this.#run.scheduler.checkIdle();
      return;
    }
    this.#slot = false;
    this.#count();
    this.#run.scheduler.release();
  }

  endWait(callback: () => void): void {
    if (this.over) return;
    this.#waits -= 1;
    if (this.#slot || this.node.plan.nested) {
      this.#count();
      callback();
      return;
    }
    this.#run.scheduler.resume(() => {
      if (this.over || this.#slot) this.#run.scheduler.release();
      if (this.over) return;
      this.#slot = true;
      this.#count();
      callback();
    });
  }

  /** Timeouts count while it computes; for a container, while anything is in it or it waits for nothing else. */
  #count(): void {
    if (!this.#deadline || !this.#placed) return;
    const inside = this.#children !== null && this.#children.size > 0;
    const computes = this.node.plan.nested ? inside || this.#waits === 0 : this.#slot;
    if (computes && !this.#waitsForRoom) this.#deadline.resume();
    else this.#deadline.pause();
  }

  onOver(callback: (reason: unknown) => void): () => void {
    this.#callbacks ??= new Set();
    const callbacks = this.#callbacks.add(callback);
    return () => callbacks.delete(callback);
  }

  addChild(scope: ScopePart): void {
    this.#children ??= new Set();
    this.#children.add(scope);
    this.#count();
  }

  removeChild(scope: ScopePart): void {
    this.#children?.delete(scope);
    if (!this.over) this.#count();
  }

  #fail(error: unknown): void {
    if (this.over) return;
    // Nothing starts with the slot that this frees before it is known what becomes of the failure.
    this.#run.scheduler.withoutStarting(() => {
      this.abort(error);
      this.node.failed(this, error);
    });
  }

  abort(reason: unknown): void {
    if (this.over) return;
    const iterator = this.#iterator;
    this.#settle(reason);
    this.#return(() => iterator);
  }

  /** Ends what it was reading: nobody wants the rest. */
  #return(reading: () => Iterator<Emission> | AsyncIterator<Emission> | null): void {
    try {
      const returned = reading()?.return?.();
      if (returned instanceof Promise) this.#returned = returned.catch(() => undefined);
    } catch {
      // A generator that throws while it is closed has nothing more to say: its attempt is over.
    }
  }

  /** From here on nothing that the node does counts. Gives back the slot, ends what is inside, wakes who waits. */
  #settle(reason: unknown): void {
    this.over = true;
    this.reason = reason;
    this.#deadline?.pause();
    if (this.#slot) {
      this.#slot = false;
      this.#run.scheduler.release();
    }
    for (const child of this.#children ?? []) child.abort(reason);
    for (const callback of this.#callbacks ?? []) callback(reason);
    this.#context.end(reason);
    this.#wake?.();
  }

  /** The iterator has returned: cleans up, and tells the run that nothing is left. */
  #close(): void {
    const { type } = this.node.plan;
    const disposes = this.#disposes && type.dispose !== undefined;
    if (!disposes && this.#returned === undefined) {
      this.#run.attemptClosed();
      return;
    }
    const cleanUp = async () => {
      await this.#returned;
      if (disposes) await type.dispose?.(this.#context);
    };
    // The attempt has been decided: a failing clean-up can't change it.
    const closed = () => this.#run.attemptClosed();
    cleanUp().then(closed, closed);
  }
}

function iterate(emissions: Emissions): Iterator<Emission> | AsyncIterator<Emission> {
  if (Symbol.asyncIterator in emissions) return emissions[Symbol.asyncIterator]();
  return emissions[Symbol.iterator]();
}
