import { type ExecuteRequestInput, type Issue, requestToJson, type Workflow } from "../../protocol/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { callJson, type Fetch, type HttpConfig } from "./http.ts";
import { HttpTransport } from "./http-transport.ts";
import { DEFAULT_PATIENCE, type Patience } from "./patience.ts";
import { asRequest } from "./request.ts";
import { Run, type RunDeps, type RunOptions } from "./run.ts";
import { asError, Interruption, type Transport } from "./transport.ts";

export interface ClientConfig {
  /** Where the service is. With several, a run whose service fails goes on at the next one. */
  readonly url: string | readonly string[];
  readonly token?: string;
  /** Defaults where absent. */
  readonly patience?: Partial<Patience>;
  /** The platform's if absent. */
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** What `POST /validate` answers. */
export interface ValidationAnswer {
  readonly valid: boolean;
  readonly issues: readonly Issue[];
  readonly notes: readonly string[];
}

export interface Client {
  /** Begins a run. What is wrong with the request rejects the first read and `result`. */
  execute(request: ExecuteRequestInput | Workflow, options?: RunOptions): Run;
  /** The same checks without running. */
  validate(request: ExecuteRequestInput | Workflow): Promise<ValidationAnswer>;
  /** What the service can do: `GET /capabilities`. */
  capabilities(): Promise<Record<string, unknown>>;
  /** How the service is: `GET /health`. Rejects while it drains. */
  health(): Promise<Record<string, unknown>>;
}

/** A client of one compute service, or of several that stand in for each other. */
export function createClient(config: ClientConfig): Client {
  const urls = typeof config.url === "string" ? [config.url] : config.url;
  const [first] = urls;
  if (first === undefined) throw new TypeError("createClient needs a url");
  const clock = config.clock ?? systemClock;
  const http: HttpConfig = {
    urls,
    token: config.token,
    // Called as a method of something else, the platform's own would refuse.
    fetch: config.fetch ?? ((input, init) => fetch(input, init)),
    clock,
  };
  const answer = async <T>(path: string, init: RequestInit): Promise<T> => {
    try {
      return (await callJson(http, first, path, init)) as T;
    } catch (error) {
      throw error instanceof Interruption ? asError(error) : error;
    }
  };
  return {
    execute: (request, options = {}) =>
      follow(new HttpTransport(http), request, options, {
        clock,
        random: config.random ?? Math.random,
        patience: { ...DEFAULT_PATIENCE, ...config.patience },
      }),
    validate: (request) =>
      answer("/validate", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: requestToJson(asRequest(request)),
      }),
    capabilities: () => answer("/capabilities", { method: "GET" }),
    health: () => answer("/health", { method: "GET" }),
  };
}

/** Begins a run on any transport, with the client's ways: many readers, resuming, tools. */
export function follow(
  transport: Transport,
  request: ExecuteRequestInput | Workflow,
  options: RunOptions = {},
  deps: Partial<Omit<RunDeps, "transport">> = {},
): Run {
  const { clock = systemClock, random = Math.random, patience = DEFAULT_PATIENCE } = deps;
  return new Run(asRequest(request), options, { transport, clock, random, patience });
}
