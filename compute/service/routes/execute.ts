import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { TerminalUpdate } from "../../../protocol/index.ts";
import { limitsOf, prepareOptions } from "../access/grant.ts";
import { readRequest } from "../body/request.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import type { Latency } from "../latency.ts";
import type { Runs } from "../runs.ts";
import { DEFAULT_FORMAT, encoderOf, FORMATS } from "../stream/formats.ts";
import { pump } from "../stream/pump.ts";
import { webSink } from "../stream/sink.ts";

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

    const execution = prepared.start(traceId === undefined ? {} : { traceId });
    slot.hold(execution);
    config.observer?.executionStarted();
    const sink = config.sink?.(c.env) ?? webSink(signal);
    pump(execution, encoder, sink, {
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
    });
    return new Response(sink.body, {
      headers: {
        "content-type": type,
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-execution-id": execution.executionId,
      },
    });
  };
}

function mediaTypeOf(c: Context<ServiceEnv>): string {
  return accepts(c, { header: "Accept", supports: [...FORMATS.keys()], default: DEFAULT_FORMAT });
}

/** `completed`, `failed`, `cancelled` or `suspended`; `unknown` where the client left before it could be told. */
function statusOf(terminal: TerminalUpdate | undefined): string {
  return terminal?.type.replace("execution-", "") ?? "unknown";
}
