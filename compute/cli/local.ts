import type { ExecuteRequest } from "../../protocol/index.ts";
import type { Arrival, Transport } from "../client/index.ts";
import { type Engine, type Execution, NO_SECRETS, type Secrets } from "../engine/index.ts";

/** Runs in this process, in the ways of the client: the same answers to questions, the same checkpoints. */
export class LocalTransport implements Transport {
  readonly #engine: Engine;
  readonly #secrets: Secrets;
  #execution: Execution | null = null;

  constructor(engine: Engine, secrets: Secrets = NO_SECRETS) {
    this.#engine = engine;
    this.#secrets = secrets;
  }

  async *execute(request: ExecuteRequest, signal: AbortSignal): AsyncGenerator<Arrival, void, void> {
    const prepared = await this.#engine.prepare(request, { secrets: this.#secrets });
    const execution = prepared.start({ signal });
    this.#execution = execution;
    for await (const update of execution) yield { seq: update.seq, update };
  }

  async cancel(): Promise<boolean> {
    this.#execution?.cancel("client");
    return this.#execution !== null;
  }
}
