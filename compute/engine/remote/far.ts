import { measure, NodeflowError } from "../../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { Emission, NodeType, NodeTypes } from "../node-type.ts";
import { infoOf } from "./error-info.ts";
import { FarContext } from "./far-context.ts";
import {
  type Begin,
  type Port,
  type ToFar,
  type ToNear,
  WINDOW_BYTES,
  WINDOW_EMISSIONS,
} from "./messages.ts";

/** Deeper values are no values: they are the engine's to refuse, but must not harm what sends them. */
const MAX_DEPTH = 1_000;

/** What the far end stops for. */
const STOPPED = new NodeflowError("NODE_FAILED", "The attempt has ended");

/**
 * Runs the attempt that a near end begins, where this is: makes its context, and sends its emissions as long as there is
 * room for them.
 */
export function serveAttempt(port: Port<ToNear, ToFar>, types: NodeTypes, clock: Clock): void {
  let attempt: FarAttempt | null = null;
  port.listen(
    (message) => {
      if (message.type === "begin") attempt ??= new FarAttempt(message, port, types, clock);
      else attempt?.receive(message);
    },
    () => attempt?.stop(),
  );
}

class FarAttempt {
  readonly #port: Port<ToNear, ToFar>;
  readonly #context: FarContext;
  #iterator: Iterator<Emission> | AsyncIterator<Emission> | null = null;
  /** What each emission weighs that the near end has not read, in order. */
  readonly #ahead: number[] = [];
  #bytesAhead = 0;
  #wake: (() => void) | null = null;
  #released: Promise<void> | null = null;

  constructor(begin: Begin, port: Port<ToNear, ToFar>, types: NodeTypes, clock: Clock) {
    this.#port = port;
    this.#context = new FarContext(begin, (message) => port.send(message), clock);
    void this.#run(types.get(begin.node), begin.node);
  }

  receive(message: Exclude<ToFar, Begin>): void {
    switch (message.type) {
      case "stop":
        this.stop();
        break;
      case "read":
        for (const weight of this.#ahead.splice(0, message.emissions)) this.#bytesAhead -= weight;
        this.#wake?.();
        break;
      default:
        this.#context.receive(message);
    }
  }

  stop(): void {
    if (this.#context.over) return;
    this.#context.end(STOPPED);
    this.#wake?.();
    this.#released = this.#release();
  }

  /** Nobody reads any more: what the iterator holds is let go of. */
  async #release(): Promise<void> {
    try {
      await this.#iterator?.return?.();
    } catch {
      // Nobody is there any more to be told.
    }
  }

  async #run(type: NodeType | undefined, name: string): Promise<void> {
    let last: ToNear = { type: "ended" };
    try {
      if (!type) {
        throw new NodeflowError("INTERNAL", `The node type "${name}" isn't known where it was to run`);
      }
      await this.#drive(type);
    } catch (error) {
      last = { type: "failed", error: infoOf(error) };
      this.#released ??= this.#release();
    }
    this.#context.end(STOPPED);
    await this.#released;
    try {
      await type?.dispose?.(this.#context);
    } catch {
      // The attempt has been decided: a failing clean-up can't change it.
    }
    this.#tellLast(last);
    this.#port.close(true);
  }

  /** What can't be sent of an error is left out of it. */
  #tellLast(last: ToNear): void {
    try {
      this.#port.send(last);
    } catch (error) {
      if (last.type !== "failed") throw error;
      const { details, ...rest } = last.error;
      this.#port.send({ type: "failed", error: rest });
    }
  }

  async #drive(type: NodeType): Promise<void> {
    const emissions = type.execute(this.#context);
    const iterator =
      Symbol.asyncIterator in emissions ? emissions[Symbol.asyncIterator]() : emissions[Symbol.iterator]();
    this.#iterator = iterator;
    while (!this.#context.over) {
      const pulled = iterator.next();
      const step = pulled instanceof Promise ? await pulled : pulled;
      if (step.done || this.#context.over) return;
      this.#emit(step.value);
      if (this.#isFull) await this.#room();
    }
  }

  get #isFull(): boolean {
    return this.#ahead.length >= WINDOW_EMISSIONS || this.#bytesAhead >= WINDOW_BYTES;
  }

  async #room(): Promise<void> {
    while (this.#isFull && !this.#context.over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = null;
  }

  #emit({ handle, value, index }: Emission): void {
    const weight = measure(value, MAX_DEPTH);
    this.#context.flush();
    this.#port.send({
      type: "emission",
      emission: { value, ...(handle !== undefined && { handle }), ...(index !== undefined && { index }) },
    });
    this.#ahead.push(weight);
    this.#bytesAhead += weight;
  }
}
