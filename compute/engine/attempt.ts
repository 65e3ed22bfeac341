import { type Executor, NodeflowError } from "../../protocol/index.ts";
import type { Timer } from "./clock.ts";
import { Context } from "./context.ts";
import { emit, flush } from "./emit.ts";
import type { Emission, Emissions, NodeContext, NodeType, Placement } from "./node-type.ts";
import type { AttemptPart, NodePart, RunPart, ScopePart } from "./parts.ts";
import type { Redaction } from "./redact/redaction.ts";
import type { ScopeNames } from "./scope-names.ts";
import { Seat } from "./seat.ts";

/** What nodes are told that still wait for something when their attempt has ended. Shared: making an error is slow. */
const ENDED = new NodeflowError("NODE_FAILED", "The attempt has ended");

const HERE: Executor = { kind: "local" };

/** How long a node may take to return after it was told to stop, before it is cleaned up regardless. */
export const GRACE_MS = 2_000;

/** One attempt of a node: pulls its emissions one by one, and between two of them waits for room. */
export class Attempt implements AttemptPart {
  readonly node: NodePart;
  readonly number: number;
  readonly seat: Seat;
  over = false;
  reason: unknown;
  startedAt = 0;
  halves: Map<string, string> | null = null;
  scopes: ScopeNames | null = null;
  redaction: Redaction | null = null;
  readonly #run: RunPart;
  readonly #context: Context;
  #children: Set<ScopePart> | null = null;
  #iterator: Iterator<Emission> | AsyncIterator<Emission> | null = null;
  /** Resolves when a node that was told to stop has returned. */
  #returned: Promise<unknown> | null = null;
  #grace: Timer | null = null;
  #closed = false;
  /** Whether its start has been reported: it has a place. */
  #placed = false;
  /** Whether cleaning up is left to the engine. */
  #disposes: boolean;
  #callbacks: Set<(reason: unknown) => void> | null = null;

  constructor(node: NodePart, number: number) {
    this.node = node;
    this.number = number;
    this.#run = node.scope.run;
    this.#disposes = node.plan.type.dispose !== undefined;
    this.seat = new Seat(this);
    this.#context = new Context(this);
  }

  begin(): void {
    this.#run.attemptBegun();
    this.seat.take();
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
    const { type } = plan;
    if (type.validate || type.dispose) {
      // Cleaning up may need them, and then they may be gone: the context keeps what it was once asked for.
      const { inputs } = this.#context;
      const wrong = type.validate?.(inputs, plan.data);
      if (wrong) throw new NodeflowError("INVALID_INPUT", wrong);
    }
    return this.#run.config.runner.start({
      node: type,
      placeable: plan.nested === null,
      placement: plan.policy.placement,
      cost: plan.type.costOf?.(plan.data, this.#context.inputs) ?? plan.cost,
      context: this.#context,
    });
  }

  #runAt({ executor, emissions, disposes, waits }: Placement): void {
    if (disposes) this.#disposes = false;
    if (this.over) {
      // The place was found too late. Whoever gave it learns that it is free again.
      this.#return(() => iterate(emissions));
      this.#close();
      return;
    }
    if (!this.#placed) this.#started(executor, waits ?? null);
    this.#drive(emissions).catch((error: unknown) => this.#run.broke(error));
  }

  /** An attempt that finds no place was started all the same: it failed there. */
  #unplaced(error: unknown): void {
    if (!this.over) {
      this.speak();
      this.fail(error);
    }
    this.#close();
  }

  speak(): void {
    if (!this.#placed && !this.over) this.#started(HERE, null);
  }

  #started(executor: Executor, host: ((waits: boolean) => void) | null): void {
    this.#placed = true;
    const { effect, nested, type } = this.node.plan;
    const effectful = effect === "effectful" && nested === null && type.asks !== true;
    this.startedAt = this.#run.report.started(this.node.path, this.number, executor, effectful);
    this.seat.started(host);
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
        this.seat.emitted();
        const pause = this.seat.room(emit(this, step.value));
        if (!pause) continue;
        await pause;
        if (this.over) break;
      }
    } catch (error) {
      if (this.over && this.reason === ENDED) this.#run.broke(error);
      this.fail(error);
    }
    this.#close();
  }

  onOver(callback: (reason: unknown) => void): () => void {
    this.#callbacks ??= new Set();
    const callbacks = this.#callbacks.add(callback);
    return () => callbacks.delete(callback);
  }

  addChild(scope: ScopePart): void {
    this.#children ??= new Set();
    this.#children.add(scope);
    this.seat.addChild();
  }

  removeChild(scope: ScopePart): void {
    if (this.#children?.delete(scope)) this.seat.removeChild();
  }

  fail(error: unknown): void {
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
    if (this.#disposes) {
      // Whether it ever returns is up to the node.
      this.#run.lingering.add(this);
      this.#grace = this.#run.clock.setTimer(() => this.cleanUp(), GRACE_MS);
    }
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
    this.seat.leave();
    for (const child of this.#children ?? []) child.abort(reason);
    for (const callback of this.#callbacks ?? []) callback(reason);
    this.#context.end(reason);
  }

  #close(): void {
    if (this.#returned) void this.#returned.then(() => this.cleanUp());
    else this.cleanUp();
  }

  cleanUp(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#grace?.cancel();
    this.#run.lingering.delete(this);
    const { type } = this.node.plan;
    // The attempt has been decided: a failing clean-up can't change it.
    const closed = () => this.#run.attemptClosed();
    if (this.#disposes) dispose(type, this.#context).then(closed, closed);
    else closed();
  }
}

async function dispose(type: NodeType, context: NodeContext): Promise<void> {
  await type.dispose?.(context);
}

function iterate(emissions: Emissions): Iterator<Emission> | AsyncIterator<Emission> {
  if (Symbol.asyncIterator in emissions) return emissions[Symbol.asyncIterator]();
  return emissions[Symbol.iterator]();
}
