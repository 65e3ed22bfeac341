import { type Limits, NodeflowError } from "../../../protocol/index.ts";
import type { Clock, NodeContext } from "../../engine/index.ts";
import { body, type Release } from "./body.ts";
import { networkFailure, shortened } from "./failure.ts";
import type { Incoming, Outlet } from "./outlet.ts";
import { type Hop, redirectOf } from "./redirect.ts";
import { type Pace, Turns } from "./turns.ts";

const MAX_REDIRECTS = 5;

export interface NetworkConfig {
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly limits: Limits;
}

/** What a node sends. */
export interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Names of headers that hold a secret of the host, in lower case: they go to no other origin. */
  readonly secret?: ReadonlySet<string>;
}

/** The part of an attempt's context that calling out takes. */
export type Caller = Pick<NodeContext, "signal" | "connection" | "waitFor" | "traceparent">;

/**
 * What nodes call others through, shared by all runs of a process: it counts a run's calls and connections, paces calls to
 * each origin, follows redirects, and bounds answers.
 */
export class Network {
  readonly limits: Limits;
  readonly #outlet: Outlet;
  readonly #turns: Turns;

  constructor({ outlet, clock, pace, limits }: NetworkConfig) {
    this.limits = limits;
    this.#outlet = outlet;
    this.#turns = new Turns(clock, pace);
  }

  /**
   * Calls, and gives the answer once its headers are there, whatever its status. Its body fails with `OUTPUT_TOO_LARGE`
   * beyond `maxResponseBytes`, counted decompressed. Reading it to its end, cancelling it, and the end of the attempt let go
   * of the connection. Rejects with `UPSTREAM_ERROR`.
   */
  async call(context: Caller, call: Call): Promise<Response> {
    let hop: Hop = { ...call, url: parseUrl(call.url) };
    if (context.traceparent !== undefined && !hop.headers.has("traceparent"))
      hop.headers.set("traceparent", context.traceparent);
    for (let redirects = 0; ; redirects++) {
      const release = await this.#enter(context, hop.url);
      try {
        const incoming = await this.#send(context, hop);
        const next = follow(hop, incoming);
        if (!next) return answer(incoming, this.limits.maxResponseBytes, hop.url, context.signal, release);
        // What stands in the body of a redirect is for people.
        incoming.body?.cancel().catch(() => undefined);
        release();
        hop = next;
      } catch (error) {
        release();
        throw error;
      }
      if (redirects === MAX_REDIRECTS)
        throw refused(`${hop.url.origin} redirects more than ${MAX_REDIRECTS} times`);
    }
  }

  /** `fetch` for libraries that want one: `call`, in the shape of the standard. Bodies are texts or bytes. */
  fetch(context: Caller): typeof fetch {
    return async (input, init = {}) => {
      const url = input instanceof Request ? input.url : String(input);
      const { body: content, method = "GET", signal } = init;
      if (content != null && typeof content !== "string" && !(content instanceof Uint8Array))
        throw new TypeError("The body must be text or bytes");
      const headers = new Headers(init.headers);
      const both = signal ? AbortSignal.any([signal, context.signal]) : context.signal;
      const caller: Caller = {
        signal: both,
        traceparent: context.traceparent,
        connection: () => context.connection(),
        waitFor: (promise) => context.waitFor(promise),
      };
      const bytes = typeof content === "string" ? content : content && new Uint8Array(content);
      return await this.call(caller, { url, method, headers, ...(bytes != null && { body: bytes }) });
    };
  }

  /** Waits until the run has a connection left and it is the call's turn with the origin. */
  async #enter(context: Caller, url: URL): Promise<Release> {
    const refusal = this.#outlet.refusal(url);
    if (refusal !== null) throw refused(refusal);
    const connection = await context.connection();
    try {
      const taken = this.#turns.take(url.origin);
      const turn = "turn" in taken ? await waitForTurn(context, taken) : taken;
      return () => {
        turn[Symbol.dispose]();
        connection[Symbol.dispose]();
      };
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  async #send({ signal }: Caller, hop: Hop): Promise<Incoming> {
    try {
      return await this.#outlet.send({ ...hop, signal });
    } catch (error) {
      throw networkFailure(error, hop.url, signal);
    }
  }
}

async function waitForTurn(
  context: Caller,
  { turn, giveUp }: { readonly turn: Promise<Disposable>; giveUp(): void },
): Promise<Disposable> {
  try {
    return await context.waitFor(turn);
  } catch (error) {
    giveUp();
    throw error;
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url) throw refused(`"${text.slice(0, 200)}" is not a URL`);
  url.hash = "";
  return url;
}

function follow(hop: Hop, { status, headers }: Incoming): Hop | null {
  try {
    return redirectOf(hop, status, headers.get("location"));
  } catch {
    throw refused(`${hop.url.origin} redirects to what is not a URL`);
  }
}

/** Statuses that never have a body: a `Response` refuses one. */
const WITHOUT_BODY = [204, 205, 304];

function answer(
  { status, headers, body: content }: Incoming,
  most: number,
  { origin }: URL,
  signal: AbortSignal,
  release: Release,
): Response {
  if (status < 200 || status > 599) {
    content?.cancel().catch(() => undefined);
    throw refused(`${origin} answered ${status}, which is not the status of an answer`);
  }
  const init = { status, headers: [...headers.entries()] as [string, string][] };
  if (content && !WITHOUT_BODY.includes(status))
    return new Response(body(content, { most, origin, signal, release }), init);
  content?.cancel().catch(() => undefined);
  release();
  return new Response(null, init);
}

/** What would be refused again. */
function refused(message: string): NodeflowError {
  return new NodeflowError("UPSTREAM_ERROR", shortened(message), { retryable: false });
}
