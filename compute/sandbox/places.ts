import { NodeflowError } from "../../protocol/index.ts";

/** A job's place. */
export interface Place {
  /** While its reader has no room another job may have the place: perhaps the reader waits for that one. */
  lend(lent: boolean): void;
  /** To be called once. */
  leave(): void;
}

export interface PlacesOptions {
  /** Jobs that compute at once. */
  readonly computing: number;
  /** Jobs in all, with those that have lent their place: each keeps its memory. */
  readonly most: number;
  /** Who waits so long while nobody computes, because all that are here wait for readers, fails. In ms. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 30_000;

interface Waiter {
  enter(): void;
  fail(error: unknown): void;
}

/** A number of places; whoever finds none free waits in line. */
export class Places {
  readonly #options: PlacesOptions;
  readonly #waiting = new Set<Waiter>();
  #computing = 0;
  #lent = 0;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Rejects with the signal's reason if that comes before a place. */
  async enter(signal: AbortSignal): Promise<Place> {
    if (this.#hasRoom() && this.#waiting.size === 0) this.#computing += 1;
    else await this.#wait(signal);
    let lends = false;
    return {
      lend: (lent) => {
        if (lent === lends) return;
        lends = lent;
        // Who comes back computes at once, beside whoever has the place now: it has its memory already.
        this.#lent += lent ? 1 : -1;
        this.#computing += lent ? -1 : 1;
        this.#serve();
      },
      leave: () => {
        if (lends) this.#lent -= 1;
        else this.#computing -= 1;
        this.#serve();
      },
    };
  }

  #hasRoom(): boolean {
    const { computing, most } = this.#options;
    return this.#computing < computing && this.#computing + this.#lent < most;
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      if (!this.#hasRoom()) break;
      this.#computing += 1;
      waiter.enter();
    }
    this.#watch();
  }

  /** Whether those here all wait for readers that may wait for those in line can't be told, only suspected. */
  #watch(): void {
    const stuck = this.#waiting.size > 0 && this.#computing === 0;
    if (!stuck) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    } else if (this.#patience === undefined) {
      const { most, patienceMs = PATIENCE_MS } = this.#options;
      this.#patience = setTimeout(() => {
        this.#patience = undefined;
        const [first] = this.#waiting;
        const message = `All ${most} places for programs are held by programs that wait for whoever reads them`;
        first?.fail(new NodeflowError("RESOURCE_EXHAUSTED", message, { retryable: true }));
        this.#watch();
      }, patienceMs);
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", give);
      };
      const waiter: Waiter = {
        enter() {
          settled();
          resolve();
        },
        fail(error) {
          settled();
          reject(error);
        },
      };
      const give = () => {
        waiter.fail(signal.reason);
        this.#watch();
      };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", give, { once: true });
      this.#watch();
    });
  }
}
