import { type ExecutionUpdate, isTerminal, type TerminalUpdate } from "../../../protocol/index.ts";
import type { Clock, Execution, Timer } from "../../engine/index.ts";
import type { Encoder } from "./encoder.ts";

/** One write is at most this long, so that a slow client that still reads shows as one. */
const MAX_WRITE_BYTES = 64 * 1024;

export interface PumpOptions {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly writeDeadlineMs: number;
  /** The first bytes are on their way. */
  readonly onFirst: () => void;
  /** Called once, when nothing more will be sent: with the terminal update if it was. */
  readonly onEnd: (terminal: TerminalUpdate | undefined) => void;
  /** The run broke without a terminal update: a fault of ours. */
  readonly onFault: (cause: unknown) => void;
  /** Destroys the connection, where the host can. */
  readonly sever?: () => void;
}

/**
 * Carries a run to its client. The client's reading drives it: a batch of updates is asked for only when the last write was
 * taken, and goes out as one write. While there is none, heartbeats do; while nothing is taken, a deadline runs.
 */
export function pump(
  execution: Execution,
  encoder: Encoder,
  options: PumpOptions,
): ReadableStream<Uint8Array> {
  const { clock } = options;
  const batches = execution.batches();
  let next: Promise<IteratorResult<readonly ExecutionUpdate[]>> | undefined;
  let rest: Uint8Array | undefined;
  let deadline: Timer | undefined;
  let terminal: TerminalUpdate | undefined;
  let first = true;
  let ended = false;

  function end(): void {
    deadline?.cancel();
    if (ended) return;
    ended = true;
    options.onEnd(terminal);
  }

  /** Stops a run that nobody will read to its end. Not awaited: releasing it is the engine's part. */
  function abandon(): void {
    if (!terminal) execution.cancel("disconnect");
    batches.return?.().catch(() => {
      // Whatever broke, the client that could have been told is gone.
    });
    end();
  }

  function breakOff(controller: ReadableStreamDefaultController<Uint8Array>, message: string): void {
    abandon();
    if (options.sever) options.sever();
    else controller.error(new Error(message));
  }

  function write(controller: ReadableStreamDefaultController<Uint8Array>, bytes: Uint8Array): void {
    const whole = bytes.length <= MAX_WRITE_BYTES;
    rest = whole ? undefined : bytes.subarray(MAX_WRITE_BYTES);
    controller.enqueue(whole ? bytes : bytes.subarray(0, MAX_WRITE_BYTES));
    if (first) options.onFirst();
    first = false;
    if (terminal && whole) {
      controller.close();
      end();
      return;
    }
    deadline = clock.setTimer(
      () => breakOff(controller, "The client accepted nothing for too long"),
      options.writeDeadlineMs,
    );
  }

  /** What is to be written next, or a heartbeat if that takes too long; null once the updates have ended. */
  async function ready(): Promise<Uint8Array | null> {
    const since = clock.now();
    for (;;) {
      next ??= batches.next();
      // An encoder may have nothing to say of many batches, so silence is counted over all of them.
      const left = options.heartbeatMs - (clock.now() - since);
      const batch = left > 0 ? await within(next, left, clock) : undefined;
      if (batch === undefined) return encoder.heartbeat;
      next = undefined;
      if (batch.done) return null;
      const last = batch.value.at(-1);
      if (last && isTerminal(last)) terminal = last;
      const bytes = await encoder.encode(batch.value);
      if (bytes.length > 0) return bytes;
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        deadline?.cancel();
        if (rest) return write(controller, rest);
        try {
          const bytes = await ready();
          if (ended) return;
          if (bytes) return write(controller, bytes);
          throw new Error("A run ended without a terminal update");
        } catch (cause) {
          if (ended) return;
          options.onFault(cause);
          breakOff(controller, "The run broke off");
        }
      },
      cancel: abandon,
    },
    { highWaterMark: 0 },
  );
}

/** What the promise gives, or undefined after `ms`. The promise is still good then. */
function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => resolve(undefined), ms);
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (cause: unknown) => {
        timer.cancel();
        reject(cause);
      },
    );
  });
}
