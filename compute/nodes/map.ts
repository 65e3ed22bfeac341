import { z } from "zod";
import type { Value } from "../../protocol/index.ts";
import {
  defineNode,
  type Emission,
  type Nested,
  type NestedResult,
  type NodeContext,
} from "../engine/index.ts";
import { nestedWorkflow, whole } from "./data.ts";
import { itemsOf } from "./items.ts";
import { Tally } from "./tally.ts";

const DEFAULT_CONCURRENCY = 16;

const Data = z.object({
  workflow: nestedWorkflow,
  concurrency: whole(1, 1024)
    .default(DEFAULT_CONCURRENCY)
    .describe("Items begun and not yet emitted, at most"),
  ordered: z
    .boolean("must be true or false")
    .default(true)
    .describe("Emit in the order of the items, not in that of completion"),
});
type Data = z.infer<typeof Data>;

export const map = defineNode<Data>({
  type: "map",
  description: "Runs a workflow for each item",
  data: Data,
  cost: "trivial",
  strongest: "effectful",
  handles: () => ({ inputs: { in: { required: true, live: ["items"] } }, outputs: { out: "items" } }),
  effect: () => "pure",
  nested: ({ workflow }) => ({ workflow, inputs: ["item", "index"] }),
  async *execute(context) {
    const items = new Items(context);
    try {
      yield* items.emissions();
    } finally {
      items.abandon();
    }
  },
});

/**
 * Items on their way: read from the input, each in a nested run, then emitted. What settles (a read, a nested run) notes
 * down its result and wakes the one who emits; nothing else is done in callbacks, so that errors surface in one place.
 */
class Items {
  readonly #context: NodeContext<Data>;
  readonly #source: AsyncGenerator<Value, void, void>;
  readonly #tally: Tally;
  /** Results not yet emitted, by index. */
  readonly #settled = new Map<number, NestedResult>();
  #begun = 0;
  #emitted = 0;
  #reading = false;
  #ended = false;
  #failure: { readonly error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(context: NodeContext<Data>) {
    this.#context = context;
    this.#source = itemsOf(context.live["in"]);
    this.#tally = new Tally((completed, total) => context.progress(completed, total));
  }

  async *emissions(): AsyncGenerator<Emission, void, void> {
    const { ordered } = this.#context.data;
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      this.#read();
      const index = this.#next(ordered);
      if (index !== undefined) {
        const result = this.#settled.get(index) as NestedResult;
        this.#settled.delete(index);
        this.#tally.count();
        // An item whose output was skipped adds nothing.
        if (!result.skipped) yield ordered ? { value: result.value } : { value: result.value, index };
        // Only now: until it was taken, it counts as begun.
        this.#emitted += 1;
      } else if (this.#ended && this.#emitted === this.#begun) {
        this.#tally.end(this.#begun);
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Gives up: what is under way ends with the attempt, and nobody waits for it. */
  abandon(): void {
    this.#ended = true;
    // An input that never gives its next item would never answer; the engine ends it with the attempt.
    this.#source.return().catch(() => {});
  }

  #next(ordered: boolean): number | undefined {
    if (ordered) return this.#settled.has(this.#emitted) ? this.#emitted : undefined;
    for (const index of this.#settled.keys()) return index;
    return undefined;
  }

  /** Reads the next item, if there is room for it; it begins as soon as it is there. */
  #read(): void {
    if (this.#reading || this.#ended) return;
    if (this.#begun - this.#emitted >= this.#context.data.concurrency) return;
    this.#reading = true;
    this.#source.next().then(
      (step) => {
        this.#reading = false;
        if (step.done) this.#ended = true;
        else if (!this.#ended) this.#begin(step.value);
        this.#stir();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #begin(item: Value): void {
    const index = this.#begun++;
    let nested: Nested;
    try {
      nested = this.#context.run({ scope: String(index), inputs: { item, index }, given: item });
    } catch (error) {
      this.#fail(error);
      return;
    }
    nested.result.then(
      (result) => {
        this.#settled.set(index, result);
        this.#stir();
      },
      (error: unknown) => this.#fail(error),
    );
    this.#read();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stir();
  }

  #stir(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
