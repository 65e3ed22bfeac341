import { Hono, type MiddlewareHandler } from "hono";
import { NodeflowError } from "../../protocol/index.ts";
import { admit } from "./access/admit.ts";
import { origin } from "./access/origin.ts";
import { answerError, Refusal } from "./answer.ts";
import type { ServiceConfig, ServiceEnv } from "./config.ts";
import { Latency } from "./latency.ts";
import { capabilities } from "./routes/capabilities.ts";
import { execute } from "./routes/execute.ts";
import { cancelExecution } from "./routes/executions.ts";
import { health } from "./routes/health.ts";
import { metrics } from "./routes/metrics.ts";
import { openapi } from "./routes/openapi.ts";
import { validate } from "./routes/validate.ts";
import { Runs } from "./runs.ts";
import { traceIdOf } from "./traceparent.ts";

/** A compute service: its app, to be served or mounted, and the way to shut it down. */
export interface Service {
  readonly app: Hono<ServiceEnv>;
  readonly runs: Pick<Runs, "active" | "draining">;
  /** No new runs; those under way get `graceMs` before they are cancelled. Resolves when the last one has ended. */
  drain(graceMs: number): Promise<void>;
}

/** Builds the service. It holds no global and starts nothing: the host serves `app.fetch`. */
export function createService(config: ServiceConfig): Service {
  const { clock, limits } = config.engine.config;
  const runs = new Runs(limits.maxActiveRuns, clock);
  const latency = new Latency();
  const app = new Hono<ServiceEnv>();
  const admitted = admit(config);

  app.use(trace(config), origin(config));
  app.get("/health", health(config, runs));
  app.get("/openapi.json", openapi(config));
  app.get("/metrics", admitted, metrics(config));
  app.get("/capabilities", admitted, capabilities(config, latency));
  app.post("/execute", admitted, execute(config, runs, latency));
  app.post("/validate", admitted, validate(config));
  app.delete("/executions/:id", admitted, cancelExecution(config, runs));
  for (const [path, methods] of Object.entries(METHODS)) app.all(path, notThisMethod(methods));
  app.notFound((c) => answerError(c, new NodeflowError("NOT_FOUND", "There is nothing at this path")));
  app.onError((error, c) => {
    if (error instanceof Refusal) return answerError(c, error, error.options);
    if (error instanceof NodeflowError) return answerError(c, error);
    if (!c.req.raw.signal.aborted) config.logger.error(`${c.req.method} ${c.req.path} failed`, error);
    return answerError(c, new NodeflowError("INTERNAL", "Something went wrong here"));
  });

  return { app, runs, drain: (graceMs) => runs.drain(graceMs) };
}

const METHODS = {
  "/health": "GET, HEAD",
  "/openapi.json": "GET, HEAD",
  "/metrics": "GET, HEAD",
  "/capabilities": "GET, HEAD",
  "/execute": "POST",
  "/validate": "POST",
  "/executions/:id": "DELETE",
} as const;

function notThisMethod(allowed: string): MiddlewareHandler<ServiceEnv> {
  return async (c) => {
    c.header("allow", allowed);
    const error = new NodeflowError(
      "INVALID_REQUEST",
      `${c.req.method} is not possible here, only ${allowed}`,
    );
    return answerError(c, error, { status: 405 });
  };
}

/** Reads the caller's trace id, and lets the host count answers. */
function trace(config: ServiceConfig): MiddlewareHandler<ServiceEnv> {
  const { observer } = config;
  return async (c, next) => {
    const traceparent = c.req.header("traceparent");
    const traceId = traceIdOf(traceparent);
    c.set("traceId", traceId);
    c.set("traceparent", traceId === undefined ? undefined : traceparent);
    try {
      await next();
    } catch (thrown) {
      // What isn't an Error would pass `onError` by, and the reason of an aborted signal can be anything.
      throw thrown instanceof Error ? thrown : new Error("What was thrown isn't an error", { cause: thrown });
    }
    observer?.requestAnswered(c.req.routePath, c.res.status);
  };
}
