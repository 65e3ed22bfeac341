/** The compute service on Cloudflare Workers: `npm run start:workers`, `wrangler deploy`. */
import { NodeflowError } from "../../protocol/index.ts";
import { createEngine, localRunner } from "../engine/index.ts";
import { builtinNodes, nodeTypes } from "../nodes/index.ts";
import { createWorkersSandbox } from "../sandbox/workers/sandbox.ts";
import { anyone, bearer, createService, type Service } from "../service/index.ts";
import { AddressGuard } from "./address-guard.ts";
import { EnvironmentError, readEnvironment, type Variables } from "./environment.ts";
import { outgoingNodes } from "./outgoing-nodes.ts";
import { sandboxNodes } from "./sandbox-nodes.ts";
import { VERSION } from "./version.ts";
import { webClock, webRandom } from "./web.ts";
import { workersOutlet } from "./workers-outlet.ts";

/** What the platform lets one request have open at once; it would make the rest wait without telling. */
const MAX_CONNECTIONS = 6;

const NOTES = [
  "Counts, rates and capacity are per isolate; the platform runs many.",
  "A run lives as long as its connection; close it to cancel. DELETE /executions/:id is not available.",
  "The platform may end an isolate, and with it a stream, without a terminal update.",
  "The clock stands still during computation, so durations count only waiting.",
  "At most 6 outgoing connections a run. Calls to one origin are paced per isolate.",
  "Addresses that names stand for are checked by the platform, which calls public ones only.",
];

let service: Service | undefined;

/** Bindings are only known with the first request, and stay the same for the life of an isolate. */
function serviceOf(variables: Variables): Service {
  const environment = readEnvironment(variables);
  const open = environment.grants.size === 0;
  const limits = {
    ...environment.limits,
    maxConnections: Math.min(environment.limits.maxConnections, MAX_CONNECTIONS),
  };
  const outlet = workersOutlet(new AddressGuard(environment.outgoing));
  const clock = webClock();
  const sandbox = createWorkersSandbox({ turn: clock.turn, maxValueBytes: limits.maxValueBytes });
  return createService({
    engine: createEngine({
      runtime: "workers",
      types: nodeTypes(builtinNodes, outgoingNodes(outlet, environment), sandboxNodes(sandbox, limits)),
      runner: localRunner,
      clock,
      random: webRandom,
      limits,
    }),
    version: VERSION,
    logger: {
      info: (message) => console.log(message),
      error: (message, cause) => console.error(message, cause),
    },
    authorize: open ? anyone : bearer(environment.grants),
    loopbackOnly: open,
    origins: environment.origins,
    secrets: environment.secrets,
    ...(environment.rate && { rate: environment.rate }),
    cancellable: false,
    notes: [...NOTES, ...sandbox.notes],
    heartbeatMs: environment.heartbeatMs,
    writeDeadlineMs: environment.writeDeadlineMs,
  });
}

/** What is wrong stands in the log; callers needn't know. */
function misconfigured(): Response {
  const error = new NodeflowError("INTERNAL", "This service is not configured correctly");
  return Response.json({ error: error.toJSON() }, { status: error.status });
}

export default {
  fetch(request: Request, variables: Variables): Response | Promise<Response> {
    try {
      service ??= serviceOf(variables);
    } catch (cause) {
      console.error(cause instanceof EnvironmentError ? cause.message : cause);
      return misconfigured();
    }
    return service.app.fetch(request);
  },
};
