import { isTerminal, type TerminalUpdate } from "../../../protocol/index.ts";
import type { Clock, Execution, Timer } from "../../engine/index.ts";
import type { Encoder } from "./encoder.ts";
import type { Sink } from "./sink.ts";

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
}

/**
 * Carries a run to its client. The client's reading drives it: a batch of updates is asked for only when the last write was
 * taken, and goes out as one write. While there is none, heartbeats do; while nothing is taken, a deadline runs.
 */
export function pump(execution: Execution, encoder: Encoder, sink: Sink, options: PumpOptions): void {
  const { clock, heartbeatMs } = options;
  const batches = execution.batches();
  let terminal: TerminalUpdate | undefined;
  let first = true;
  let ended = false;
  /** Whether the run, and not the client, is what is waited for. */
  let silent = false;
  let lastWrite = clock.now();
  let heartbeat: Timer;
  /** Until the last write is taken. */
  let taking: Promise<void> | null = null;
  let deadline: Timer | undefined;

  function end(): void {
    if (ended) return;
    ended = true;
    heartbeat.cancel();
    deadline?.cancel();
    options.onEnd(terminal);
  }

  /** Stops a run that nobody will read to its end. Not awaited: releasing it is the engine's part. */
  function abandon(): void {
    if (ended) return;
    if (!terminal) execution.cancel("disconnect");
    batches.return?.().catch(() => {
      // Whatever broke, the client that could have been told is gone.
    });
    end();
  }

  function breakOff(message: string): void {
    abandon();
    sink.abort(new Error(message));
  }

  function write(bytes: Uint8Array, last = false): void {
    lastWrite = clock.now();
    if (last) sink.end(bytes);
    else sink.write(bytes);
    if (first) options.onFirst();
    first = false;
    if (last) end();
  }

  /** Null if the client takes more now, else resolves when it does; meanwhile the deadline runs. */
  function taken(): Promise<void> | null {
    if (taking) return taking;
    const room = sink.room();
    if (!room) return null;
    const timer = clock.setTimer(
      () => breakOff("The client accepted nothing for too long"),
      options.writeDeadlineMs,
    );
    deadline = timer;
    taking = room.then(() => {
      timer.cancel();
      taking = null;
    });
    return taking;
  }

  /** One timer for the whole answer, however many writes it has: it looks how long the last one is ago. */
  function beatAfter(ms: number): void {
    heartbeat = clock.setTimer(() => {
      const left = lastWrite + heartbeatMs - clock.now();
      if (left <= 0 && silent && !taken()) {
        write(encoder.heartbeat);
        taken();
      }
      beatAfter(left > 0 ? left : heartbeatMs);
    }, ms);
  }

  /** Sends bytes piece by piece, each when there is room for it. */
  async function send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !ended; ) {
      await taken();
      if (ended) return;
      const piece = bytes.subarray(at, at + MAX_WRITE_BYTES);
      at += piece.length;
      write(piece, terminal !== undefined && at === bytes.length);
    }
  }

  async function carry(): Promise<void> {
    while (!terminal) {
      if (ended) return;
      await taken();
      if (ended) return;
      silent = true;
      const batch = await batches.next();
      if (ended) return;
      if (batch.done) throw new Error("A run ended without a terminal update");
      const last = batch.value.at(-1);
      const bytes = await encoder.encode(batch.value);
      silent = false;
      if (last && isTerminal(last)) terminal = last;
      await send(bytes);
    }
    if (!ended) throw new Error("An encoder had nothing to say of the end of a run");
  }

  beatAfter(heartbeatMs);
  sink.whenGone(abandon);
  carry().catch((cause: unknown) => {
    if (ended) return;
    options.onFault(cause);
    breakOff("The run broke off");
  });
}
