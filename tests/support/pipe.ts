import type { Port } from "../../compute/engine/index.ts";

/** A pipe in memory whose messages are copied, as they would be on their way, and arrive a turn later. */
export function pipe<AtoB, BtoA>(): {
  readonly a: Port<AtoB, BtoA>;
  readonly b: Port<BtoA, AtoB>;
  /** How each end was closed, if it was. */
  readonly closed: { a?: boolean; b?: boolean };
  /** Cuts the pipe: both ends are told. */
  cut(error: unknown): void;
  /** Messages sent so far, from b to a. */
  readonly sent: BtoA[];
} {
  const a = new End<AtoB, BtoA>();
  const b = new End<BtoA, AtoB>();
  a.other = b;
  b.other = a;
  return {
    a,
    b,
    closed: {
      get a() {
        return a.finished as boolean;
      },
      get b() {
        return b.finished as boolean;
      },
    },
    cut(error) {
      for (const end of [a, b]) end.onClosed?.(error);
    },
    sent: b.sent,
  };
}

class End<Out, In> implements Port<Out, In> {
  other: End<In, Out> | null = null;
  finished: boolean | undefined;
  readonly sent: Out[] = [];
  onMessage: ((message: In) => void) | null = null;
  onClosed: ((error: unknown) => void) | null = null;

  send(message: Out): void {
    const copy = structuredClone(message);
    this.sent.push(copy);
    setImmediate(() => this.other?.onMessage?.(copy));
  }

  listen(message: (message: In) => void, closed: (error: unknown) => void): void {
    this.onMessage = message;
    this.onClosed = closed;
  }

  close(finished: boolean): void {
    this.finished = finished;
  }
}
