/** Where the bytes of an answer go. A host may know a shorter way to its client than a web stream. */
export interface Sink {
  /** The body of the response; null where the host sends the bytes by itself, once it has the response's head. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Null if the client takes more now, else resolves when it does. Stays pending once the client has gone. */
  room(): Promise<void> | null;
  /** Only while there is room. */
  write(bytes: Uint8Array): void;
  /** The last of it: the answer is whole. Only while there is room. */
  end(bytes: Uint8Array): void;
  /** Breaks the answer off, so that nobody takes what was sent for the whole. */
  abort(reason: Error): void;
  /** Calls back once if the client goes before the end. */
  whenGone(callback: () => void): void;
}

/** A sink that every host has: the body of a response. `signal` is the request's, since not all hosts cancel bodies. */
export function webSink(signal: AbortSignal): Sink {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let wanted = false;
  let wake: (() => void) | null = null;
  let gone: (() => void) | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
      },
      pull() {
        wanted = true;
        wake?.();
      },
      cancel: () => gone?.(),
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    room() {
      if (wanted) return null;
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    write(bytes) {
      // Before, since the stream may ask for more while it takes this.
      wanted = false;
      controller?.enqueue(bytes);
    },
    end(bytes) {
      controller?.enqueue(bytes);
      controller?.close();
    },
    abort: (reason) => controller?.error(reason),
    whenGone(callback) {
      gone = callback;
      signal.addEventListener("abort", callback, { once: true });
      if (signal.aborted) callback();
    },
  };
}
