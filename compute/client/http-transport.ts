import { type ExecuteRequest, NodeflowError, requestToJson } from "../../protocol/index.ts";
import type { Clock } from "./clock.ts";
import { call, type HttpConfig } from "./http.ts";
import { arrivals } from "./sse.ts";
import { type Arrival, Interruption, type Transport } from "./transport.ts";

/** Silence after which a connection counts as dead. Services break it every 15 s. */
const MAX_SILENCE_MS = 60_000;

/** Runs on a service over HTTP. Where several are named, each further run goes to the next one. */
export class HttpTransport implements Transport {
  readonly #config: HttpConfig;
  #runs = 0;
  /** Where the present run is. */
  #base = "";

  constructor(config: HttpConfig) {
    this.#config = config;
  }

  async *execute(request: ExecuteRequest, signal: AbortSignal): AsyncGenerator<Arrival, void, void> {
    this.#base = this.#config.urls[this.#runs % this.#config.urls.length] as string;
    this.#runs += 1;
    // Ended by the caller, by silence, or because the caller stops reading: then the service must see it at once.
    const closing = new AbortController();
    const ended = AbortSignal.any([signal, closing.signal]);
    try {
      const response = await this.#post(request, ended);
      yield* arrivals(chunks(response, this.#config.clock, ended));
    } finally {
      closing.abort();
    }
  }

  async cancel(executionId: string): Promise<boolean> {
    try {
      const path = `/executions/${encodeURIComponent(executionId)}`;
      await call(this.#config, this.#base, path, { method: "DELETE" });
      return true;
    } catch {
      // Unknown there, on a host without DELETE, or out of reach: closing the connection is what is left.
      return false;
    }
  }

  async #post(request: ExecuteRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await call(this.#config, this.#base, "/execute", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: requestToJson(request),
      cache: "no-store",
      signal,
    });
    const type = response.headers.get("content-type") ?? "";
    if (response.body && type.startsWith("text/event-stream")) return response.body;
    await response.body?.cancel();
    throw new NodeflowError(
      "UPSTREAM_ERROR",
      `${this.#base} is not a Node Flow service: it answered with ${type}`,
      {
        retryable: false,
      },
    );
  }
}

/** The bytes of an answer as they come. Errors of the connection, and too long a silence, are interruptions. */
async function* chunks(
  body: ReadableStream<Uint8Array>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const read = await withinSilence(reader.read(), clock);
      if (read.done) return;
      yield read.value;
    }
  } catch (cause) {
    if (signal.aborted || cause instanceof Interruption) throw cause;
    throw new Interruption("The connection was lost", { cause });
  } finally {
    // The connection may be broken already; whoever aborts it need not wait for it.
    reader.cancel().catch(() => undefined);
  }
}

async function withinSilence<T>(reading: Promise<T>, clock: Clock): Promise<T> {
  let stop: () => void = () => undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    stop = clock.after(MAX_SILENCE_MS, () => reject(new Interruption("The service fell silent")));
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    stop();
  }
}
