import type { ServerResponse } from "node:http";
import type { Sink } from "../service/index.ts";

/**
 * The way from a run to its client on Node: straight into Node's own answer. A web stream between the two takes several
 * promises for every write. Bytes wait until the head is there, which only the service's middleware knows in full.
 */
export class NodeSink implements Sink {
  readonly body = null;
  readonly #outgoing: ServerResponse;
  #open = false;
  #wake: (() => void) | null = null;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
  }

  /** Begins the answer. Its head leaves with the first bytes. */
  open({ status, headers }: Response): void {
    this.#outgoing.writeHead(status, Object.fromEntries(headers));
    this.#outgoing.on("drain", () => this.#wake?.());
    this.#open = true;
    this.#wake?.();
  }

  room(): Promise<void> | null {
    if (this.#open && !this.#outgoing.writableNeedDrain) return null;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Leaves at once, as one packet with all its framing: Node itself would wait for everything else that is due. */
  write(bytes: Uint8Array): void {
    const { socket } = this.#outgoing;
    socket?.cork();
    this.#outgoing.write(bytes);
    socket?.uncork();
  }

  end(bytes: Uint8Array): void {
    this.#outgoing.end(bytes);
  }

  abort(): void {
    this.#outgoing.destroy();
  }

  whenGone(callback: () => void): void {
    if (this.#outgoing.destroyed) callback();
    else this.#outgoing.once("close", callback);
  }
}
