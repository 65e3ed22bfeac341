import type { Engine, Secrets } from "../engine/index.ts";
import type { Rate } from "./access/bucket.ts";
import type { Authorize, Grant } from "./access/grant.ts";
import type { Sink } from "./stream/sink.ts";

/** Where the service writes what its callers must not see. */
export interface Logger {
  info(message: string): void;
  error(message: string, cause: unknown): void;
}

/** What a host may count. All calls are cheap and never throw. */
export interface Observer {
  requestAnswered(route: string, status: number): void;
  executionStarted(): void;
  /** `status` is that of the run, or `unknown` where its client left before it could be told. */
  executionEnded(status: string, durationMs: number): void;
  /** The text of `GET /metrics`. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Everything a service stands on. Times are milliseconds. */
export interface ServiceConfig {
  readonly engine: Engine;
  readonly version: string;
  readonly logger: Logger;
  readonly authorize: Authorize;
  /** Refuses requests whose `Host` isn't a loopback name, and those of foreign origins. For services without tokens. */
  readonly loopbackOnly: boolean;
  /** Origins whose pages may call, e.g. `https://example.org`. */
  readonly origins: readonly string[];
  /** Requests per principal; unlimited if absent. */
  readonly rate?: Rate;
  /** Whether `DELETE /executions/:id` can reach a run: not where each request may meet another instance. */
  readonly cancellable: boolean;
  /** The host's secrets. Each caller may use those that its grant names; none if absent. */
  readonly secrets?: Secrets;
  /** What the host can't promise, for `GET /capabilities`. */
  readonly notes: readonly string[];
  /** Silence after which a stream shows that it is alive. */
  readonly heartbeatMs: number;
  /** A client that accepts nothing for so long is cut off. */
  readonly writeDeadlineMs: number;
  /** Serves `GET /metrics` if there. */
  readonly observer?: Observer;
  /** A shorter way than a web stream to the client of a request, given the bindings that the host handed to `fetch`. */
  readonly sink?: (bindings: unknown) => Sink;
}

/** What hono's context carries here. */
export interface ServiceEnv {
  readonly Variables: {
    readonly grant: Grant;
    readonly traceId: string | undefined;
    /** The header, if it is a valid one. */
    readonly traceparent: string | undefined;
  };
}
