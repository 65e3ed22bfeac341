import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { TerminalUpdate } from "../../../protocol/index.ts";
import type { Execution, Prepared } from "../../engine/index.ts";
import { limitsOf, prepareOptions } from "../access/grant.ts";
import { readRequest } from "../body/request.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import type { Latency } from "../latency.ts";
import type { Runs, Slot } from "../runs.ts";
import { DEFAULT_FORMAT, encoderOf, FORMATS } from "../stream/formats.ts";
import { pump } from "../stream/pump.ts";

/** `POST /execute`: everything that can be refused is refused before the run begins; then its updates are the answer. */
export function execute(config: ServiceConfig, runs: Runs, latency: Latency) {
  const { clock, limits } = config.engine.config;

  return async (c: Context<ServiceEnv>): Promise<Response> => {
    const arrived = clock.now();
    const grant = c.get("grant");
    const traceId = c.get("traceId");
    const { signal } = c.req.raw;
    using slot = runs.reserve(grant);
    const own = limitsOf(grant, limits);
    const request = await readRequest(c.req.raw, own, clock);
    const caller = { grant, traceparent: c.get("traceparent"), signal };
    const prepared = await config.engine.prepare(request, prepareOptions(caller, config.secrets));
    const type = mediaTypeOf(c);
    const encoder = encoderOf(type, { request, limits: own, clock });
    runs.refuseWhileDraining();

    const execution = begin(prepared, slot, signal, traceId);
    config.observer?.executionStarted();
    const stream = pump(execution, encoder, {
      clock,
      heartbeatMs: config.heartbeatMs,
      writeDeadlineMs: config.writeDeadlineMs,
      onFirst: () => latency.add(clock.now() - arrived),
      onEnd(terminal) {
        config.observer?.executionEnded(statusOf(terminal), clock.now() - arrived);
        const release = () => slot.release();
        execution.closed.then(release, release);
      },
      onFault: (cause) => config.logger.error(`Run ${execution.executionId} broke off`, cause),
      ...(config.sever && { sever: () => config.sever?.(c.env) }),
    });
    return new Response(stream, {
      headers: {
        "content-type": type,
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-execution-id": execution.executionId,
      },
    });
  };
}

/** Starts the run and ties it to its client: when the client has gone, so has the run. */
function begin(prepared: Prepared, slot: Slot, signal: AbortSignal, traceId: string | undefined): Execution {
  const execution = prepared.start(traceId === undefined ? {} : { traceId });
  slot.hold(execution);
  const gone = () => execution.cancel("disconnect");
  signal.addEventListener("abort", gone, { once: true });
  if (signal.aborted) gone();
  return execution;
}

function mediaTypeOf(c: Context<ServiceEnv>): string {
  return accepts(c, { header: "Accept", supports: [...FORMATS.keys()], default: DEFAULT_FORMAT });
}

/** `completed`, `failed`, `cancelled` or `suspended`; `unknown` where the client left before it could be told. */
function statusOf(terminal: TerminalUpdate | undefined): string {
  return terminal?.type.replace("execution-", "") ?? "unknown";
}
