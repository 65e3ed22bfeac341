import type { ExecuteRequest } from "../../protocol/index.ts";
import type { Arrival, Transport } from "../client/index.ts";
import type { Engine, Execution } from "../engine/index.ts";

/** Runs in this process, in the ways of the client: the same answers to questions, the same checkpoints. */
export class LocalTransport implements Transport {
  readonly #engine: Engine;
  #execution: Execution | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async *execute(request: ExecuteRequest, signal: AbortSignal): AsyncGenerator<Arrival, void, void> {
    const execution = (await this.#engine.prepare(request)).start({ signal });
    this.#execution = execution;
    for await (const update of execution) yield { seq: update.seq, update };
  }

  async cancel(): Promise<boolean> {
    this.#execution?.cancel("client");
    return this.#execution !== null;
  }
}
