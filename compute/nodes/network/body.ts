import { NodeflowError } from "../../../protocol/index.ts";
import { brokenOff } from "./failure.ts";

/** Lets go of what a call holds. Calling it again does nothing. */
export type Release = () => void;

interface BodyOptions {
  /** Bytes at most. */
  readonly most: number;
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly release: Release;
}

/**
 * The body of an answer: read no faster than it is read from, bounded, and let go of once it has ended in whatever way. Its
 * errors say whose body it is.
 */
export function body(content: ReadableStream<Uint8Array>, options: BodyOptions): ReadableStream<Uint8Array> {
  const { most, origin, signal, release } = options;
  const reader = content.getReader();
  let left = most;
  const over = () => {
    signal.removeEventListener("abort", over);
    release();
  };
  signal.addEventListener("abort", over);
  if (signal.aborted) over();

  async function next(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { done, value } = await reader.read();
    if (done) {
      over();
      controller.close();
      return;
    }
    left -= value.byteLength;
    if (left < 0) {
      reader.cancel().catch(() => undefined);
      throw new NodeflowError("OUTPUT_TOO_LARGE", `${origin} answered with more than ${most} bytes`);
    }
    controller.enqueue(value);
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await next(controller);
        } catch (error) {
          over();
          controller.error(brokenOff(error, origin, signal));
        }
      },
      async cancel(reason) {
        over();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
